/* The server for the tests of the wire: a route for each kind of reply. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

/* ---- A kernel that counts no bytes */

/* Replaces libc's function: with WIRE_SHORT_TCP_INFO, TCP_INFO ends before the counts of bytes, as
 * in older kernels and in sandboxes, with zeros after its end. */
__attribute__((visibility("default"))) int getsockopt(int fd, int level, int name, void *value,
                                                      socklen_t *len)
{
    enum { SHORT_TCP_INFO = 104 };
    socklen_t space = *len;
    int error = (int)syscall(SYS_getsockopt, fd, level, name, value, len);
    if (level == IPPROTO_TCP && name == TCP_INFO && getenv("WIRE_SHORT_TCP_INFO") &&
        space > SHORT_TCP_INFO) {
        memset((char *)value + SHORT_TCP_INFO, 0, space - SHORT_TCP_INFO);
        *len = SHORT_TCP_INFO;
    }
    return error;
}

/* ---- Plain answers */

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello\n");
}

static int echo(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    return svc_response_copy(res, 200, "application/octet-stream", body, len);
}

/* The wildcard's value, so that a test sees how its bytes were decoded. */
static int rest(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_param(req, "rest"));
}

static int query(svc_request *req, svc_response *res)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", svc_request_query_count(req));
    return svc_response_text(res, 200, text);
}

/* The number of fields, and the length of all their values. */
static int fields(svc_request *req, svc_response *res)
{
    size_t count = svc_request_header_count(req), bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name, *value;
        if (!svc_request_header_at(req, i, &name, &value))
            bytes += strlen(value);
    }
    char text[64];
    snprintf(text, sizeof text, "%zu %zu", count, bytes);
    return svc_response_text(res, 200, text);
}

static int peer(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_peer(req));
}

/* ---- Answers without a body, or of a requested size */

static int no_content(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 204);
}

static int not_modified(svc_request *req, svc_response *res)
{
    const char *length = svc_request_query(req, "length");
    if (length)
        svc_response_set_length(res, strtoull(length, NULL, 10));
    return svc_response_empty(res, 304);
}

static size_t number(svc_request *req, const char *name)
{
    const char *text = svc_request_query(req, name);
    return text ? (size_t)strtoull(text, NULL, 10) : 0;
}

static int large(svc_request *req, svc_response *res)
{
    size_t len = number(req, "bytes");
    char *data = malloc(len + 1);
    if (!data)
        return SVC_ENOMEM;
    memset(data, 'x', len);
    return svc_response_take(res, 200, "text/plain", data, len, free);
}

static int add_wide(svc_response *res, size_t index, size_t bytes)
{
    char name[32], value[1000];
    snprintf(name, sizeof name, "X-Wide-%02zu", index % 100);
    size_t len = bytes - strlen(name) - strlen(": \r\n");
    memset(value, 'w', len);
    value[len] = '\0';
    return svc_response_set_header(res, name, value);
}

/* Fields of the requested number of bytes in all, less at most 19, and none longer than 1,000. */
static int wide(svc_request *req, svc_response *res)
{
    size_t index = 0;
    for (size_t left = number(req, "bytes"); left >= 20; index++) {
        size_t bytes = left < 1000 ? left : 1000;
        int error = add_wide(res, index, bytes);
        if (error)
            return error;
        left -= bytes;
    }
    return svc_response_text(res, 200, "wide\n");
}

static int64_t read_letters(void *state, char *data, size_t len)
{
    size_t *left = state;
    size_t n = len < *left ? len : *left;
    memset(data, 's', n);
    *left -= n;
    return (int64_t)n;
}

/* A source that yields the requested number of bytes, with or without a known length. */
static int stream(svc_request *req, svc_response *res)
{
    size_t *left = svc_request_alloc(req, sizeof *left);
    if (!left)
        return SVC_ENOMEM;
    *left = number(req, "bytes");
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_letters;
    source.state = left;
    if (svc_request_query(req, "known"))
        source.length = *left;
    return svc_response_source(res, 200, "text/plain", &source);
}

/* ---- Layers that refuse */

