/* The log sink: rings that threads fill, and the thread that empties them into the outlet. */
#include "libsvc/log/sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/num.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"
#include "libsvc/log/outlet.h"
#include "libsvc/log/ring.h"

enum {
    RINGS_MAX = 1 << 16,
    LINGER_MS = 20,   /* how long lines may gather so that one wake-up serves many */
    REPORT_MS = 1000, /* between reports of drops while the rings never run empty */
    GRACE_MS = 250    /* beyond the deadline of a stop, for a writer that is just late */
};

/*
 * The state of the writer, by which producers know when it must be woken. The writer stores its
 * next state and then looks at the rings; a producer stores its line and then looks at the state.
 * All four accesses are sequentially consistent, so at least one thread sees the other's store.
 */
enum doze {
    AWAKE,     /* it looks at the rings again before it sleeps */
    LINGERING, /* it looks again soon, unless a ring fills up before */
    ASLEEP     /* it looks again when woken, or after WAIT_LOOK_MS */
};

struct sink_ring {
    struct ring ring;
    struct sink *sink;
    _Atomic uint64_t refused; /* lines; written by the producer */
};

struct sink {
    struct outlet outlet; /* the writer's */
    int wake_fd;
    _Atomic int doze;
    _Atomic bool stopping;
    _Atomic uint64_t written; /* by the writer */
    _Atomic uint64_t lost;    /* accepted lines that an error of the descriptor cost */

    char *path; /* of the file that a reopen opens; NULL: none */
    _Atomic bool reopen;
    _Atomic uint64_t reopen_failures;
    const struct sink_report *reopen_report;
    int reopen_error; /* not yet reported; used by the writer alone, as all members below up to the
                         locks */

    const struct sink_report *report;
    uint64_t reported;  /* drops that have been reported */
    uint64_t tried;     /* drops at the last report, logged or not */
    uint64_t report_ms; /* time of the last report */
    size_t turn;        /* the ring that the next batch begins with */

    pthread_mutex_t shared_lock; /* makes the shared ring's users one producer */
    size_t ring_size;
    size_t max_rings;
    _Atomic size_t ring_count;
    struct sink_ring **rings; /* the first is shared */

    pthread_mutex_t lock; /* for adding rings, and for the members below */
    pthread_cond_t ended_now;
    pthread_t thread;
    bool ended;     /* the writer has ended; it touches nothing any more unless abandoned */
    bool abandoned; /* the writer frees the sink when it ends */
    bool stopped;
    bool joined; /* the stop has joined the writer's thread */
    int result;  /* of the stop */
};

static void wake(struct sink *s)
{
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);
    (void)n; /* A full eventfd wakes the writer as well; after any other failure the writer looks by
                itself. */
}

/* Called by a producer after it has put or refused a line. */
static void wake_if_due(struct sink_ring *r)
{
    struct sink *s = r->sink;
    int doze = atomic_load(&s->doze);
    if (doze == AWAKE || (doze == LINGERING && !svc__ring_is_half_full(&r->ring)))
        return;
    if (atomic_exchange(&s->doze, AWAKE) != AWAKE)
        wake(s);
}

bool svc__sink_write(struct sink_ring *ring, const char *line, size_t len)
{
    bool accepted = len <= SINK_LINE_MAX && svc__ring_put(&ring->ring, line, len);
    if (!accepted)
        atomic_store(&ring->refused, atomic_load(&ring->refused) + 1);
    wake_if_due(ring);
    return accepted;
}

bool svc__sink_write_shared(struct sink *sink, const char *line, size_t len)
{
    pthread_mutex_lock(&sink->shared_lock);
    bool accepted = svc__sink_write(sink->rings[0], line, len);
    pthread_mutex_unlock(&sink->shared_lock);
    return accepted;
}

static uint64_t sum_refused(struct sink *s)
{
    uint64_t sum = 0;
    size_t count = atomic_load(&s->ring_count);
    for (size_t i = 0; i < count; i++)
        sum += atomic_load(&s->rings[i]->refused);
    return sum;
}

static uint64_t drops_so_far(struct sink *s)
{
    return sum_refused(s) + atomic_load(&s->lost);
}

/* Moves lines from one ring to the batch. False when the batch is full. */
static bool gather(struct sink *s, struct ring *ring)
{
    size_t len;
    while (svc__ring_next(ring, &len)) {
        char *line = svc__outlet_line(&s->outlet, len);
        if (line == NULL)
            return false;
        svc__ring_take(ring, line, len);
    }
    return true;
}

/* Fills a batch from all rings, beginning with another one each time. Returns its number of lines.
 */
static size_t fill(struct sink *s)
{
    size_t count = atomic_load(&s->ring_count);
    s->turn++;
    for (size_t i = 0; i < count; i++) {
        if (!gather(s, &s->rings[(s->turn + i) % count]->ring))
            break;
    }
    return s->outlet.lines;
}

static char *append(char *at, const char *part)
{
    size_t len = strnlen(part, SINK_REPORT_MAX);
    return (char *)memcpy(at, part, len) + len;
}

