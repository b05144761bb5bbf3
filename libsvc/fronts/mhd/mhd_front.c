/* HTTP/1 by libmicrohttpd, as the server knows it: a daemon for each loop. */
#include "libsvc/fronts/mhd/mhd_front.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "libsvc/base/thread.h"
#include "libsvc/fronts/mhd/early.h"
#include "libsvc/fronts/mhd/mhd_access.h"
#include "libsvc/fronts/mhd/mhd_conn.h"
#include "libsvc/fronts/mhd/mhd_detach.h"
#include "libsvc/fronts/mhd/mhd_file.h"
#include "libsvc/fronts/mhd/mhd_reply.h"
#include "libsvc/fronts/mhd/wire.h"

/* ---- libmicrohttpd's calls that belong to no request */

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct mhd_loop *mhd = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        mhd->adding->connection = connection;
        *socket_context = mhd->adding;
        return;
    }
    struct mhd_conn *conn = *socket_context;
    *socket_context = NULL;
    if (mhd->adding == conn)
        mhd->adding = NULL;
    if (conn && conn->streams)
        conn->left_alone = true;
    else if (conn)
        svc__mhd_conn_closed(conn);
}

/* Keeps the target as it is, since the library decodes it. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

/* libmicrohttpd reports the requests that it refuses itself by its log alone. */
SVC_PRINTF(2, 0) static void on_log(void *cls, const char *format, va_list arguments)
{
    static const char refused[] = "Error processing request";
    struct mhd_loop *mhd = cls;
    struct loop *loop = mhd->part.loop;
    char text[256];
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    bool refusal = !strncmp(text, refused, sizeof refused - 1);
    if (!refusal) {
        svc__log(&loop->log, SVC_LEVEL_DEBUG, "libmicrohttpd", svc_kv_str("text", text));
        return;
    }
    svc__early_refused(mhd);
    svc__counter_add(loop->server->metrics.refused_below, 1);
    int status = 0;
    sscanf(text, "%*[^0-9]%d", &status);
    svc__plan_counts_over(&loop->server->app->plan->counts, status);
    svc__log(&loop->log, SVC_LEVEL_INFO, "libmicrohttpd", svc_kv_str("text", text));
}

/* ---- The daemon */

/* Values that depend on the version of libmicrohttpd at run time. */
struct dialect {
    int strictness;    /* 0.9.77 changed its scale; before, the library's own checks find more */
    unsigned flags;    /* without its flag, 1.0 takes a connection later than in the call */
    bool known_layout; /* 0.9.75, see early.h and svc__mhd_link_rest */
};

/* MHD_USE_NO_THREAD_SAFETY, which headers before 1.0 do not have. */
enum { NO_THREAD_SAFETY = 1 << 19 };

static struct dialect find_dialect(void)
{
    const char *version = MHD_get_version();
    unsigned major = 0, minor = 0, patch = 0;
    sscanf(version, "%u.%u.%u", &major, &minor, &patch);
    bool rewritten = major > 0;
    return (struct dialect){
        .strictness = rewritten || minor > 9 || patch >= 77,
        .flags = rewritten ? (unsigned)NO_THREAD_SAFETY : 0,
        .known_layout = !strcmp(version, "0.9.75"),
    };
}

/* Room for the longest head, its nodes, and a reply's head, so that the library's limits are
 * reached before those of libmicrohttpd. */
static size_t pool_size(const svc_config *config)
{
    size_t head = (size_t)config->max_head_bytes;
    size_t nodes = (size_t)config->max_fields * MHD_NODE_BYTES;
    return head + (nodes + MHD_REPLY_HEAD_BYTES > head ? nodes + MHD_REPLY_HEAD_BYTES : head);
}

static void mhd_ready(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)reactor, (void)events;
    struct mhd_loop *mhd =
        (struct mhd_loop *)(void *)((char *)watch - offsetof(struct mhd_loop, watch));
    mhd->part.again = true;
}

