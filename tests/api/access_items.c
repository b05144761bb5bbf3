/* Items that a program adds to a request's line in the access log. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

static char line[8192]; /* what stands behind the line's own items, by key and value */

static atomic_bool written;

static void append_item(const svc_kv *item)
{
    size_t len = strlen(line);
    char *at = line + len;
    size_t room = sizeof line - len;
    if (item->kind == SVC_KV_STR)
        snprintf(at, room, " %s=%.*s", item->key, (int)item->len,
                 item->value.text ? item->value.text : "");
    else if (item->kind == SVC_KV_INT)
        snprintf(at, room, " %s=%lld", item->key, (long long)item->value.number);
    else if (item->kind == SVC_KV_UINT)
        snprintf(at, room, " %s=%llu", item->key, (unsigned long long)item->value.count);
    else if (item->kind == SVC_KV_DOUBLE)
        snprintf(at, room, " %s=%g", item->key, item->value.real);
    else
        snprintf(at, room, " %s=%s", item->key, item->value.truth ? "true" : "false");
}

static bool keep(const svc_log_record *record, void *arg)
{
    bool behind = false;
    (void)arg;
    if (strcmp(record->module, "access") != 0)
        return true;
    *line = '\0';
    for (const svc_kv *item = record->items; item->key; item++) {
        if (behind && strcmp(item->key, "end") != 0)
            append_item(item);
        behind = behind || !strcmp(item->key, "duration_us");
    }
    atomic_store(&written, true);
    return true;
}

/* The line of a request that is answered by `handler`. */
static void expect_line(svc_handler *handler, unsigned flags, const svc_middleware *layer,
                        const char *expected)
{
    svc_app *app = svc_app_new("items");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/";
    route.handler = handler;
    route.flags = flags;
    svc_app_set_log_sink(app, keep, NULL);
    svc_app_route(app, &route);
    if (layer)
        svc_app_use(app, layer);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 204, "%s", svc_app_errors(app));
    cr_expect_str_eq(line, expected);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int add_each(svc_request *req, svc_response *res)
{
    char text[] = "a b", key[] = "user";
    svc_log_access(req, svc_kv_str(key, text), svc_kv_int("i", -1), svc_kv_uint("u.n", 2));
    memset(text, 'x', 3);
    memset(key, 'x', 4);
    svc_log_access(req, svc_kv_double("d-1", 1.5), svc_kv_bool("b", true), svc_kv_str("n", NULL));
    return svc_response_empty(res, 204);
}

Test(access_items, each_kind_stands_behind_the_lines_own)
{
    expect_line(add_each, 0, NULL, " user=a b i=-1 u.n=2 d-1=1.5 b=true n=");
    expect_line(add_each, SVC_BLOCKING, NULL, " user=a b i=-1 u.n=2 d-1=1.5 b=true n=");
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    svc_log_access(req, svc_kv_str("first", "layer"), svc_kv_str("state", "asked"));
    return SVC_PASS;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)res, (void)layer, (void)done;
    svc_log_access(req, svc_kv_str("state", "done"));
}

static int add_more(svc_request *req, svc_response *res)
{
    svc_log_access(req, svc_kv_str("state", "handled"), svc_kv_uint("rows", 3));
    return svc_response_empty(res, 204);
}

Test(access_items, of_one_key_the_last_counts)
{
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "items";
    layer.on_request = on_request;
    layer.on_done = on_done;
    expect_line(add_more, 0, &layer, " first=layer state=done rows=3");
    expect_line(add_more, SVC_BLOCKING, &layer, " first=layer state=done rows=3");
}

/* Its deadline passes while it has the request, and the line is written without it. */
static int add_too_late(svc_request *req, svc_response *res)
{
    while (!atomic_load(&written))
        sched_yield();
    svc_log_access(req, svc_kv_str("state", "late"), svc_kv_str("late", "too"));
    return svc_response_empty(res, 204);
}

Test(access_items, what_comes_too_late_is_in_no_line)
{
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "items";
    layer.on_request = on_request;
    svc_app *app = svc_app_new("items");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/";
    route.handler = add_too_late;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = 1000; /* a worker has begun with it by then: 503 otherwise */
    svc_app_set_log_sink(app, keep, NULL);
    svc_app_route(app, &route);
    svc_app_use(app, &layer);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 504);
    cr_expect_str_eq(line, " first=layer state=asked");
    svc_reply_free(reply);
    svc_app_free(app);
}

static int add_bad(svc_request *req, svc_response *res)
{
    static const char *const keys[] = {
        "",
        "a b",
        "a=b",
        "a\"",
        "\xc3\xa9",
        "time",
        "id",
        "msg",
        "query",
        "status",
        "end",
        "route",
        "duration_us",
        "level",
        "app",
        "0123456789012345678901234567890123456789012345678901234567890123x"};
    static char large[1100];
    memset(large, 'x', sizeof large - 1);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const svc_kv items[] = {svc_kv_uint("good", 1), svc_kv_str(keys[i], "x"), SVC_KV_END};
        cr_expect_eq(svc_request_log_items(req, items), SVC_EINVAL, "%s", keys[i]);
    }
    svc_kv items[] = {svc_kv_uint("good", 1), svc_kv_str("large", large), SVC_KV_END};
    cr_expect_eq(svc_request_log_items(req, items), SVC_ETOOBIG);
    items[1].len = SIZE_MAX;
    cr_expect_eq(svc_request_log_items(req, items), SVC_ETOOBIG);
    items[1].kind = 9;
    cr_expect_eq(svc_request_log_items(req, items), SVC_EINVAL);
    cr_expect_eq(svc_request_log_items(req, NULL), 0);
    items[1] = svc_kv_bytes("fits", large, 1024 - 4 - 4);
    items[1].len = 16;
    cr_expect_eq(svc_request_log_items(req, items), 0);
    for (int i = 2; i < 16; i++) {
        const svc_kv one[] = {svc_kv_int("n", i), SVC_KV_END};
        cr_expect_eq(svc_request_log_items(req, one), 0);
    }
    items[0] = (svc_kv)SVC_KV_END;
    const svc_kv over[] = {svc_kv_int("over", 1), SVC_KV_END};
    cr_expect_eq(svc_request_log_items(req, items), 0);
    cr_expect_eq(svc_request_log_items(req, over), SVC_ETOOBIG);
    return svc_response_empty(res, 204);
}

Test(access_items, what_is_refused_adds_nothing)
{
    expect_line(add_bad, 0, NULL, " good=1 fits=xxxxxxxxxxxxxxxx n=15");
}
