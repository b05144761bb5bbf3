/* Tests without sockets: makes a head and a body, and runs them through an exchange. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <svc/test.h>

#include "libsvc/app/app_settings.h"
#include "libsvc/app/app_test.h"
#include "libsvc/app/life.h"
#include "libsvc/app/loop_hooks.h"
#include "libsvc/app/stalls.h"
#include "libsvc/app/task.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/base/num.h"
#include "libsvc/base/sized.h"
#include "libsvc/base/standard.h"
#include "libsvc/base/wait.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/dispatch/driver.h"
#include "libsvc/dispatch/stand_in.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_trailers.h"
#include "libsvc/exchange/response_trailers.h"
#include "libsvc/run/reactor.h"

enum {
    MAX_REPLY = 1 << 30,
    MAX_MADE_FIELDS = 3,
    BODY_PIECE = 16384,
    END_MS = 5000 /* for other threads to give exchanges back when the app is freed */
};

struct svc_reply {
    struct arena memory;
    int status;
    int outcome;
    struct field *fields;
    size_t field_count;
    struct field *trailers;
    size_t trailer_count;
    struct buf body;
};

struct test_client {
    struct transport transport; /* first */
    bool news;                  /* of its exchange */
    uint64_t end_ms;            /* when the client leaves; svc__clock_ms */
    bool left;                  /* the client has left */
    size_t sent;                /* of the body */
    const svc_test *test;
    struct peer peer;
};

/* The home of an app's exchanges in tests. It lives as long as the app, since other threads may
 * hold an exchange beyond its reply. */
struct test_host {
    struct exchange_host host; /* first */
    struct log log;
    struct svc_loop loop;
    bool begun;            /* the loop has the states of svc_app_each_loop */
    pthread_mutex_t mutex; /* held until the loop has been woken for the mail in `news` */
    struct mailbox news;
    const char *_Atomic tester; /* `this_thread` of the testing thread; NULL: none */
    unsigned depth;             /* of tests within tests */
    struct test_client *client; /* of the innermost test */
};

static _Thread_local char this_thread; /* its address identifies the thread */

static void wake(struct exchange_host *host, struct exchange *x)
{
    struct test_host *test = (struct test_host *)(void *)host;
    pthread_mutex_lock(&test->mutex);
    svc__mailbox_post(&test->news, &x->away.mail);
    svc__reactor_wake(&test->loop);
    pthread_mutex_unlock(&test->mutex);
}

static struct mail *take(struct test_host *test)
{
    pthread_mutex_lock(&test->mutex);
    struct mail *news = svc__mailbox_take_all(&test->news);
    pthread_mutex_unlock(&test->mutex);
    return news;
}

static void take_client_news(struct transport *transport)
{
    ((struct test_client *)(void *)transport)->news = true;
}

/* Turns the loop until there is news of some exchange, at most until the deadline (of
 * svc__clock_ms), and passes the news on. False: there was none. */
static bool await_news(struct test_host *test, uint64_t deadline_ms)
{
    struct mail *news;
    while (!(news = take(test)) && svc__clock_ms() < deadline_ms) {
        svc__reactor_turn(&test->loop, deadline_ms);
        svc__reactor_take_wake(&test->loop);
    }
    bool any = news;
    while (news) {
        struct mail *mail = news;
        news = mail->next;
        svc__away_news(svc__exchange_of_mail(mail));
    }
    return any;
}

/* Whether the client's patience is over. */
static bool leaves(struct test_client *client)
{
    client->left = client->left || svc__clock_ms() >= client->end_ms;
    return client->left;
}

/* Whether there was news of the client's own exchange, by `due_ms` and before it leaves. */
static bool await_own_news(struct test_host *test, uint64_t due_ms)
{
    struct test_client *client = test->client;
    while (!client->news && !leaves(client) &&
           await_news(test, svc__least_u64(due_ms, client->end_ms)))
        continue;
    bool news = client->news;
    client->news = false;
    return news;
}

/* Waits while the exchange is away: until there is news, its time is over, or the client leaves. */
static enum exchange_step wait_for_others(struct test_host *test, struct exchange **x)
{
    for (;;) {
        uint64_t now_ns = svc__clock_ns();
        uint64_t due_ms = now_ns / 1000000 + svc__driver_due_ms(*x, now_ns);
        if (await_own_news(test, due_ms))
            return svc__driver_go_on(*x);
        if (test->client->left) {
            *x = svc__stand_in_reclaim(*x, SVC_CLIENT_GONE);
            return EXCHANGE_REPLY;
        }
        if (svc__driver_expired(x, svc__clock_ns()) != DRIVER_WAITS)
            return EXCHANGE_REPLY;
    }
}

