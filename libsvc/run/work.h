/* A piece of work for a thread that may block: see workers.h. */
#ifndef SVC_RUN_WORK_H
#define SVC_RUN_WORK_H

#include <stdbool.h>
#include <stdint.h>

struct work {
    /* Does the work on a worker, with that worker's state. NULL: the work is refused, on the thread
     * that has found that no worker can be had. May free the work. */
    void (*run)(struct work *work, void *state);

    /* The pool's own. */
    struct work *next, *previous;
    uint64_t since_ns; /* of svc__clock_ns: when it was handed over */
    bool queued;
};

#endif
