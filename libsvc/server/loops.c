/* The loops of a server. */
#include "libsvc/server/loops.h"

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/wait.h"
#include "libsvc/server/acceptor.h"
#include "libsvc/server/loop_thread.h"

/* Descriptors that stay free for other uses: log files, name look-ups, and a connection between its
 * accept and its refusal. */
enum { RESERVED_DESCRIPTORS = 8 };

/* One descriptor of so many is kept for response objects that send files. */
enum { FILE_SHARE = 16 };

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* Sets the number of sockets for which descriptors are left; lingering ones count as much as
 * connections. */
static void share_descriptors(struct server *server)
{
    struct rlimit limit;
    server->max_sockets = UINT32_MAX;
    server->file_descriptors = INT_MAX / 2;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > INT_MAX)
        return;
    unsigned most = (unsigned)limit.rlim_cur, files = most / FILE_SHARE;
    unsigned taken = open_descriptors() + RESERVED_DESCRIPTORS + files;
    server->max_sockets = most > taken ? most - taken : 1;
    server->file_descriptors = (int)files;
}

int svc__loops_make(struct server *server, struct logger *logger, size_t count)
{
    int error = svc__server_configure(server, logger);
    if (error)
        return error;
    server->loops = calloc(count, sizeof *server->loops);
    if (!server->loops)
        return SVC_ENOMEM;
    for (; server->loop_count < count && !error; server->loop_count += !error)
        server->loops[server->loop_count] = svc__loop_thread_new(server, &error);
    share_descriptors(server);
    return error;
}

/* Waits until a loop has reported something, `most_ms` have passed, or a look is due. */
static void await_notice(const struct server *server, uint64_t most_ms)
{
    uint64_t seen;
    struct pollfd fd = {.fd = server->event_fd, .events = POLLIN};
    poll(&fd, 1, most_ms < WAIT_LOOK_MS ? (int)most_ms : WAIT_LOOK_MS);
    if (read(server->event_fd, &seen, sizeof seen) < 0)
        return; /* the wait was over for another reason */
}

int svc__loops_start(struct server *server)
{
    for (; server->loops_started < server->loop_count; server->loops_started++) {
        int error = svc__loop_thread_start(server->loops[server->loops_started]);
        if (error)
            return error;
    }
    while (atomic_load(&server->loops_begun) < server->loops_started)
        await_notice(server, WAIT_LOOK_MS);
    int error = atomic_load(&server->begin_error);
    if (error)
        return error;
    atomic_store(&server->open, true);
    for (size_t i = 0; i < server->loops_started; i++)
        svc__loop_wake(server->loops[i]);
    return 0;
}

void svc__loops_enter(struct server *server, enum stage stage)
{
    atomic_store(&server->stage, stage);
    for (size_t i = 0; i < server->loops_started; i++)
        svc__loop_wake(server->loops[i]);
}

bool svc__loops_settled(const struct server *server)
{
    int stage = atomic_load(&server->stage);
    for (size_t i = 0; i < server->loops_started; i++)
        if (atomic_load(&server->loops[i]->stage) != stage)
            return false;
    return true;
}

bool svc__loops_empty(const struct server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        if (atomic_load(&server->loops[i]->host.away))
            return false;
    return atomic_load(&server->connections) == 0 && atomic_load(&server->lingers) == 0;
}

/* Takes the connections in all queues. False: one cannot be accepted now. */
static bool empty_listeners(struct server *server)
{
    bool empty = true;
    for (size_t i = 0; i < server->listeners.count; i++)
        empty = svc__acceptor_empty(server, &server->listeners.all[i]) && empty;
    return empty;
}

/* A handshake is in the queue before the kernel takes it off its list. So the list is read first: a
 * client that is no longer on it is found in the queue. */
bool svc__loops_take_last(struct server *server)
{
    bool expects = svc__listen_expects(&server->listeners);
    return !empty_listeners(server) || expects;
}

void svc__loops_close_listeners(struct server *server)
{
    (void)empty_listeners(server);
    svc__listen_close(&server->listeners);
}

static bool loops_ended(const struct server *server)
{
    for (size_t i = 0; i < server->loops_started; i++)
        if (!atomic_load(&server->loops[i]->ended))
            return false;
    return true;
}

int svc__loops_end(struct server *server, uint64_t deadline_ms)
{
    if (!server)
        return 0;
    svc__loops_enter(server, STAGE_EXIT);
    for (uint64_t now_ms; !loops_ended(server) && (now_ms = svc__clock_ms()) < deadline_ms;)
        await_notice(server, deadline_ms - now_ms);
    bool all_ended = true;
    for (size_t i = 0; i < server->loops_started; i++) {
        struct loop *loop = server->loops[i];
        bool ended = atomic_load(&loop->ended);
        if (ended)
            pthread_join(loop->thread, NULL);
        else
            pthread_detach(loop->thread); /* a handler holds it */
        all_ended = all_ended && ended;
    }
    return all_ended ? 0 : SVC_EFORCED;
}

void svc__loops_free(struct server *server)
{
    for (size_t i = 0; server && i < server->loop_count; i++)
        svc__loop_thread_free(server->loops[i]);
    if (server)
        free(server->loops);
}