/* Sends the next piece of the body, or its end. */
static enum exchange_step send_body(struct exchange *x, const svc_test *test,
                                    struct test_client *client)
{
    size_t left = test->body_len - client->sent, len = left < BODY_PIECE ? left : BODY_PIECE;
    if (!left)
        return svc__dispatch_body_end(x);
    enum exchange_step step = svc__dispatch_body(x, (const char *)test->body + client->sent, len);
    if (step != EXCHANGE_FULL)
        client->sent += len;
    return step;
}

static size_t count_pairs(const char *const *pairs)
{
    size_t count = 0;
    while (pairs && pairs[2 * count])
        count++;
    return count;
}

/* Reads pairs of strings as a server reads fields, into a list with room for them. 0 or SVC_ENOMEM.
 */
static int read_pairs(struct arena *memory, const char *const *pairs, struct field *out)
{
    for (size_t i = 0; i < count_pairs(pairs); i++) {
        const char *text = pairs[2 * i + 1];
        char *value = svc__arena_strndup(memory, text, strlen(text));
        if (!value)
            return SVC_ENOMEM;
        out[i] =
            (struct field){svc__bytes_z(pairs[2 * i]), svc__fields_normal(value, strlen(value))};
    }
    return 0;
}

/* Sends the trailers after a chunked body. 0, or the status to refuse the request with, as
 * svc__request_trailers_take. */
static int send_trailers(struct exchange *x, const svc_test *test, const char **reason)
{
    size_t count = count_pairs(test->trailers);
    if (!count || x->framing.kind != BODY_CHUNKED)
        return 0;
    struct arena memory;
    svc__arena_init(&memory, NULL, MAX_REPLY);
    struct field *fields = svc__arena_alloc(&memory, count * sizeof *fields);
    int status = 503;
    *reason = "out of memory";
    if (fields && !read_pairs(&memory, test->trailers, fields))
        status = svc__request_trailers_take(x, fields, count, reason);
    svc__arena_reset(&memory);
    return status;
}

/* Runs the request. Returns the exchange that replies, if the client has not left; NULL when out of
 * memory. */
static struct exchange *run(struct test_host *host, struct exchange *x, const svc_test *test)
{
    struct test_client *client = host->client;
    int status;
    const char *reason;
    enum exchange_step step = svc__dispatch_run(x);
    while (x && step != EXCHANGE_REPLY)
        switch (step) {
        case EXCHANGE_BODY:
            status = client->sent == test->body_len ? send_trailers(x, test, &reason) : 0;
            if (status)
                return svc__dispatch_refuse(x, status, reason, SVC_CUT);
            step = send_body(x, test, client);
            break;
        case EXCHANGE_OVER:
            return svc__dispatch_refuse(x, REFUSAL_BODY_OVER, SVC_CUT);
        default:
            step = wait_for_others(host, &x);
        }
    return x;
}

static bool has_header(const struct field *fields, size_t count, const char *name)
{
    return svc__fields_find(fields, count, svc__bytes_z(name)) != NULL;
}

/* The head's fields: the given ones, and those that any client adds. NULL when out of memory. */
static struct field *make_fields(struct arena *memory, const svc_test *test, size_t *count)
{
    size_t given = count_pairs(test->headers), n = given;
    struct field *fields = svc__arena_alloc(memory, (given + MAX_MADE_FIELDS) * sizeof *fields);
    char *length = svc__arena_zalloc(memory, NUM_U64_LEN + 1);
    if (!fields || !length || read_pairs(memory, test->headers, fields))
        return NULL;
    if (!has_header(fields, given, "Host"))
        fields[n++] = (struct field){svc__bytes_z("Host"), svc__bytes_z("test")};
    bool framed = has_header(fields, given, "Content-Length") ||
                  has_header(fields, given, "Transfer-Encoding");
    if (!framed && count_pairs(test->trailers)) {
        fields[n++] = (struct field){svc__bytes_z("Transfer-Encoding"), svc__bytes_z("chunked")};
    } else if (!framed && test->body_len) {
        size_t digits = svc__num_format_u64(length, test->body_len);
        fields[n++] = (struct field){svc__bytes_z("Content-Length"), {length, digits}};
    }
    *count = n;
    return fields;
}

static int copy_field(struct svc_reply *reply, struct field *to, struct bytes name,
                      struct bytes value)
{
    to->name = svc__arena_copy(&reply->memory, name);
    to->value = svc__arena_copy(&reply->memory, value);
    return to->name.data && to->value.data ? 0 : SVC_ENOMEM;
}

