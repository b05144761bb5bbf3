/* Tests without sockets: makes up a head and a body, and runs them through the exchange. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <svc/test.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/num.h"
#include "libsvc/core/config.h"
#include "libsvc/core/exchange.h"
#include "libsvc/core/reactor.h"

enum { MAX_REPLY = 1 << 30, MAX_MADE_FIELDS = 3, BODY_PIECE = 16384 };

struct svc_reply {
    struct arena memory;
    int status;
    int outcome;
    struct field *fields;
    size_t field_count;
    struct buf body;
};

/* The host of one exchange, and how it learns that a layer has resumed. The lock is held until the
 * loop has been woken, since both may be gone when the resume is known. */
struct test_host {
    struct exchange_host host;
    pthread_mutex_t mutex;
    bool resumed;
};

static void wake(struct exchange_host *host, struct exchange *x)
{
    (void)x;
    struct test_host *test = (struct test_host *)(void *)host;
    pthread_mutex_lock(&test->mutex);
    test->resumed = true;
    svc__reactor_wake(host->loop);
    pthread_mutex_unlock(&test->mutex);
}

static bool take_resumed(struct test_host *test)
{
    pthread_mutex_lock(&test->mutex);
    bool resumed = test->resumed;
    test->resumed = false;
    pthread_mutex_unlock(&test->mutex);
    return resumed;
}

/* Turns the loop until a resume, at most until the deadline (of svc__clock_ms). */
static bool wait_until(struct test_host *test, uint64_t deadline_ms)
{
    bool resumed = take_resumed(test);
    while (!resumed && svc__clock_ms() < deadline_ms) {
        svc__reactor_turn(test->host.loop, deadline_ms);
        svc__reactor_take_wake(test->host.loop);
        resumed = take_resumed(test);
    }
    return resumed;
}

/* A layer waits: until it resumes, or its request's deadline answers 504 as a server would. Either
 * way the layer's hold must be dropped before the host may go. */
static enum exchange_step wait_for_layer(struct test_host *test, struct exchange *x)
{
    if (!wait_until(test, x->request.deadline_ms)) {
        svc__exchange_refuse(x, 504, "the request took too long");
        while (!wait_until(test, svc__clock_ms() + 1000))
            continue;
    }
    return svc__exchange_resumed(x) ? svc__exchange_run(x) : EXCHANGE_REPLY;
}

static enum exchange_step send_body(struct exchange *x, const svc_test *test)
{
    enum exchange_step step = EXCHANGE_BODY;
    const char *data = test->body;
    for (size_t at = 0; at < test->body_len && step == EXCHANGE_BODY; at += BODY_PIECE) {
        size_t left = test->body_len - at;
        step = svc__exchange_body(x, data + at, left < BODY_PIECE ? left : BODY_PIECE);
    }
    return step == EXCHANGE_BODY ? svc__exchange_body_end(x) : step;
}

static void run(struct test_host *host, struct exchange *x, const svc_test *test)
{
    enum exchange_step step = svc__exchange_run(x);
    while (step != EXCHANGE_REPLY)
        step = step == EXCHANGE_WAIT ? wait_for_layer(host, x) : send_body(x, test);
}

static size_t count_headers(const svc_test *test)
{
    size_t count = 0;
    while (test->headers && test->headers[2 * count])
        count++;
    return count;
}

static bool has_header(const struct field *fields, size_t count, const char *name)
{
    return svc__fields_find(fields, count, svc__bytes_z(name)) != NULL;
}

/* The head's fields: those given, and those that any client would add. NULL when out of memory. */
static struct field *make_fields(struct arena *memory, const svc_test *test, size_t *count)
{
    size_t given = count_headers(test), n = 0;
    struct field *fields = svc__arena_alloc(memory, (given + MAX_MADE_FIELDS) * sizeof *fields);
    char *length = svc__arena_zalloc(memory, NUM_U64_LEN + 1);
    if (!fields || !length)
        return NULL;
    for (; n < given; n++)
        fields[n] = (struct field){svc__bytes_z(test->headers[2 * n]),
                                   svc__bytes_z(test->headers[2 * n + 1])};
    if (!has_header(fields, given, "Host"))
        fields[n++] = (struct field){svc__bytes_z("Host"), svc__bytes_z("test")};
    if (test->body_len && !has_header(fields, given, "Content-Length") &&
        !has_header(fields, given, "Transfer-Encoding")) {
        size_t digits = svc__num_format_u64(length, test->body_len);
        fields[n++] = (struct field){svc__bytes_z("Content-Length"), {length, digits}};
    }
    *count = n;
    return fields;
}