static int start_daemon(struct mhd_loop *mhd)
{
    const struct dialect dialect = find_dialect();
    const unsigned flags = dialect.flags | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
                           MHD_USE_TURBO | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET;
    struct loop *loop = mhd->part.loop;
    mhd->known_layout = dialect.known_layout;
    mhd->pool = pool_size(&loop->server->app->config);
    mhd->replies = svc__mhd_reply_new();
    mhd->files = svc__mhd_file_new();
    if (!mhd->replies || !mhd->files)
        return SVC_ENOMEM;
    /* If SIGPIPE ends the program, files must be sent without sendfile, which raises it. */
    mhd->pipe_harmless = svc__thread_pipe_harmless();
    mhd->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, svc__mhd_access_run, mhd, MHD_OPTION_EXTERNAL_LOGGER, on_log, mhd,
        MHD_OPTION_STRICT_FOR_CLIENT, dialect.strictness, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        mhd->pool, MHD_OPTION_CONNECTION_LIMIT, (unsigned)INT_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        0u, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, (int)mhd->pipe_harmless,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, mhd, MHD_OPTION_NOTIFY_COMPLETED,
        svc__mhd_access_end, mhd, MHD_OPTION_URI_LOG_CALLBACK, svc__mhd_access_begin, mhd,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        mhd->daemon ? MHD_get_daemon_info(mhd->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    return info ? svc__loop_watch(loop, info->epoll_fd, EPOLLIN, &mhd->watch) : SVC_ESYSTEM;
}

/* ---- Functions of struct front */

static void stop_daemon(struct front_part *part)
{
    struct mhd_loop *mhd = (struct mhd_loop *)(void *)part;
    if (mhd->daemon)
        MHD_stop_daemon(mhd->daemon);
    svc__mhd_reply_free(mhd->replies);
    svc__mhd_file_free(mhd->files);
    svc__early_stop(mhd);
    free(mhd);
}

static struct front_part *start_part(struct loop *loop)
{
    struct mhd_loop *mhd = calloc(1, sizeof *mhd);
    if (!mhd)
        return NULL;
    mhd->part = (struct front_part){.front = &svc__mhd_front, .loop = loop};
    mhd->watch.ready = mhd_ready;
    if (!svc__early_start(mhd) && !start_daemon(mhd))
        return &mhd->part;
    stop_daemon(&mhd->part);
    return NULL;
}

static void run_daemon(struct front_part *part)
{
    struct mhd_loop *mhd = (struct mhd_loop *)(void *)part;
    MHD_UNSIGNED_LONG_LONG wait;
    mhd->closes = false;
    svc__mhd_detach_finish(mhd);
    svc__mhd_conn_feed(mhd);
    bool more = mhd->feed.first;
    mhd->runs++;
    MHD_run(mhd->daemon);
    svc__early_unfeed(mhd);
    part->again = more || mhd->closes || mhd->streams_over ||
                  (MHD_get_timeout(mhd->daemon, &wait) == MHD_YES && wait == 0);
}

/* A last run sends suspended connections their 503. */
static void close_conns(struct front_part *part)
{
    struct mhd_loop *mhd = (struct mhd_loop *)(void *)part;
    run_daemon(part);
    MHD_stop_daemon(mhd->daemon);
    mhd->daemon = NULL;
    svc__mhd_detach_finish(mhd);
    struct conn *next;
    for (struct conn *conn = part->loop->conns; conn; conn = next) {
        next = conn->next; /* that libmicrohttpd never got */
        if (conn->front == part->front)
            svc__mhd_conn_close_own(svc__mhd_conn_of(conn));
    }
}

static void refuse_socket(struct front_part *part, int fd, int status, const char *detail)
{
    svc__wire_send_problem(fd, status, detail, svc__loop_date(part->loop));
    svc__linger_begin(part->loop, fd, (struct unsent){NULL, 0});
}

static void visit_flight(const struct conn *conn,
                         void (*visit)(const struct flight *flight, void *arg), void *arg)
{
    visit(&((const struct mhd_conn *)(const void *)conn)->flight, arg);
}

const struct front svc__mhd_front = {
    .name = "libmicrohttpd",
    .scheme = "http",
    .conn_size = sizeof(struct mhd_conn),
    .start = start_part,
    .turn = run_daemon,
    .close = close_conns,
    .stop = stop_daemon,
    .refuse = refuse_socket,
    .open = svc__mhd_conn_open,
    .close_silent = svc__mhd_conn_close_silent,
    .cut = svc__mhd_conn_cut,
    .visit_flights = visit_flight,
};
