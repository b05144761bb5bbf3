/* What an app exports, to receivers that are well, slow, dead, or tell lies. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include <svc.h>
#include <svc/otlp.h>

#include "tests/otlp/environment.h"
#include "tests/support/receiver.h"

enum { AWAIT_MS = 60000 };

/* ---- A log that is looked at */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char logged[65536];

static bool keep_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    size_t len = strlen(logged);
    snprintf(logged + len, sizeof logged - len, "%s trace %s span %s;", record->message,
             record->trace_id, record->span_id);
    for (const svc_kv *item = record->items; item && item->key; item++)
        if (item->kind == SVC_KV_STR && item->value.text) {
            len = strlen(logged);
            snprintf(logged + len, sizeof logged - len, " %s=%s", item->key, item->value.text);
        }
    pthread_mutex_unlock(&lock);
    return true;
}

/* Waits until it has: a line may come behind the counts. */
static bool has_logged(const char *text)
{
    bool found = false;
    for (unsigned ms = 0; !found && ms < AWAIT_MS; ms++) {
        if (ms > 0)
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        pthread_mutex_lock(&lock);
        found = strstr(logged, text) != NULL;
        pthread_mutex_unlock(&lock);
    }
    return found;
}

/* ---- An app that exports */

static struct receiver *receiver;
static svc_app *app;

static int answer(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "call");
    svc_span_set(span, svc_kv_str("who", "me"));
    svc_span_end(span);
    svc_log_info(req, "answered");
    return svc_request_query(req, "fail") ? SVC_ESYSTEM : svc_response_text(res, 200, "ok");
}

static void make_app(const char *endpoint, const svc_otlp *options)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    app = svc_app_new("shop");
    svc_app_configure(app, &config);
    svc_app_set_log_sink(app, keep_line, NULL);
    if (endpoint)
        setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
    setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2", 0); /* the spans of one request */
    cr_assert_eq(svc_otlp_add(app, options), 0);
    svc_app_get(app, "/", answer, NULL);
}

static void start(const char *const *answers, const svc_otlp *options)
{
    receiver = receiver_start(answers);
    cr_assert(receiver);
    make_app(receiver_url(receiver), options);
}

static int ask(const char *target)
{
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    cr_assert(status, "%s", svc_app_errors(app));
    svc_reply_free(reply);
    return status;
}

static svc_otlp_counts read_counts(void)
{
    svc_otlp_counts counts = SVC_OTLP_COUNTS_INIT;
    cr_assert_eq(svc_otlp_read_counts(app, &counts), 0);
    return counts;
}

/* Waits until no span is under way. */
static svc_otlp_counts await_counts(void)
{
    svc_otlp_counts counts;
    for (unsigned ms = 0; (counts = read_counts()).queued > 0 && ms < AWAIT_MS; ms++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    cr_assert_eq(counts.queued, 0);
    return counts;
}

static void expect_metric(const char *result, uint64_t count)
{
    char series[64];
    snprintf(series, sizeof series, "otlp_spans_total{result=\"%s\"}", result);
    cr_expect_eq((uint64_t)svc_test_metric(app, series), count, "%s", series);
}

static void expect_counts(uint64_t sent, uint64_t rejected, uint64_t failed, uint64_t dropped)
{
    svc_otlp_counts counts = await_counts();
    cr_expect(counts.sent == sent && counts.rejected == rejected && counts.failed == failed &&
                  counts.dropped == dropped,
              "sent %ju, rejected %ju, failed %ju, dropped %ju", (uintmax_t)counts.sent,
              (uintmax_t)counts.rejected, (uintmax_t)counts.failed, (uintmax_t)counts.dropped);
    expect_metric("sent", sent);
    expect_metric("rejected", rejected);
    expect_metric("failed", failed);
    expect_metric("dropped", dropped);
}

static void end(void)
{
    svc_app_free(app);
    receiver_stop(receiver);
}

static const char *const well[] = {RECEIVER_OK, NULL};

/* The spans of all requests, in one array. The caller's. */
static json_t *read_spans(void)
{
    json_t *all = json_array();
    for (size_t i = 0; i < receiver_count(receiver); i++) {
        size_t len;
        const char *body = receiver_body(receiver, i, &len);
        json_t *document = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL), *spans = NULL;
        cr_assert_eq(json_unpack(document, "{s:[{s:[{s:o}]}]}", "resourceSpans", "scopeSpans",
                                 "spans", &spans),
                     0, "%s", body);
        json_array_extend(all, spans);
        json_decref(document);
    }
    return all;
}