static int copy_field(struct svc_reply *reply, struct bytes name, struct bytes value)
{
    struct field *field = &reply->fields[reply->field_count];
    field->name = svc__arena_copy(&reply->memory, name);
    field->value = svc__arena_copy(&reply->memory, value);
    if (!field->name.data || !field->value.data)
        return SVC_ENOMEM;
    reply->field_count++;
    return 0;
}

/* The fields in the order of the wire, where Content-Length comes last. */
static int copy_fields(struct svc_reply *reply, const struct exchange *x)
{
    const svc_response *res = &x->response;
    reply->fields =
        svc__arena_alloc(&reply->memory, (res->field_count + 1) * sizeof *reply->fields);
    if (!reply->fields)
        return SVC_ENOMEM;
    for (size_t i = 0; i < res->field_count; i++)
        if (copy_field(reply, res->fields[i].name, res->fields[i].value))
            return SVC_ENOMEM;
    uint64_t length = svc__exchange_reply_length(x);
    if (length == SVC_LENGTH_UNKNOWN || res->status == 204)
        return 0;
    char digits[NUM_U64_LEN];
    size_t len = svc__num_format_u64(digits, length);
    return copy_field(reply, svc__bytes_z("Content-Length"), (struct bytes){digits, len});
}

static int copy_source(struct svc_reply *reply, struct exchange *x)
{
    for (;;) {
        char *space = svc__buf_reserve(&reply->body, BODY_PIECE);
        if (!space)
            return SVC_ENOMEM;
        int64_t n = svc__exchange_reply_read(x, space, BODY_PIECE);
        if (n < 0)
            reply->outcome = SVC_CUT;
        if (n <= 0)
            return 0;
        reply->body.len += (size_t)n;
    }
}

/* Where there is no socket to send a file to, it is read. */
static int open_file(svc_response *res)
{
    svc_source source;
    int error = svc_response_take_source(res, &source);
    return error ? error : svc_response_source(res, res->status, NULL, &source);
}

static int copy_reply(struct svc_reply *reply, struct exchange *x)
{
    reply->status = x->response.status;
    int error = copy_fields(reply, x);
    if (!error && !svc__exchange_reply_bodiless(x)) {
        if (x->response.body.kind == RESPONSE_FILE)
            error = open_file(&x->response);
        if (!error && x->response.body.kind == RESPONSE_SOURCE)
            error = copy_source(reply, x);
        else
            svc__buf_append(&reply->body, x->response.body.data, x->response.body.len);
    }
    svc__buf_reserve(&reply->body, 1);
    svc__buf_terminate(&reply->body);
    return error ? error : svc__buf_error(&reply->body);
}

static int exchange(svc_app *app, const svc_test *test, struct test_host *host,
                    struct svc_reply *reply)
{
    size_t count = 0;
    struct field *fields = make_fields(&reply->memory, test, &count);
    struct bytes target = svc__bytes_z(test->target);
    struct exchange *x = fields ? svc__exchange_new(app, &host->host, target) : NULL;
    if (!x)
        return SVC_ENOMEM;
    strcpy(x->request.peer.text, "test");
    struct head head = {svc__bytes_z(test->method), target, 1, fields, count, 0};
    head.bytes = svc__head_size(&head);
    svc__exchange_head(x, &head);
    run(host, x, test);
    int error = copy_reply(reply, x);
    svc__exchange_done(x, (enum svc_outcome)reply->outcome, reply->body.len);
    svc__exchange_unref(x);
    return error;
}

