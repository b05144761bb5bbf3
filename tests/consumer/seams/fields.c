/* A layer that looks at what a request wants, at what a reply has, and at when it began. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <svc.h>

static char listed[256], parents[3][64];
static int64_t started_unix_ns;

static int list_fields(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    if (svc_request_accepts_encoding(req, "br") > svc_request_accepts_encoding(req, "gzip"))
        svc_response_set_header(res, "X-Coding", "br");
    for (size_t i = 0; i < svc_response_header_count(res); i++) {
        const char *name, *value;
        size_t len = strlen(listed);
        if (!svc_response_header_at(res, i, &name, &value))
            snprintf(listed + len, sizeof listed - len, "%s=%s;", name, value);
    }
    return 0;
}

static void note_start(svc_request *req, const svc_response *res, const svc_layer *layer,
                       const svc_done *done)
{
    (void)req, (void)res, (void)layer;
    started_unix_ns = done->started_unix_ns;
}

static bool see_line(const svc_log_record *record, void *arg)
{
    bool *seen = (bool *)arg;
    for (const svc_kv *item = record->items; item && item->key; item++)
        *seen = *seen || (!strcmp(item->key, "called") && item->value.count == 3);
    return true;
}

static int call_others(svc_request *req, svc_response *res)
{
    svc_log_access(req, svc_kv_uint("called", 3));
    for (size_t i = 0; i < 3; i++)
        snprintf(parents[i], sizeof parents[i], "%s", svc_request_traceparent(req));
    return svc_response_text(res, 200, "done");
}

int main(void)
{
    static const char *const headers[] = {"Accept-Encoding", "gzip;q=0.5, br", NULL};
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "fields";
    layer.on_response = list_fields;
    layer.on_done = note_start;
    svc_app *app = svc_app_new("fields");
    svc_app_use(app, &layer);
    bool seen = false;
    svc_app_set_log_sink(app, see_line, &seen);
    svc_app_get(app, "/", call_others, NULL);
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    svc_app_free(app);
    int64_t age_s = (int64_t)time(NULL) - started_unix_ns / 1000000000;
    puts(listed);
    return !(seen && status == 200 && strstr(listed, "X-Coding=br;") && strstr(listed, "Content-Type=") &&
             strcmp(parents[0], parents[1]) && strcmp(parents[0], parents[2]) &&
             strcmp(parents[1], parents[2]) && strlen(parents[0]) == 55 && age_s < 3600);
}