static const char *text_of(const json_t *span, const char *key)
{
    const char *text = json_string_value(json_object_get(span, key));
    return text ? text : "";
}

/* ---- Receivers that are well */

/* After the delay, since they do not fill a batch. */
Test(export, spans_of_a_request_arrive)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_HEADERS",
                                            "x-tenant=7",
                                            "OTEL_BSP_SCHEDULE_DELAY",
                                            "100",
                                            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                                            "512",
                                            NULL};
    char line[160];
    set_environment(variables);
    start(well, NULL);
    cr_expect_eq(ask("/"), 200);
    expect_counts(2, 0, 0, 0);
    const char *head = receiver_head(receiver, 0);
    cr_expect(!strncmp(head, "POST /v1/traces HTTP/1.1\r\n", 26), "%s", head);
    cr_expect(strcasestr(head, "\r\nContent-Type: application/json\r\n"), "%s", head);
    cr_expect(strcasestr(head, "\r\nx-tenant: 7\r\n"), "%s", head);
    cr_expect(strcasestr(head, "\r\nUser-Agent: libsvc-otlp-c/"), "%s", head);
    json_t *spans = read_spans();
    cr_assert_eq(json_array_size(spans), 2);
    const json_t *call = json_array_get(spans, 0), *request = json_array_get(spans, 1);
    cr_expect_str_eq(text_of(request, "name"), "GET /");
    cr_expect_str_eq(text_of(call, "name"), "call");
    cr_expect_str_eq(text_of(call, "traceId"), text_of(request, "traceId"));
    cr_expect_str_eq(text_of(call, "parentSpanId"), text_of(request, "spanId"));
    snprintf(line, sizeof line, "answered trace %s span %s;", text_of(request, "traceId"),
             text_of(request, "spanId"));
    cr_expect(has_logged(line), "a line of the request has the ids that are exported");
    json_decref(spans);
    end();
}

Test(export, a_full_batch_does_not_wait_for_the_delay)
{
    static const char *const variables[] = {"OTEL_BSP_SCHEDULE_DELAY", "600000",
                                            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10", NULL};
    set_environment(variables);
    start(well, NULL);
    for (int i = 0; i < 5; i++)
        ask("/");
    expect_counts(10, 0, 0, 0);
    cr_expect_eq(receiver_count(receiver), 1);
    end();
}

Test(export, what_is_left_is_sent_at_the_end)
{
    static const char *const variables[] = {"OTEL_BSP_SCHEDULE_DELAY", "600000",
                                            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "3", NULL};
    set_environment(variables);
    start(well, NULL);
    for (int i = 0; i < 5; i++)
        ask("/");
    svc_app_free(app);
    json_t *spans = read_spans();
    cr_expect_eq(json_array_size(spans), 10);
    /* No batch but the last is shorter than it may be. */
    cr_expect_eq(receiver_count(receiver), 4);
    json_decref(spans);
    receiver_stop(receiver);
}

Test(export, a_body_may_be_compressed)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", NULL};
    static char plain[65536];
    set_environment(variables);
    start(well, NULL);
    ask("/");
    expect_counts(2, 0, 0, 0);
    cr_expect(strcasestr(receiver_head(receiver, 0), "\r\nContent-Encoding: gzip\r\n"));
    size_t len;
    const char *body = receiver_body(receiver, 0, &len);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)body,
                       .avail_in = (uInt)len,
                       .next_out = (Bytef *)plain,
                       .avail_out = sizeof plain};
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    json_t *document = json_loadb(plain, stream.total_out, 0, NULL);
    cr_expect(json_object_get(document, "resourceSpans"));
    json_decref(document);
    inflateEnd(&stream);
    end();
}