/* On the app's loop, which then runs what was posted; with a log of its own, as a loop has one:
 * nothing that it holds back is left untold. */
static int logged_exchange(svc_app *app, const svc_test *test, struct test_host *host,
                           struct svc_reply *reply)
{
    svc__log_init(&host->host.log, &app->logger);
    struct log *before = svc__log_adopt(&host->host.log);
    struct svc_loop *loop_before = svc__reactor_enter(app->test_loop);
    int error = exchange(app, test, host, reply);
    svc__reactor_run(app->test_loop, svc__clock_ns());
    svc__reactor_enter(loop_before);
    svc__log_free(&host->host.log);
    svc__log_tell_all(&app->logger.shared);
    svc__log_adopt(before);
    return error;
}

static bool test_valid(const svc_test *test)
{
    return test->size >= sizeof *test && test->method && test->target &&
           (test->body || !test->body_len);
}

static int make_loop(svc_app *app)
{
    struct svc_loop *loop = malloc(sizeof *loop);
    if (!loop)
        return SVC_ENOMEM;
    int error = svc__reactor_open(loop, app);
    if (!error) {
        app->test_loop = loop;
        return 0;
    }
    svc__reactor_close(loop);
    free(loop);
    return error;
}

static int ready(svc_app *app)
{
    int error = app->state == APP_BUILDING ? svc__config_check(app) : 0;
    int ready_error = svc__app_ready(app); /* also when settings are bad: all errors at once */
    error = error ? error : ready_error;
    if (!error && !app->test_loop)
        error = make_loop(app);
    if (!error && !app->test_cells)
        app->test_cells = svc__metric_cells_new(app->metrics);
    return error ? error : (app->test_cells ? 0 : SVC_ENOMEM);
}

svc_reply *svc_app_test(svc_app *app, const svc_test *test)
{
    if (!test_valid(test) || ready(app))
        return NULL;
    struct test_host host = {
        .host = {.cells = app->test_cells, .scheme = "http", .wake = wake, .loop = app->test_loop},
        .mutex = PTHREAD_MUTEX_INITIALIZER};
    svc__buf_init(&host.host.scratch, MAX_REPLY);
    svc_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return NULL;
    svc__arena_init(&reply->memory, NULL, MAX_REPLY);
    svc__buf_init(&reply->body, MAX_REPLY);
    int error = logged_exchange(app, test, &host, reply);
    svc__buf_free(&host.host.scratch);
    if (error) {
        svc_reply_free(reply);
        return NULL;
    }
    return reply;
}

svc_reply *svc_app_test_get(svc_app *app, const char *target)
{
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    return svc_app_test(app, &test);
}

svc_reply *svc_app_test_json(svc_app *app, const char *method, const char *target, const char *json)
{
    static const char *const headers[] = {"Content-Type", "application/json", NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = json;
    test.body_len = json ? strlen(json) : 0;
    return svc_app_test(app, &test);
}

void svc_reply_free(svc_reply *reply)
{
    if (!reply)
        return;
    svc__arena_reset(&reply->memory);
    svc__buf_free(&reply->body);
    free(reply);
}

int svc_reply_status(const svc_reply *reply)
{
    return reply ? reply->status : 0;
}

const char *svc_reply_header(const svc_reply *reply, const char *name)
{
    if (!reply)
        return NULL;
    const struct field *field =
        svc__fields_find(reply->fields, reply->field_count, svc__bytes_z(name));
    return field ? field->value.data : NULL;
}

int svc_reply_header_at(const svc_reply *reply, size_t index, const char **name, const char **value)
{
    if (!reply || index >= reply->field_count)
        return SVC_ENOTFOUND;
    *name = reply->fields[index].name.data;
    *value = reply->fields[index].value.data;
    return 0;
}

const char *svc_reply_body(const svc_reply *reply, size_t *len)
{
    if (len)
        *len = reply ? reply->body.len : 0;
    return reply && reply->body.data ? reply->body.data : "";
}

int svc_reply_outcome(const svc_reply *reply)
{
    return reply ? reply->outcome : SVC_CUT;
}
