/*
 * The board of reports: each upload's report with its state, the queue of reports to be made, and
 * the waiters of each report. A report stays on the board until the board is freed, and does not
 * change once it is made, so it can be read without a lock. Any thread may call all of it; nothing
 * blocks but board_take.
 */
#ifndef REPORTS_BOARD_H
#define REPORTS_BOARD_H

#include <svc.h>

#include "summary.h"
#include "upload.h"

struct board;

/* A report as it was at the time of the call. */
struct report {
    char id[ID_SIZE];
    bool old;                      /* added by board_add_old */
    bool made;                     /* whether `failure` or `summary` is set */
    const char *failure;           /* why there is no summary; else NULL */
    const struct summary *summary; /* the board's; NULL on failure */
};

/* A waiter for a report. The board borrows the memory until board_leave or board_put has returned
 * the waiter. */
struct waiter {
    struct waiter *next;
    svc_pending *pending;
    bool waits;
};

enum board_result {
    BOARD_OK = 0,
    BOARD_KNOWN, /* the board has the report already */
    BOARD_FULL,  /* the board has max_reports reports */
    BOARD_BUSY,  /* queue_length reports wait to be made */
    BOARD_NO_MEMORY
};

/* Makes a board for at most `max_reports` reports, of which at most `queue_length` wait to be made.
 * NULL when out of memory. */
struct board *board_new(size_t max_reports, size_t queue_length);

/* Accepts NULL. */
void board_free(struct board *board);

/* Adds a report to be made; board_take will return it. */
enum board_result board_add(struct board *board, const char *id);

/* Adds a report of an upload from before this process; board_take does not return it. All of these
 * calls come before the first board_add. */
enum board_result board_add_old(struct board *board, const char *id);

bool board_find(struct board *board, const char *id, struct report *report);

/* The report that was added after `id`, or the first one for NULL. False if there is none. */
bool board_next(struct board *board, const char *id, struct report *report);

/* Waits for a report to be made. 0 with its id, or SVC_ECLOSED after board_close when the queue is
 * empty. */
int board_take(struct board *board, char id[ID_SIZE]);

/* Reports that wait to be made. */
size_t board_waiting(struct board *board);

void board_close(struct board *board);

/* Sets the made report: `summary`, which is taken, or a failure. Returns the list of its waiters,
 * which the caller owns now. */
struct waiter *board_put(struct board *board, const char *id, struct summary *summary,
                         const char *failure);

/* Adds a waiter. False if the report is made already or does not exist. */
bool board_wait(struct board *board, const char *id, struct waiter *waiter);

/* Removes a waiter. False if board_put has returned it before. */
bool board_leave(struct board *board, const char *id, struct waiter *waiter);

#endif