Test(export, nothing_is_recorded_where_that_is_disabled)
{
    static const char *const variables[] = {"OTEL_SDK_DISABLED", "true", NULL};
    svc_otlp_counts counts = SVC_OTLP_COUNTS_INIT;
    set_environment(variables);
    start(well, NULL);
    ask("/");
    cr_expect_eq(svc_otlp_read_counts(app, &counts), SVC_ENOTFOUND);
    svc_app_free(app);
    cr_expect_eq(receiver_count(receiver), 0);
    receiver_stop(receiver);
}

Test(export, requests_that_fail_are_exported_though_not_sampled)
{
    static const char *const variables[] = {"OTEL_TRACES_SAMPLER", "always_off", NULL};
    svc_otlp options = SVC_OTLP_INIT;
    options.keep_failed = 1;
    set_environment(variables);
    start(well, &options);
    ask("/");
    ask("/?fail=1");
    expect_counts(2, 0, 0, 0);
    end();
}

Test(export, a_bad_variable_is_logged)
{
    static const char *const variables[] = {"OTEL_TRACES_SAMPLER", "sometimes", NULL};
    set_environment(variables);
    start(well, NULL);
    ask("/");
    cr_expect(has_logged("bad value of an environment variable"));
    cr_expect(has_logged("OTEL_TRACES_SAMPLER"));
    end();
}

/* ---- Those that are not */

Test(export, what_is_to_be_sent_again_is_sent_again)
{
    static const char *const answers[] = {
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", RECEIVER_RESET,
        RECEIVER_OK, NULL};
    start(answers, NULL);
    ask("/");
    expect_counts(2, 0, 0, 0);
    cr_assert_eq(receiver_count(receiver), 3);
    size_t first_len, last_len;
    const char *first = receiver_body(receiver, 0, &first_len);
    const char *last = receiver_body(receiver, 2, &last_len);
    cr_expect(first_len == last_len && !memcmp(first, last, first_len));
    cr_expect_geq(receiver_time_ms(receiver, 1), receiver_time_ms(receiver, 0) + 400);
    cr_expect(has_logged("spans cannot be exported") && has_logged("spans are exported again"));
    end();
}

Test(export, a_receiver_says_when_to_come_back)
{
    static const char *const answers[] = {
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
        RECEIVER_OK, NULL};
    start(answers, NULL);
    ask("/");
    expect_counts(2, 0, 0, 0);
    cr_expect_geq(receiver_time_ms(receiver, 1), receiver_time_ms(receiver, 0) + 2900);
    end();
}

Test(export, what_is_refused_is_not_sent_again)
{
    static const char *const answers[] = {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                                          RECEIVER_OK, NULL};
    start(answers, NULL);
    ask("/");
    expect_counts(0, 2, 0, 0);
    ask("/");
    expect_counts(2, 2, 0, 0);
    cr_expect_eq(receiver_count(receiver), 2);
    end();
}

Test(export, a_part_that_is_rejected_is_counted)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n"
        "{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":\"too old, really\"}}",
        NULL};
    start(answers, NULL);
    ask("/");
    expect_counts(1, 1, 0, 0);
    cr_expect_eq(receiver_count(receiver), 1);
    cr_expect(has_logged("too old, really"));
    end();
}

