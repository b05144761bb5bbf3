/*
 * What there is to report on: each upload's report with its state, those that the task is to make,
 * and who waits for them. A report that is on the board stays until the board is freed, and does
 * not change once it is made, so it can be read without a lock. Any thread may call all of it;
 * nothing blocks but board_take.
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
    bool made;                     /* whether the rest is set */
    const char *failure;           /* why there is none; NULL when there is one */
    const struct summary *summary; /* else NULL; the board's */
};

/* Who waits for a report. The memory is the caller's until board_leave or board_put has given it
 * back. */
struct waiter {
    struct waiter *next;
    svc_pending *pending;
    bool waits;
};

enum board_result {
    BOARD_OK = 0,
    BOARD_KNOWN, /* it is there already */
    BOARD_FULL,  /* there are as many as there may be */
    BOARD_BUSY,  /* as many wait to be made as may wait */
    BOARD_NO_MEMORY
};

/* A board for so many reports, of which so many may wait to be made. NULL when out of memory. */
struct board *board_new(size_t max_reports, size_t queue_length);

/* Accepts NULL. */
void board_free(struct board *board);

/* Adds a report that is to be made, and has board_take return it. */
enum board_result board_add(struct board *board, const char *id);

/* Adds one that board_take does not return: of an upload that was there before the process. All of
 * these come before others. */
enum board_result board_add_old(struct board *board, const char *id);

bool board_find(struct board *board, const char *id, struct report *report);

/* The report that was added after `id`, NULL being before the first. False when there is none. */
bool board_next(struct board *board, const char *id, struct report *report);

/* Waits for a report that is to be made. 0 with its id, or SVC_ECLOSED after board_close, when none
 * is left. */
int board_take(struct board *board, char id[ID_SIZE]);

void board_close(struct board *board);

/* Sets what was made: `summary`, which is taken, or a failure. Returns those who waited for it, a
 * list that is the caller's now. */
struct waiter *board_put(struct board *board, const char *id, struct summary *summary,
                         const char *failure);

/* Has somebody wait. False when the report is made already, or there is none. */
bool board_wait(struct board *board, const char *id, struct waiter *waiter);

/* Somebody waits no more. False when board_put has returned him before. */
bool board_leave(struct board *board, const char *id, struct waiter *waiter);

#endif
