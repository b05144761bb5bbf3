/*
 * The log sink: threads put lines into rings without waiting, and one writer thread takes them to a
 * descriptor, so that a stalled reader costs lines, which are counted, but no time.
 *
 * Every offered line ends as exactly one of written or dropped. Lines are written whole and never
 * mixed with each other (with those of another program that writes to the same pipe, lines up to
 * 4095 bytes are not mixed either); the one exception is a line cut by a failing descriptor or the
 * deadline at stop, which counts as dropped and is closed with a line feed before anything else is
 * written. Drops are reported in the log as soon as lines can be written again, by a line of the
 * sink's own, with the number of drops since the last such line. Those lines are not counted as
 * written themselves.
 *
 * The descriptor may be shared with other programs, so its flags are never changed. After a fork
 * the child has no writer thread and must not use the sink.
 */
#ifndef SVC_LOG_SINK_H
#define SVC_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SINK_RING_SIZE = 1 << 20,     /* the default */
    SINK_RING_MIN = 1 << 12,      /* smaller sizes are taken as this */
    SINK_RING_MAX = 1 << 28,      /* larger sizes are refused */
    SINK_REPORT_MAX = 80,         /* bytes of each text of a report */
    SINK_LINE_MAX = (1 << 16) - 1 /* bytes of the longest line; longer ones are dropped */
};

struct sink;
struct sink_ring;

/* The texts of a line of the sink's own: `head`, the time as RFC 3339, `middle`, a number or an
 * error's text, `tail`. Each of the three has at most SINK_REPORT_MAX bytes. */
struct sink_report {
    const char *head, *middle, *tail;
};

/*
 * Opens a sink: duplicates `fd` and starts a writer thread, which blocks signals. `ring_size`
 * is rounded up to a power of two; 0 is the default. At most `max_rings` rings will be made beside
 * the shared one. `report` has the texts of lines about drops, borrowed until the close. NULL when
 * out of memory, for a bad size or descriptor, or when the system refuses. The caller owns the sink
 * and ends it by svc__sink_close.
 */
struct sink *svc__sink_open(int fd, size_t ring_size, size_t max_rings,
                            const struct sink_report *report);

/*
 * Names the file that svc__sink_reopen opens: `path` is copied; `failure` has the texts of a line
 * about a failed reopen, borrowed until the close. 0 or SVC_ENOMEM. Before any thread may reopen.
 */
int svc__sink_follow(struct sink *sink, const char *path, const struct sink_report *failure);

/*
 * Lets the writer open its file, if it has one, again by its name: lines offered from here on go to
 * the new file. When it cannot be opened, lines go to the old one, and the failure is logged. Any
 * thread; async-signal-safe.
 */
void svc__sink_reopen(struct sink *sink);

/* The number of failed reopens. Any thread. */
uint64_t svc__sink_reopen_failures(struct sink *sink);

/* A ring for one producing thread, owned by the sink. NULL when out of memory or when max_rings
 * have been made; the thread then uses the shared ring. Any thread. */
struct sink_ring *svc__sink_ring(struct sink *sink);

/*
 * Offers one line without a line feed, which the writer adds. Returns whether the line was
 * accepted; if not (the ring is full, or the line too long), it is counted as dropped. Never
 * blocks, takes no lock, and makes no system call but an eventfd write when the writer sleeps. The
 * ring's thread only.
 */
bool svc__sink_write(struct sink_ring *ring, const char *line, size_t len);

/* The same through the shared ring, behind a mutex that is held for the copy only. Any thread. */
bool svc__sink_write_shared(struct sink *sink, const char *line, size_t len);

/* The number of lines offered so far that have been dropped, or written. Any thread. */
uint64_t svc__sink_dropped(struct sink *sink);
uint64_t svc__sink_written(struct sink *sink);

/*
 * Lets the writer write all accepted lines and end. Returns 0, or SVC_EFORCED when `deadline_ms`
 * passed first: the remaining lines count as dropped. Lines may still be offered afterwards, but
 * all of them count as dropped. Further calls return the same. One thread at a time.
 */
int svc__sink_stop(struct sink *sink, unsigned deadline_ms);

/*
 * Stops the sink if it has not been stopped, and frees it and its rings, which no thread may use
 * any more. Returns as svc__sink_stop. When the writer hangs in a write beyond the deadline (a
 * stopped terminal, a dead network disk), the call returns all the same and the writer frees the
 * memory when that write returns. Accepts NULL.
 */
int svc__sink_close(struct sink *sink, unsigned deadline_ms);

#endif