/* Writes a line of the sink's own with `value` in it. The batch must be empty. Whether it was
 * written. */
static bool write_report(struct sink *s, const struct sink_report *report, const char *value)
{
    char text[4 * SINK_REPORT_MAX + CLOCK_RFC3339_SIZE];
    char *at = append(text, report->head);
    at += svc__clock_rfc3339(at, svc__clock_wall_us());
    at = append(at, report->middle);
    at = append(at, value);
    at = append(at, report->tail);
    size_t len = (size_t)(at - text);
    memcpy(svc__outlet_line(&s->outlet, len), text, len);
    return svc__outlet_flush(&s->outlet, NULL) == 1;
}

/* Writes a report if lines were dropped since the last report. The batch must be empty. */
static void report_drops(struct sink *s)
{
    uint64_t drops = drops_so_far(s);
    if (drops == s->reported || s->outlet.gave_up)
        return;
    char count[NUM_U64_LEN + 1];
    count[svc__num_format_u64(count, drops - s->reported)] = '\0';
    s->tried = drops;
    s->report_ms = svc__clock_ms();
    if (write_report(s, s->report, count))
        s->reported = drops;
}

/* Called once a batch has been filled and before it is written: lines offered after
 * svc__sink_reopen are in this batch at the earliest. */
static void reopen_if_asked(struct sink *s)
{
    if (s->outlet.gave_up || !atomic_exchange(&s->reopen, false))
        return;
    s->reopen_error = svc__outlet_reopen(&s->outlet, s->path);
    if (s->reopen_error)
        atomic_fetch_add(&s->reopen_failures, 1);
}

/* The batch must be empty. */
static void report_reopen_failure(struct sink *s)
{
    char text[SINK_REPORT_MAX];
    if (!s->reopen_error || s->outlet.gave_up)
        return;
    write_report(s, s->reopen_report, strerror_r(s->reopen_error, text, sizeof text));
    s->reopen_error = 0;
}

/* Writes the lines in the rings until they are empty or the outlet has given up. Returns whether
 * there were any. */
static bool drain(struct sink *s)
{
    bool any = false;
    size_t lines;
    while (!s->outlet.gave_up && (lines = fill(s)) > 0) {
        any = true;
        reopen_if_asked(s);
        size_t done = svc__outlet_flush(&s->outlet, &s->written);
        atomic_fetch_add(&s->lost, lines - done);
        if (svc__clock_ms() - s->report_ms >= REPORT_MS)
            report_drops(s);
    }
    return any;
}

/* Whether there is a reason not to begin to doze. */
static bool is_due(struct sink *s, enum doze how)
{
    if (atomic_load(&s->stopping) || atomic_load(&s->reopen))
        return true;
    size_t count = atomic_load(&s->ring_count);
    for (size_t i = 0; i < count; i++) {
        size_t used = svc__ring_used(&s->rings[i]->ring);
        if (used > (how == ASLEEP ? 0 : s->ring_size / 2))
            return true;
    }
    return how == ASLEEP && drops_so_far(s) != s->tried;
}

static void doze(struct sink *s, enum doze how)
{
    atomic_store(&s->doze, how);
    if (!is_due(s, how)) {
        struct pollfd fd = {s->wake_fd, POLLIN, 0};
        poll(&fd, 1, how == ASLEEP ? WAIT_LOOK_MS : LINGER_MS);
    }
    atomic_exchange(&s->doze, AWAKE); /* sees everything that the waking thread did before */
    uint64_t count;
    ssize_t n = read(s->wake_fd, &count, sizeof count);
    (void)n; /* EAGAIN after a linger that no thread ended. */
}

