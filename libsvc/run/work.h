/* A piece of work for a thread that may block: see workers.h. */
#ifndef SVC_RUN_WORK_H
#define SVC_RUN_WORK_H

#include <stdbool.h>
#include <stdint.h>

struct work {
    /* Does it, on a worker, whose state it is given. NULL: no worker can be had, and it is refused,
     * on the thread that has found that out. The work may be freed before it returns. */
    void (*run)(struct work *work, void *state);

    /* The pool's own. */
    struct work *next, *previous;
    uint64_t since_ms;
    bool queued;
};

#endif