/* Copies the fields in the order of the wire, where Content-Length comes last. */
static int copy_fields(struct svc_reply *reply, const struct exchange *x)
{
    const svc_response *res = &x->response;
    reply->fields =
        svc__arena_alloc(&reply->memory, (res->field_count + 1) * sizeof *reply->fields);
    if (!reply->fields)
        return SVC_ENOMEM;
    for (; reply->field_count < res->field_count; reply->field_count++) {
        const struct field *field = &res->fields[reply->field_count];
        if (copy_field(reply, &reply->fields[reply->field_count], field->name, field->value))
            return SVC_ENOMEM;
    }
    uint64_t length = svc__exchange_reply_length(x);
    if (length == SVC_LENGTH_UNKNOWN || res->status == 204)
        return 0;
    char digits[NUM_U64_LEN];
    size_t len = svc__num_format_u64(digits, length);
    return copy_field(reply, &reply->fields[reply->field_count++], svc__bytes_z("Content-Length"),
                      (struct bytes){digits, len});
}

/* Copies the trailers after the body's end; the reply is cut where they cannot be had. */
static int copy_trailers(struct svc_reply *reply, struct exchange *x)
{
    const svc_response *trailers = svc__response_trailers_ask(x);
    if (!trailers) {
        reply->outcome = SVC_CUT;
        return 0;
    }
    reply->trailers =
        svc__arena_alloc(&reply->memory, trailers->field_count * sizeof *reply->trailers);
    if (!reply->trailers)
        return SVC_ENOMEM;
    for (; reply->trailer_count < trailers->field_count; reply->trailer_count++) {
        const struct field *field = &trailers->fields[reply->trailer_count];
        if (copy_field(reply, &reply->trailers[reply->trailer_count], field->name, field->value))
            return SVC_ENOMEM;
    }
    return 0;
}

/* Sends more of the body while the reply comes. Whether anything could be sent. */
static bool send_on(struct exchange *x, const svc_test *test, struct test_client *client)
{
    const char *reason;
    if (!svc__body_stream_reads_on(x) || svc__driver_body_expired(x, svc__clock_ns()))
        return false;
    if (client->sent == test->body_len && send_trailers(x, test, &reason)) {
        svc__body_stream_stop(x, SVC_ECANCELLED);
        return false;
    }
    enum exchange_step step = send_body(x, test, client);
    return step == EXCHANGE_BODY || step == EXCHANGE_REPLY;
}

/* As svc__dispatch_reply_read, but waits for bytes; SVC_EAGAIN when the client leaves. */
static int64_t read_source(struct test_host *test, struct exchange *x, char *space)
{
    int64_t n = SVC_EAGAIN;
    while (n == SVC_EAGAIN && !leaves(test->client)) {
        bool sent = send_on(x, test->client->test, test->client);
        n = svc__dispatch_reply_read(x, space, BODY_PIECE);
        if (n != SVC_EAGAIN || sent)
            continue;
        uint64_t now_ns = svc__clock_ns();
        uint64_t due_ms = now_ns / 1000000 + svc__driver_body_ms(x, now_ns);
        await_own_news(test, svc__least_u64(due_ms, test->client->end_ms));
    }
    return n;
}

static int copy_source(struct test_host *test, struct svc_reply *reply, struct exchange *x,
                       size_t most)
{
    while (reply->body.len <= most) {
        char *space = svc__buf_reserve(&reply->body, BODY_PIECE);
        if (!space)
            return SVC_ENOMEM;
        int64_t n = read_source(test, x, space);
        if (n < 0)
            reply->outcome = SVC_CUT;
        if (n == 0 && svc__exchange_reply_trails(x))
            return copy_trailers(reply, x);
        if (n <= 0)
            return 0;
        reply->body.len += (size_t)n;
    }
    return 0;
}

/* Copies up to `most` bytes of the body, and one more when the body is longer. */
static int copy_body(struct test_host *test, struct svc_reply *reply, struct exchange *x,
                     size_t most)
{
    svc_response *res = &x->response;
    struct response_body *body = &res->body;
    int error = 0;
    if (body->kind == REPLY_FILE) { /* without a socket to send it to, the file is read */
        svc_source source = SVC_SOURCE_INIT;
        error = svc_response_take_source(res, &source);
        if (!error)
            error = svc_response_source(res, res->status, NULL, &source);
    }
    if (!error && body->kind == REPLY_SOURCE)
        error = copy_source(test, reply, x, most);
    else if (!error)
        svc__buf_append(&reply->body, body->data, body->len <= most ? body->len : most + 1);
    return error;
}

