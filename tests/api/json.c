/* JSON in and out where it is deep, odd or wrong. */
#include <criterion/criterion.h>
#include <jansson.h>
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
        svc_app_set_log_sink(app, note_line, &lines);
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

/* ---- Content codings */

static const svc_field any_fields[] = {
    SVC_FIELD_INT64(struct node, n),
    SVC_FIELD_END,
};

static int bind_any(svc_request *req, svc_response *res)
{
    struct node node;
    return svc_request_bind(req, res, node_schema, &node) ? svc_response_empty(res, 204) : 0;
}

static svc_reply *send_coded(svc_app *app, const char *target, const char *type, const char *coding,
                             const char *body)
{
    const char *const headers[] = {"Content-Type", type, "Content-Encoding", coding, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = strlen(body);
    return svc_app_test(app, &test);
}

Test(json, a_content_coding_is_not_taken_for_the_document)
{
    static const struct {
        const char *coding;
        bool taken;
    } rows[] = {{"identity", true},        {"Identity", true},      {"identity, identity", true},
                {"gzip", false},           {"x-gzip", false},       {"identity, gzip", false},
                {"gzip, identity", false}, {"br", false},           {"identity;q=1", false},
                {"deflate,", false},       {"\"identity\"", false}, {",", true}};
    static const struct {
        const char *target, *type, *body;
        int status;
    } ways[] = {{"/json", "application/json", "{\"n\":1}", 200},
                {"/bind", "application/json", "{\"n\":1}", 204},
                {"/bind", "application/x-www-form-urlencoded", "n=1", 204}};
    svc_app *app = svc_app_new("json");
    svc_app_post(app, "/json", echo, NULL);
    svc_app_post(app, "/bind", bind_any, NULL);
    node_schema = svc_schema_new(app, any_fields, sizeof(struct node), SVC_SCHEMA_FORM);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof ways / sizeof *ways; j++) {
            svc_reply *reply =
                send_coded(app, ways[j].target, ways[j].type, rows[i].coding, ways[j].body);
            const char *accepted = svc_reply_header(reply, "Accept-Encoding");
            cr_expect_eq(svc_reply_status(reply), rows[i].taken ? ways[j].status : 415, "%s: %d",
                         rows[i].coding, svc_reply_status(reply));
            cr_expect_str_eq(accepted ? accepted : "", rows[i].taken ? "" : "identity");
            svc_reply_free(reply);
        }
    svc_app_free(app);
}

/* Decodes what a test can write: one byte more than the document has. */
static int decode(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)res, (void)layer;
    piece->data++;
    piece->len--;
    return SVC_PASS;
}

static const svc_middleware decoder = {
    .size = sizeof decoder, .name = "decoder", .on_body = decode};

Test(json, what_a_layer_has_decoded_is_taken)
{
    svc_app *app = svc_app_new("json");
    svc_group *group = svc_app_group(app, "");
    svc_group_set_flags(group, SVC_ANY_CODING);
    svc_group_use(group, &decoder);
    svc_group_post(group, "/", echo, NULL);
    svc_reply *reply = send_coded(app, "/", "application/json", "x-one-more", "#[0.5]");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "[0.5]");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Numbers and texts */

Test(json, numbers_and_texts_of_a_tree_are_written_as_by_the_writer)
{
    static const struct {
        const char *sent, *answered;
    } rows[] = {
        {"[0.1,1.10,1e3,2.0,-0.0,1E400]", NULL},
        {"[0.1, 1.10, 1e3, 2.0, 1e21, 123456789012345678]",
         "[0.1,1.1,1000,2,1e+21,123456789012345678]"},
        {"\"\\u007f\\u2028\\/\"", "\"\\u007f\\u2028/\""},
        {"{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}"},
        {"[\"\\u0000\"]", NULL},
    };
    svc_app *app = svc_app_new("json");
    svc_app_post(app, "/", echo, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_reply *reply = svc_app_test_json(app, "POST", "/", rows[i].sent);
        cr_expect_eq(svc_reply_status(reply), rows[i].answered ? 200 : 400, "%s", rows[i].sent);
        if (rows[i].answered)
            cr_expect_str_eq(svc_reply_body(reply, NULL), rows[i].answered);
        else
            cr_expect(strstr(svc_reply_body(reply, NULL), "\"detail\":\"line 1, column"), "%s",
                      svc_reply_body(reply, NULL));
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

static int pack_badly(svc_request *req, svc_response *res)
{
    return strcmp(svc_request_param(req, "how"), "null")
               ? svc_response_json(res, 200, "{s:i,s:y}", "a", 1, "b", 2)
               : svc_response_json(res, 200, "{s:s}", "a", NULL);
}

static bool note_cause(const svc_log_record *record, void *arg)
{
    for (const svc_kv *item = record->items; item && item->key; item++)
        if (!strcmp(item->key, "cause"))
            snprintf(arg, 256, "%s", item->value.text);
    return true;
}

/* Jansson's own words, which depend on its version, are between the call and the format. */
Test(json, a_bad_pack_format_is_told_to_developers_and_to_the_log)
{
    for (int development = 0; development < 2; development++) {
        char cause[256] = "";
        svc_app *app = svc_app_new("json");
        svc_config config = SVC_CONFIG_INIT;
        config.development = development;
        svc_app_configure(app, &config);
        svc_app_set_log_sink(app, note_cause, cause);
        svc_app_get(app, "/{how}", pack_badly, NULL);
        svc_reply *reply = svc_app_test_get(app, "/format");
        const char *body = svc_reply_body(reply, NULL);
        cr_expect_eq(svc_reply_status(reply), 500);
        cr_expect_eq(strstr(body, "SVC_EINVAL: invalid argument; svc_response_json: ") != NULL,
                     development, "%s", body);
        cr_expect(strstr(cause, "svc_response_json: ") && strstr(cause, "\"{s:i,s:y}\""), "%s",
                  cause);
        svc_reply_free(reply);
        reply = svc_app_test_get(app, "/null");
        cr_expect(strstr(cause, "NULL") && strstr(cause, "\"{s:s}\""), "%s", cause);
        svc_reply_free(reply);
        svc_app_free(app);
    }
}
