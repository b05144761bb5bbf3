/*
 * Writes whole lines to a descriptor that other programs share and whose reader may stall: its
 * flags are left alone, no write is begun that is likely to block, and a deadline ends the waiting.
 *
 * For one thread, except where a member says otherwise.
 */
#ifndef SVC_LOG_OUTLET_H
#define SVC_LOG_OUTLET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTLET_BYTES = 1 << 17, /* of a batch */
    OUTLET_LINES = 2048,    /* of a batch */
    OUTLET_LINE_MAX = OUTLET_BYTES - 2
};

struct outlet {
    int fd;      /* owned */
    int wake_fd; /* an eventfd, borrowed: read when it becomes readable, to look at deadline_ns */
    bool is_regular;
    bool is_socket;
    bool torn;                    /* the last write ended within a line */
    bool gave_up;                 /* deadline_ns passed while there was something to write */
    _Atomic uint64_t deadline_ns; /* of svc__clock_ns; set by any thread; UINT64_MAX is none */

    /* The batch: lines, each with its line feed, behind a line feed of its own when `torn`. */
    size_t begin; /* where the first line begins: 0 or 1 */
    size_t len;
    size_t lines;
    uint32_t ends[OUTLET_LINES]; /* where each line ends */
    char data[OUTLET_BYTES];
};

/* Makes an outlet for a duplicate of `fd`. 0 or SVC_ESYSTEM. */
int svc__outlet_init(struct outlet *o, int fd, int wake_fd);

/* Opens a file to append lines to, and creates it if there is none. It does not wait for the reader
 * of a FIFO. -1 with errno set. */
int svc__outlet_open(const char *path);

/* Writes to the file `path` from here on, the batch included. 0, or an error number: then nothing
 * has changed. */
int svc__outlet_reopen(struct outlet *o, const char *path);

/* Closes the duplicate. */
void svc__outlet_free(struct outlet *o);

/* Adds a line of `len` bytes, which the caller fills, to the batch. NULL when the batch is full; an
 * empty one takes any line up to OUTLET_LINE_MAX. */
char *svc__outlet_line(struct outlet *o, size_t len);

/*
 * Writes the batch, which is empty afterwards, and returns the number of lines written; the rest is
 * lost to an error of the descriptor, or because deadline_ns passed (see gave_up). Adds to
 * `written`, which may be NULL, while lines are written.
 */
size_t svc__outlet_flush(struct outlet *o, _Atomic uint64_t *written);

#endif