static int copy_reply(struct test_host *test, struct svc_reply *reply, struct exchange *x,
                      size_t most)
{
    reply->status = x->response.status;
    int error = copy_fields(reply, x);
    if (!error && !svc__exchange_reply_bodiless(x))
        error = copy_body(test, reply, x, most);
    if (reply->body.len > most) {
        reply->body.len = most;
        test->client->left = true;
    }
    return error ? error : svc__buf_error(&reply->body);
}

static int exchange(svc_app *app, const svc_test *test, svc_reply *reply)
{
    size_t count = 0;
    struct field *fields = make_fields(&reply->memory, test, &count);
    struct bytes target = svc__bytes_z(test->target);
    struct test_host *host = app->test_host;
    struct test_client *client = host->client;
    svc__peer_parse(test->peer, &client->peer);
    struct exchange *x =
        fields ? svc__dispatch_new(app->plan, &host->host, &client->transport, target) : NULL;
    if (!x)
        return SVC_ENOMEM;
    struct head head = {svc__bytes_z(test->method), target, 1, fields, count, 0};
    head.bytes = svc__head_size(&head);
    svc__dispatch_head(x, &head);
    x = run(host, x, test);
    if (!x)
        return SVC_ENOMEM;
    int error = client->left ? 0 : copy_reply(host, reply, x, test->max_reply_bytes);
    if (client->left)
        reply->outcome = SVC_CLIENT_GONE;
    svc__buf_reserve(&reply->body, 1);
    svc__buf_terminate(&reply->body);
    svc__dispatch_done(x, (enum svc_outcome)reply->outcome, reply->body.len);
    svc__exchange_unref(x);
    return error;
}

/* Runs the exchange on the app's loop, which then runs posted functions. As each loop, it has a log
 * of its own, whose suppressed lines are all reported at the end. */
static int logged_exchange(svc_app *app, const svc_test *test, svc_reply *reply)
{
    struct log *log = &app->test_host->log;
    struct svc_loop *loop = app->test_host->host.loop;
    struct logger *logger = &svc__app_root(app)->logger;
    svc__log_init(log, logger);
    struct log *before = svc__log_adopt(log);
    struct svc_loop *loop_before = svc__reactor_enter(loop);
    struct test_client *client_before = app->test_host->client;
    struct test_client client = {.end_ms = svc__clock_ms() + test->timeout_ms, .test = test};
    client.transport = (struct transport){take_client_news, "http", &client.peer};
    app->test_host->client = &client;
    int error = exchange(app, test, reply);
    app->test_host->client = client_before;
    svc__reactor_run(loop, svc__clock_ns());
    svc__reactor_enter(loop_before);
    svc__log_free(log);
    svc__log_report_all(&logger->shared);
    svc__log_adopt(before);
    return error;
}

static struct test_host *host_new(svc_app *app)
{
    struct test_host *test = calloc(1, sizeof *test);
    if (!test)
        return NULL;
    test->host.log = &test->log;
    test->host.wake = wake;
    test->host.loop = &test->loop;
    svc__buf_init(&test->host.scratch, MAX_REPLY);
    pthread_mutex_init(&test->mutex, NULL);
    int occupied = svc__standard_occupy(), opened = svc__reactor_open(&test->loop);
    svc__stalls_watch(app, &test->loop.watchdog);
    if (!occupied && !opened)
        return test;
    svc__reactor_close(&test->loop);
    free(test);
    return NULL;
}

bool svc__app_test_end(svc_app *app)
{
    struct test_host *test = app->test_host;
    if (!test)
        return true;
    uint64_t deadline_ms = svc__clock_ms() + END_MS;
    struct svc_loop *loop_before = svc__reactor_enter(&test->loop);
    while (atomic_load(&test->host.away) && svc__clock_ms() < deadline_ms)
        await_news(test, deadline_ms);
    bool ended = !atomic_load(&test->host.away);
    if (ended) {
        svc__reactor_end(&test->loop);
        svc__loop_hooks_end(&test->loop);
    }
    svc__reactor_enter(loop_before);
    return ended;
}

struct svc_loop *svc__app_test_loop(const svc_app *app)
{
    return app->test_host ? &app->test_host->loop : NULL;
}

void svc__app_test_free(svc_app *app)
{
    struct test_host *test = app->test_host;
    if (!test)
        return;
    svc__reactor_close(&test->loop);
    svc__buf_free(&test->host.scratch);
    pthread_mutex_destroy(&test->mutex);
    free(test);
}