static int refuse(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req;
    int error = svc_response_problem(res, *(const int *)layer->arg, "refused by a layer");
    return error ? error : SVC_ANSWERED;
}

enum { LARGE_REFUSAL = 8000000 };

/* Answers the first piece of a body, with more bytes than a socket takes at once. */
static int refuse_at_length(svc_request *req, svc_response *res, const svc_layer *layer,
                            svc_piece *piece)
{
    (void)req, (void)layer, (void)piece;
    char *data = malloc(LARGE_REFUSAL);
    if (!data)
        return SVC_ENOMEM;
    memset(data, 'r', LARGE_REFUSAL);
    int error = svc_response_take(res, 413, "text/plain", data, LARGE_REFUSAL, free);
    return error ? error : SVC_ANSWERED;
}

/* ---- A layer that waits until GET /release, or for ever */

enum { MARK = 0x5a, MARK_BYTES = 256, MAX_WAITING = 64 };

struct waiting {
    bool asked; /* on_request has run */
    svc_request *req;
    unsigned char marks[MARK_BYTES];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct waiting *all[MAX_WAITING];
    size_t count;
    unsigned releases; /* requested and not yet carried out */
    unsigned resumed, late, cancelled, damaged;
    bool ends;
    pthread_t thread;
} waiters = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Makes the calls that are allowed on another thread, then resumes. With the lock held. */
static void release(struct waiting *waiting)
{
    for (size_t i = 0; i < MARK_BYTES; i++)
        waiters.damaged += waiting->marks[i] != MARK;
    waiters.cancelled += svc_request_cancelled(waiting->req);
    memset(waiting->marks, MARK, MARK_BYTES);
    waiters.resumed++;
    waiters.late += svc_request_resume(waiting->req) == SVC_ELATE;
}

static void *resume_waiters(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&waiters.lock);
    while (!waiters.ends || waiters.count) {
        if (waiters.releases || waiters.ends) {
            while (waiters.count)
                release(waiters.all[--waiters.count]);
            waiters.releases = 0;
            pthread_cond_broadcast(&waiters.changed);
        }
        if (!waiters.ends)
            pthread_cond_wait(&waiters.changed, &waiters.lock);
    }
    pthread_mutex_unlock(&waiters.lock);
    return NULL;
}

static int start_waiters(svc_app *app, void *arg)
{
    (void)app, (void)arg;
    return pthread_create(&waiters.thread, NULL, resume_waiters, NULL);
}

static void stop_waiters(svc_app *app, void *arg)
{
    (void)app, (void)arg;
    pthread_mutex_lock(&waiters.lock);
    waiters.ends = true;
    pthread_cond_broadcast(&waiters.changed);
    pthread_mutex_unlock(&waiters.lock);
    pthread_join(waiters.thread, NULL);
}

static int await_release(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res;
    struct waiting *waiting = layer->state;
    if (waiting->asked)
        return SVC_PASS;
    waiting->asked = true;
    waiting->req = req;
    memset(waiting->marks, MARK, MARK_BYTES);
    pthread_mutex_lock(&waiters.lock);
    bool room = waiters.count < MAX_WAITING;
    if (room)
        waiters.all[waiters.count++] = waiting;
    pthread_mutex_unlock(&waiters.lock);
    return room ? SVC_WAIT : SVC_ETOOBIG;
}

static int start_release(svc_request *req, svc_response *res)
{
    (void)req;
    pthread_mutex_lock(&waiters.lock);
    waiters.releases++;
    pthread_cond_broadcast(&waiters.changed);
    pthread_mutex_unlock(&waiters.lock);
    return svc_response_text(res, 200, "released\n");
}

static int count_waiters(svc_request *req, svc_response *res)
{
    (void)req;
    char text[160];
    pthread_mutex_lock(&waiters.lock);
    snprintf(text, sizeof text, "waiting=%zu resumed=%u late=%u cancelled=%u damaged=%u",
             waiters.count, waiters.resumed, waiters.late, waiters.cancelled, waiters.damaged);
    /* Whether the client of a waiting request has left. */
    bool left = waiters.count && svc_request_cancelled(waiters.all[0]->req);
    pthread_mutex_unlock(&waiters.lock);
    strcat(text, left ? " left=1" : " left=0");
    return svc_response_text(res, 200, text);
}

