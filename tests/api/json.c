/* JSON in and out where it is deep, odd or wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { DEPTH = 1000, SMALL_STACK = 65536 /* as little as a worker may have */ };

/* An app whose one route runs on a worker, with as little stack and as deep JSON as may be set. */
static svc_app *make(const char *pattern, svc_handler *handler)
{
    svc_app *app = svc_app_new("json");
    svc_config config = SVC_CONFIG_INIT;
    config.worker_stack_bytes = SMALL_STACK;
    config.max_json_depth = 1024;
    svc_app_configure(app, &config);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    return app;
}

/* `levels` of `open`, a 1, and the levels' ends; to be freed. */
static char *nest(const char *open, char close, size_t levels)
{
    size_t len = strlen(open);
    char *text = malloc(levels * (len + 1) + 2), *to = text;
    for (size_t i = 0; i < levels; i++, to += len)
        memcpy(to, open, len);
    *to++ = '1';
    memset(to, close, levels);
    to[levels] = '\0';
    return text;
}

static int echo(svc_request *req, svc_response *res)
{
    json_t *body = svc_request_json(req, res);
    return body ? svc_response_json_take(res, 200, json_incref(body)) : 0;
}

static int echo_written(svc_request *req, svc_response *res)
{
    const json_t *body = svc_request_json(req, res);
    if (!body)
        return 0;
    svc_json_writer *w = svc_response_json_begin(res, 200);
    svc_json_put_jansson(w, NULL, body);
    return svc_response_json_end(w);
}

static int echo_in_problem(svc_request *req, svc_response *res)
{
    json_t *body = svc_request_json(req, res);
    return body ? svc_response_problem_take(res, 409, NULL, json_incref(body)) : 0;
}

static void expect_echo(svc_handler *handler, int status, const char *open, char close)
{
    svc_app *app = make("POST /", handler);
    char *text = nest(open, close, DEPTH);
    svc_reply *reply = svc_app_test_json(app, "POST", "/", text);
    cr_expect_eq(svc_reply_status(reply), status, "%.200s", svc_reply_body(reply, NULL));
    /* Of a problem the members stand behind its own. */
    const char *body = strstr(svc_reply_body(reply, NULL), status == 200 ? text : text + 1);
    cr_expect_not_null(body);
    svc_reply_free(reply);
    free(text);
    svc_app_free(app);
}

Test(json, a_deep_document_is_read_and_written_on_a_small_stack)
{
    expect_echo(echo, 200, "[", ']');
    expect_echo(echo, 200, "{\"a\":", '}');
    expect_echo(echo_written, 200, "[", ']');
    expect_echo(echo_in_problem, 409, "{\"a\":", '}');
}

Test(json, the_depth_that_is_taken_is_sharp)
{
    svc_app *app = make("POST /", echo);
    for (size_t levels = 1023; levels <= 1025; levels++) {
        char *text = nest("[", ']', levels);
        svc_reply *reply = svc_app_test_json(app, "POST", "/", text);
        cr_expect_eq(svc_reply_status(reply), levels > 1024 ? 400 : 200, "%zu", levels);
        svc_reply_free(reply);
        free(text);
    }
    svc_app_free(app);
}

struct node {
    int64_t n;
    struct node *children;
    size_t child_count;
};

static const svc_field node_fields[] = {
    SVC_FIELD_INT64(struct node, n),
    SVC_FIELD_OBJECTS(struct node, children, child_count, node_fields),
    SVC_FIELD_END,
};

static const svc_schema *node_schema;

/* Answers with how deep the tree is. */
static int bind_node(svc_request *req, svc_response *res)
{
    struct node node;
    if (!svc_request_bind(req, res, node_schema, &node))
        return 0;
    int depth = 0;
    for (const struct node *at = &node; at->child_count; at = at->children)
        depth++;
    return svc_response_json(res, 200, "i", depth);
}

static svc_reply *send_node(const char *open, const char *innermost, size_t levels)
{
    svc_app *app = make("POST /", bind_node);
    node_schema = svc_schema_new(app, node_fields, sizeof(struct node), 0);
    size_t size = levels * (strlen(open) + 2) + strlen(innermost) + 1;
    char *text = malloc(size), *to = text;
    for (size_t i = 0; i < levels; i++)
        to = stpcpy(to, open);
    to = stpcpy(to, innermost);
    for (size_t i = 0; i < levels; i++)
        to = stpcpy(to, "]}");
    svc_reply *reply = svc_app_test_json(app, "POST", "/", text);
    free(text);
    svc_app_free(app);
    return reply;
}

Test(json, a_deep_tree_is_bound_on_a_small_stack)
{
    svc_reply *reply = send_node("{\"children\":[", "{\"n\":1}", 500);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "500");
    svc_reply_free(reply);
}

Test(json, what_breaks_a_rule_is_found_at_any_depth)
{
    svc_reply *reply = send_node("{\"n\":7,\"children\":[{\"n\":false},", "{\"m\":1}", 400);
    const char *body = svc_reply_body(reply, NULL);
    cr_expect_eq(svc_reply_status(reply), 422);
    cr_expect(strstr(body, "401 values break a rule"), "%.300s", body);
    cr_expect(strstr(body, "\"pointer\":\"#/children/0/n\""), "%.300s", body);
    cr_expect(strstr(body, "\"pointer\":\"#/children/1/children/0/n\""), "%.300s", body);
    svc_reply_free(reply);
}

/* A tree of so many arrays. */
static json_t *make_deep(size_t levels)
{
    json_t *json = json_array();
    for (size_t i = 1; i < levels; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, json);
        json = outer;
    }
    return json;
}

static int answer_deep(svc_request *req, svc_response *res)
{
    json_t *json = make_deep(strtoul(svc_request_param(req, "levels"), NULL, 10));
    return svc_response_json_take(res, 200, json);
}

static int answer_deep_packed(svc_request *req, svc_response *res)
{
    json_t *json = make_deep(strtoul(svc_request_param(req, "levels"), NULL, 10));
    return svc_response_json(res, 200, "{s:o}", "tree", json);
}

static int answer_deep_problem(svc_request *req, svc_response *res)
{
    json_t *json = make_deep(strtoul(svc_request_param(req, "levels"), NULL, 10));
    return svc_response_problem_take(res, 422, NULL, json_pack("{s:o}", "tree", json));
}

static bool note_line(const svc_log_record *record, void *arg)
{
    for (const svc_kv *item = record->items; item && item->key; item++)
        if (item->kind == SVC_KV_STR && !strcmp(item->value.text, svc_error_text(SVC_ETOOBIG)))
            ++*(int *)arg;
    return true;
}

Test(json, a_tree_made_by_hand_is_an_error_where_it_is_too_deep)
{
    static svc_handler *const handlers[] = {answer_deep, answer_deep_packed, answer_deep_problem};
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        int lines = 0;
        svc_app *app = make("GET /{levels}", handlers[i]);
        svc_app_log_sink(app, note_line, &lines);
        svc_reply *reply = svc_app_test_get(app, "/2000");
        cr_expect_eq(svc_reply_status(reply), i == 2 ? 422 : 200);
        svc_reply_free(reply);
        cr_expect_eq(lines, 0);
        reply = svc_app_test_get(app, "/100000");
        cr_expect_eq(svc_reply_status(reply), 500);
        svc_reply_free(reply);
        cr_expect_geq(lines, 1, "the log says why");
        svc_app_free(app);
    }
}