static void destroy(struct sink *s)
{
    size_t count = s->rings == NULL ? 0 : atomic_load(&s->ring_count);
    for (size_t i = 0; i < count; i++) {
        svc__ring_free(&s->rings[i]->ring);
        free(s->rings[i]);
    }
    free(s->rings);
    free(s->path);
    svc__outlet_free(&s->outlet);
    close(s->wake_fd);
    pthread_cond_destroy(&s->ended_now);
    pthread_mutex_destroy(&s->shared_lock);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* The writer. It lingers after a pass that found lines, and sleeps after one that found none. */
static void *write_batches(void *arg)
{
    struct sink *s = arg;
    for (;;) {
        bool stopping = atomic_load(&s->stopping); /* before the drain, then the last one */
        bool any = drain(s);
        reopen_if_asked(s);
        report_reopen_failure(s);
        report_drops(s);
        if (stopping || s->outlet.gave_up)
            break;
        doze(s, any ? LINGERING : ASLEEP);
    }
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    bool abandoned = s->abandoned;
    pthread_cond_signal(&s->ended_now);
    pthread_mutex_unlock(&s->lock);
    if (abandoned)
        destroy(s);
    return NULL;
}

/* The power of two for a requested size; 0 when that is too large. */
static size_t round_up(size_t size)
{
    if (size == 0)
        return SINK_RING_SIZE;
    if (size > SINK_RING_MAX)
        return 0;
    size_t rounded = SINK_RING_MIN;
    while (rounded < size)
        rounded *= 2;
    return rounded;
}

/* The thread blocks signals, so a SIGPIPE of its writes does not end the program. */
static int start_writer(struct sink *s)
{
    if (svc__thread_start(&s->thread, 0, write_batches, s) != 0)
        return SVC_ESYSTEM;
    pthread_setname_np(s->thread, "svc-log");
    return 0;
}

struct sink *svc__sink_open(int fd, size_t ring_size, size_t max_rings,
                            const struct sink_report *report)
{
    size_t size = round_up(ring_size);
    if (size == 0 || max_rings > RINGS_MAX)
        return NULL;
    struct sink *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->report = report;
    s->ring_size = size;
    s->max_rings = max_rings + 1;
    s->shared_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    s->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    s->ended_now = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        goto no_wake_fd;
    if (svc__outlet_init(&s->outlet, fd, s->wake_fd) != 0)
        goto no_outlet;
    s->rings = calloc(s->max_rings, sizeof(*s->rings));
    if (s->rings == NULL || svc__sink_ring(s) == NULL || start_writer(s) != 0) {
        destroy(s);
        return NULL;
    }
    return s;
no_outlet:
    close(s->wake_fd);
no_wake_fd:
    free(s);
    return NULL;
}

int svc__sink_follow(struct sink *sink, const char *path, const struct sink_report *failure)
{
    sink->reopen_report = failure;
    sink->path = strdup(path);
    return sink->path ? 0 : SVC_ENOMEM;
}

void svc__sink_reopen(struct sink *sink)
{
    int saved = errno;
    if (!sink->path)
        return;
    atomic_store(&sink->reopen, true);
    wake(sink);
    errno = saved;
}

uint64_t svc__sink_reopen_failures(struct sink *sink)
{
    return atomic_load(&sink->reopen_failures);
}

static struct sink_ring *new_ring(struct sink *s)
{
    struct sink_ring *r = aligned_alloc(_Alignof(struct sink_ring), sizeof *r);
    if (r == NULL)
        return NULL;
    r->sink = s;
    atomic_init(&r->refused, 0);
    if (svc__ring_init(&r->ring, s->ring_size) != 0) {
        free(r);
        return NULL;
    }
    return r;
}

struct sink_ring *svc__sink_ring(struct sink *sink)
{
    struct sink_ring *r = NULL;
    pthread_mutex_lock(&sink->lock);
    size_t count = atomic_load(&sink->ring_count);
    if (count < sink->max_rings)
        r = new_ring(sink);
    if (r != NULL) {
        sink->rings[count] = r;
        atomic_store(&sink->ring_count, count + 1);
    }
    pthread_mutex_unlock(&sink->lock);
    return r;
}

int svc__sink_stop(struct sink *sink, unsigned deadline_ms)
{
    bool join = false;
    pthread_mutex_lock(&sink->lock);
    if (!sink->stopped) {
        uint64_t deadline_ns = svc__clock_ns() + (uint64_t)deadline_ms * 1000000;
        atomic_store(&sink->outlet.deadline_ns, deadline_ns);
        atomic_store(&sink->stopping, true);
        wake(sink);
        uint64_t end_ms = deadline_ns / 1000000 + GRACE_MS;
        while (!sink->ended && svc__wait_until(&sink->ended_now, &sink->lock, end_ms))
            continue;
        sink->stopped = true;
        sink->result = sink->ended && !sink->outlet.gave_up ? 0 : SVC_EFORCED;
        sink->joined = join = sink->ended;
    }
    int result = sink->result;
    pthread_mutex_unlock(&sink->lock);
    if (join)
        pthread_join(sink->thread, NULL);
    return result;
}

int svc__sink_close(struct sink *sink, unsigned deadline_ms)
{
    if (sink == NULL)
        return 0;
    int result = svc__sink_stop(sink, deadline_ms);
    pthread_mutex_lock(&sink->lock);
    bool ended = sink->ended;
    if (!ended) {
        sink->abandoned = true;
        pthread_detach(sink->thread);
    }
    bool join = ended && !sink->joined;
    pthread_mutex_unlock(&sink->lock);
    if (!ended)
        return result;
    if (join)
        pthread_join(sink->thread, NULL);
    destroy(sink);
    return result;
}

uint64_t svc__sink_written(struct sink *sink)
{
    return atomic_load(&sink->written);
}

uint64_t svc__sink_dropped(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool stopped = sink->stopped;
    pthread_mutex_unlock(&sink->lock);
    if (!stopped)
        return drops_so_far(sink);
    /* After the stop, every line that was offered and not written counts. A ring counts a line
     * before the writer can see it, so the difference is never negative. */
    uint64_t written = svc__sink_written(sink);
    uint64_t offered = sum_refused(sink);
    size_t count = atomic_load(&sink->ring_count);
    for (size_t i = 0; i < count; i++)
        offered += atomic_load(&sink->rings[i]->ring.puts);
    return offered - written;
}