/* ---- The table */

static const int unauthorized = 401, too_many = 429, busy = 503;

#define REFUSING(status)                                                                           \
    {                                                                                              \
        .size = sizeof(svc_middleware), .name = #status, .arg = (void *)(uintptr_t) & (status),    \
        .on_request = refuse                                                                       \
    }

static const svc_middleware refuse_unauthorized = REFUSING(unauthorized);
static const svc_middleware refuse_too_many = REFUSING(too_many);
static const svc_middleware refuse_busy = REFUSING(busy);

static const svc_middleware refuse_body = {
    .size = sizeof refuse_body,
    .name = "refuse_body",
    .flags = SVC_BODY_PIECES,
    .on_body = refuse_at_length,
};

static const svc_middleware waits = {
    .size = sizeof waits,
    .name = "waits",
    .state_size = sizeof(struct waiting),
    .start = start_waiters,
    .stop = stop_waiters,
    .on_request = await_release,
};

struct row {
    const char *pattern;
    svc_handler *handler;
    const svc_middleware *layer;
    size_t max_body;
    unsigned flags, timeout_ms;
};

static const struct row rows[] = {
    {"GET /{$}", hello, NULL, 0, 0, 0},
    {"GET /hello", hello, NULL, 0, 0, 0},
    {"PUT /item", echo, NULL, 0, 0, 0},
    {"POST /echo", echo, NULL, 0, 0, 0},
    {"POST /small", echo, NULL, 1024, 0, 0},
    {"POST /tiny", echo, NULL, 4, 0, 0},
    {"POST /hurry", echo, NULL, 0, 0, 500},
    {"GET /path/{rest...}", rest, NULL, 0, 0, 0},
    {"GET /bytes/{rest...}", rest, NULL, 0, SVC_ANY_BYTES, 0},
    {"GET /query", query, NULL, 0, 0, 0},
    {"GET /fields", fields, NULL, 0, 0, 0},
    {"GET /peer", peer, NULL, 0, 0, 0},
    {"GET /204", no_content, NULL, 0, 0, 0},
    {"GET /304", not_modified, NULL, 0, 0, 0},
    {"GET /large", large, NULL, 0, 0, 0},
    {"GET /wide", wide, NULL, 0, 0, 0},
    {"GET /stream", stream, NULL, 0, 0, 0},
    {"GET /401", hello, &refuse_unauthorized, 0, 0, 0},
    {"POST /401", echo, &refuse_unauthorized, 0, 0, 0},
    {"GET /429", hello, &refuse_too_many, 0, 0, 0},
    {"POST /429", echo, &refuse_too_many, 0, 0, 0},
    {"GET /503", hello, &refuse_busy, 0, 0, 0},
    {"POST /503", echo, &refuse_busy, 0, 0, 0},
    {"POST /refused-at-length", echo, &refuse_body, (size_t)1 << 30, 0, 0},
    {"GET /wait", hello, &waits, 0, 0, 0},
    {"POST /wait", echo, &waits, 0, 0, 0},
    {"GET /release", start_release, NULL, 0, 0, 0},
    {"GET /waiters", count_waiters, NULL, 0, 0, 0},
};

int main(void)
{
    svc_app *app = svc_app_new("wire");
    for (size_t i = 0; app && i < sizeof rows / sizeof *rows; i++) {
        const svc_middleware *layers[] = {rows[i].layer, NULL};
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = rows[i].pattern;
        route.handler = rows[i].handler;
        route.max_body = rows[i].max_body;
        route.flags = rows[i].flags;
        route.timeout_ms = rows[i].timeout_ms;
        route.middleware = rows[i].layer ? layers : NULL;
        svc_app_route(app, &route);
    }
    svc_group *undo = svc_app_group(app, "/undo");
    svc_group_use(undo, svc_decompress_new(app, NULL));
    svc_group_post(undo, "/echo", echo, NULL);
    return svc_app_run(app);
}
