/* Writing batches of lines without ever setting O_NONBLOCK, which is shared with other programs. */
#include "libsvc/log/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"

enum {
    SLICE_MS = 100, /* the longest wait before the deadline is looked at again */
    PAUSE_MS = 10,  /* after a descriptor that was ready took nothing */
    PIECE = 4096    /* PIPE_BUF: a pipe that is ready takes so much at once, and unmixed */
};

int svc__outlet_open(const char *path)
{
    enum { MODE = 0644 };
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, MODE);
}

/* Writes to a duplicate of `fd` from here on. 0 or an error number, with nothing changed. */
static int set_output(struct outlet *o, int fd)
{
    struct stat st;
    int copy = fstat(fd, &st) ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return errno;
    o->fd = copy;
    o->is_regular = S_ISREG(st.st_mode);
    o->is_socket = S_ISSOCK(st.st_mode);
    o->torn = false;
    return 0;
}

int svc__outlet_init(struct outlet *o, int fd, int wake_fd)
{
    if (set_output(o, fd))
        return SVC_ESYSTEM;
    o->wake_fd = wake_fd;
    o->gave_up = false;
    atomic_init(&o->deadline_ns, UINT64_MAX);
    o->begin = o->len = o->lines = 0;
    return 0;
}

int svc__outlet_reopen(struct outlet *o, const char *path)
{
    int before = o->fd, fd = svc__outlet_open(path);
    if (fd < 0)
        return errno;
    int error = set_output(o, fd);
    close(fd);
    if (!error)
        close(before);
    return error;
}

void svc__outlet_free(struct outlet *o)
{
    close(o->fd);
}

char *svc__outlet_line(struct outlet *o, size_t len)
{
    if (o->lines == 0) {
        o->begin = o->torn;
        o->len = o->begin;
        o->data[0] = '\n';
    }
    if (o->lines == OUTLET_LINES || len >= OUTLET_BYTES - o->len)
        return NULL;
    char *line = o->data + o->len;
    line[len] = '\n';
    o->len += len + 1;
    o->ends[o->lines++] = (uint32_t)o->len;
    return line;
}

/* Milliseconds until the deadline, at most a slice; 0 once it has passed. */
static int remaining_ms(uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        return SLICE_MS;
    uint64_t now = svc__clock_ns();
    if (deadline_ns <= now)
        return 0;
    uint64_t ms = (deadline_ns - now) / 1000000 + 1;
    return ms < SLICE_MS ? (int)ms : SLICE_MS;
}

/* Waits until the descriptor takes bytes, or has an error for a write to find. False when the
 * deadline passed. */
static bool await_ready(struct outlet *o)
{
    for (;;) {
        uint64_t deadline_ns = atomic_load(&o->deadline_ns);
        int wait_ms = remaining_ms(deadline_ns);
        if (wait_ms == 0)
            return false;
        if (o->is_regular)
            return true;
        struct pollfd fds[2] = {{o->fd, POLLOUT, 0}, {o->wake_fd, POLLIN, 0}};
        if (poll(fds, deadline_ns == UINT64_MAX ? 2 : 1, wait_ms) <= 0)
            continue;
        if (fds[0].revents != 0)
            return true;
        if (fds[1].revents != 0) {
            uint64_t count;
            ssize_t n = read(o->wake_fd, &count, sizeof count);
            (void)n; /* EAGAIN: it was clear already. */
        }
    }
}

/* How much to write at once: all of the batch to a file, else the lines that make up one piece, or
 * a piece of a line that is longer. `line` is the line in which `at` lies. */
static size_t piece_at(const struct outlet *o, size_t at, size_t line)
{
    if (o->is_regular || o->len - at <= PIECE)
        return o->len - at;
    size_t end = at;
    while (line < o->lines && o->ends[line] - at <= PIECE)
        end = o->ends[line++];
    return end > at ? end - at : PIECE;
}

/* Waits and writes once. Returns the number of bytes written, which may be 0, or -1 when no more
 * can be. */
static ssize_t push(struct outlet *o, size_t at, size_t line)
{
    if (!await_ready(o)) {
        o->gave_up = true;
        return -1;
    }
    size_t len = piece_at(o, at, line);
    ssize_t n = o->is_socket ? send(o->fd, o->data + at, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                             : write(o->fd, o->data + at, len);
    if (n > 0)
        return n;
    if (n < 0 && errno == EINTR)
        return 0;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    poll(NULL, 0, PAUSE_MS);
    return 0;
}

size_t svc__outlet_flush(struct outlet *o, _Atomic uint64_t *written)
{
    size_t at = o->torn ? 0 : o->begin; /* the output may be another since the batch was begun */
    size_t done = 0;
    while (o->lines > 0 && at < o->len) {
        ssize_t n = push(o, at, done);
        if (n < 0)
            break;
        at += (size_t)n;
        size_t before = done;
        while (done < o->lines && o->ends[done] <= at)
            done++;
        if (written != NULL)
            atomic_fetch_add_explicit(written, done - before, memory_order_release);
    }
    size_t boundary = done > 0 ? o->ends[done - 1] : o->begin;
    if (at > 0)
        o->torn = at != boundary;
    o->begin = o->len = o->lines = 0;
    return done;
}