/* Whatever comes behind a 200, the batch was taken. */
Test(export, answers_that_make_no_sense_do_no_harm)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\xff\xfe{[\"\\u00",
        RECEIVER_ENDLESS,
        RECEIVER_ENDLESS_HEAD,
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{",
        RECEIVER_OK,
        NULL,
    };
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_TIMEOUT", "2000", NULL};
    set_environment(variables);
    start(answers, NULL);
    for (int i = 1; i <= 5; i++) {
        ask("/");
        expect_counts((uint64_t)i * 2, 0, 0, 0);
    }
    end();
}

Test(export, garbage_is_no_answer)
{
    static const char *const answers[] = {"SSH-2.0-OpenSSH_9.2\r\n", RECEIVER_OK, NULL};
    start(answers, NULL);
    ask("/");
    expect_counts(2, 0, 0, 0);
    cr_expect_eq(receiver_count(receiver), 2);
    end();
}

Test(export, a_batch_that_nobody_takes_in_time_is_given_up)
{
    static const char *const variables[] = {"OTEL_BSP_EXPORT_TIMEOUT", "300", NULL};
    set_environment(variables);
    make_app("http://127.0.0.1:1", NULL); /* where nobody listens */
    ask("/");
    expect_counts(0, 0, 2, 0);
    cr_expect(has_logged("spans cannot be exported"));
    end();
}

Test(export, a_silent_receiver_delays_neither_requests_nor_the_end_for_long)
{
    static const char *const silent[] = {RECEIVER_SILENT, NULL};
    static const char *const variables[] = {"OTEL_BSP_MAX_QUEUE_SIZE",
                                            "8",
                                            "OTEL_EXPORTER_OTLP_TIMEOUT",
                                            "600000",
                                            "OTEL_BSP_EXPORT_TIMEOUT",
                                            "600000",
                                            NULL};
    svc_otlp options = SVC_OTLP_INIT;
    options.flush_ms = 100;
    set_environment(variables);
    start(silent, &options);
    ask("/");
    cr_assert(receiver_await(receiver, 1));
    for (int i = 0; i < 10; i++)
        cr_expect_eq(ask("/"), 200);
    svc_otlp_counts counts = read_counts();
    cr_expect_eq(counts.queued, 8);
    cr_expect_eq(counts.dropped, 22 - 8);
    cr_expect_eq(svc_test_metric(app, "otlp_spans_queued"), 8);
    cr_expect_eq(svc_test_metric(app, "otlp_spans_queue_max"), 8);
    svc_app_free(app); /* the time limits above are ten minutes */
    cr_expect(has_logged("spans were dropped"));
    receiver_stop(receiver);
}

/* ---- Name servers that do not answer */

static sem_t asked, answers_come;

/* libcurl calls this in place of the system's. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **found)
{
    if (!name || strcmp(name, "silent.example") != 0)
        return ((__typeof__(getaddrinfo) *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo"))(
            name, service, hints, found);
    sem_post(&asked);
    while (sem_wait(&answers_come))
        continue;
    sem_post(&answers_come);
    return EAI_AGAIN;
}

Test(export, a_silent_name_server_does_not_delay_the_end)
{
    svc_otlp options = SVC_OTLP_INIT;
    options.flush_ms = 100;
    sem_init(&asked, 0, 0);
    sem_init(&answers_come, 0, 0);
    make_app("http://silent.example", &options);
    ask("/");
    while (sem_wait(&asked))
        continue;
    svc_app_free(app); /* the name server answers after it */
    cr_expect(has_logged("spans cannot be exported"));
    sem_post(&answers_come);
}

/* ---- Set-up */

Test(export, mistakes_are_reported)
{
    svc_otlp options = SVC_OTLP_INIT;
    app = svc_app_new("shop");
    cr_expect_eq(svc_otlp_add(NULL, NULL), SVC_ENOMEM);
    options.flush_ms = 600001;
    cr_expect_eq(svc_otlp_add(app, &options), SVC_EINVAL);
    cr_expect(strstr(svc_app_errors(app), "svc_otlp_add"));
    options.size = 3;
    cr_expect_eq(svc_otlp_add(app, &options), SVC_EINVAL);
    cr_expect_eq(svc_otlp_add(app, NULL), 0);
    cr_expect_eq(svc_otlp_add(app, NULL), SVC_ESTATE);
    svc_otlp_counts counts = {.size = 0};
    cr_expect_eq(svc_otlp_read_counts(app, &counts), SVC_EINVAL);
    cr_expect_eq(svc_otlp_read_counts(NULL, &counts), SVC_ENOMEM);
    svc_app_free(app);
}

static bool threads_fail;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg)
{
    return threads_fail ? EAGAIN : __real_pthread_create(thread, attributes, run, arg);
}

Test(export, without_a_thread_the_start_fails)
{
    receiver = receiver_start(well);
    make_app(receiver_url(receiver), NULL);
    svc_test test = SVC_TEST_INIT;
    threads_fail = true;
    cr_expect_null(svc_app_test(app, &test));
    threads_fail = false;
    cr_expect(strstr(svc_app_errors(app), "hook"));
    end();
}