static bool test_valid(const svc_test *test)
{
    struct peer peer;
    return test->method && test->target && (test->body || !test->body_len) &&
           test->max_reply_bytes <= MAX_REPLY && test->peer && !svc__peer_parse(test->peer, &peer);
}

/* Makes the host of the app's exchanges in tests. A loop whose states cannot be made ends the app
 * that serves, as a failed start hook does. */
static int make_host(svc_app *app)
{
    if (!app->test_host)
        app->test_host = host_new(app);
    struct test_host *test = app->test_host;
    if (!test)
        return SVC_ENOMEM;
    if (test->begun)
        return 0;
    struct svc_loop *loop_before = svc__reactor_enter(&test->loop);
    int error = svc__loop_hooks_begin(app, &test->loop);
    svc__reactor_enter(loop_before);
    if (error)
        svc__app_unready(svc__app_root(app));
    test->begun = !error;
    return error;
}

/* Readies an app in APP_STARTING. */
static int ready(svc_app *app)
{
    svc__life_begin_start(app);
    int error = app->readied ? 0 : svc__app_settings_check(app);
    int ready_error = svc__app_ready(app); /* also when settings are bad: all errors at once */
    error = error ? error : ready_error;
    for (svc_app *each = app; each && !error; each = each->admin)
        error = make_host(each);
    return error ? error : svc__task_start(app, NULL, NULL); /* tasks may name the loop */
}

/* Takes the app into APP_TESTING. False: the app cannot be tested, or another thread tests it. A
 * handler under test may test its own app. */
static bool begin_test(svc_app *app)
{
    if (app->state == APP_TESTING && app->test_host->tester == &this_thread) {
        app->test_host->depth++;
        return true;
    }
    if (!svc__life_enter(app, APP_BUILDING, APP_STARTING) &&
        !svc__life_enter(app, APP_READY, APP_STARTING))
        return false;
    bool good = !ready(app);
    if (good) {
        app->test_host->tester = &this_thread;
        app->test_host->depth = 1;
    }
    svc__life_enter(app, APP_STARTING, good ? APP_TESTING : APP_READY);
    return good;
}

/* The outermost test of the thread leaves APP_TESTING. */
static void end_test(svc_app *app)
{
    if (--app->test_host->depth > 0)
        return;
    app->test_host->tester = NULL;
    svc__life_enter(app, APP_TESTING, APP_READY);
}

bool svc__app_test_ready(svc_app *app)
{
    svc_app *root = svc__app_root(app);
    if (!begin_test(root))
        return false;
    end_test(root);
    return true;
}

static svc_reply *run_test(svc_app *app, const svc_test *test)
{
    svc_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return NULL;
    svc__arena_init(&reply->memory, NULL, MAX_REPLY);
    svc__buf_init(&reply->body, test->max_reply_bytes + BODY_PIECE + 1);
    int error = logged_exchange(app, test, reply);
    if (error) {
        svc_reply_free(reply);
        return NULL;
    }
    return reply;
}

svc_reply *svc_app_test(svc_app *app, const svc_test *test)
{
    svc_test own = SVC_TEST_INIT;
    if (!app || SIZED_READ(&own, test, target) || !test_valid(&own))
        return NULL;
    svc_app *root = svc__app_root(app); /* whose hooks and tasks serve its admin app too */
    if ((app != root && app != root->admin) || !begin_test(root))
        return NULL;
    svc_reply *reply = run_test(app, &own);
    end_test(root);
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

static const char *find_value(const struct field *fields, size_t count, const char *name)
{
    const struct field *field = svc__fields_find(fields, count, svc__bytes_z(name));
    return field ? field->value.data : NULL;
}

static int read_field(const struct field *fields, size_t count, size_t index, const char **name,
                      const char **value)
{
    if (index >= count)
        return SVC_ENOTFOUND;
    *name = fields[index].name.data;
    *value = fields[index].value.data;
    return 0;
}

const char *svc_reply_header(const svc_reply *reply, const char *name)
{
    return reply ? find_value(reply->fields, reply->field_count, name) : NULL;
}

int svc_reply_header_at(const svc_reply *reply, size_t index, const char **name, const char **value)
{
    return reply ? read_field(reply->fields, reply->field_count, index, name, value)
                 : SVC_ENOTFOUND;
}

const char *svc_reply_trailer(const svc_reply *reply, const char *name)
{
    return reply ? find_value(reply->trailers, reply->trailer_count, name) : NULL;
}

int svc_reply_trailer_at(const svc_reply *reply, size_t index, const char **name,
                         const char **value)
{
    return reply ? read_field(reply->trailers, reply->trailer_count, index, name, value)
                 : SVC_ENOTFOUND;
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
