/*
 * Questions to the program: each is answered by a function of its own thread when somebody asks, so
 * that a slow one holds up neither the caller for longer than a time limit, nor the
 * others.
 */
#ifndef SVC_OPS_INQUIRY_H
#define SVC_OPS_INQUIRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svc/types.h>

struct inquiries;

/* One question. The first member is set by its owner, and all others are guarded by the lock. */
struct inquiry {
    int (*run)(struct inquiry *inquiry); /* on its thread, without the lock */
    struct inquiries *all;
    bool asked; /* and not answered since `asked_ms` */
    uint64_t asked_ms;
    bool answered; /* by `result`, at `answered_ms`: the last time */
    int result;
    uint64_t answered_ms;
    struct inquiry *next;
};

/* Those that are asked together. */
struct inquiries {
    svc_app *app; /* whose threads they are */
    pthread_mutex_t lock;
    pthread_cond_t question, answer; /* one has come; `answer` also when a thread has ended */
    struct inquiry *first, **last;
    size_t threads;
    bool stopping;
};

/* Begins without any. */
void svc__inquiries_init(struct inquiries *all, svc_app *app);

/* Frees the lock and the conditions, once no thread is left. */
void svc__inquiries_free(struct inquiries *all);

/* Adds a question and starts its thread. 0, or an error number, and then it is not added. Any
 * thread. */
int svc__inquiries_add(struct inquiries *all, struct inquiry *inquiry);

/* Asks all, waits until each has answered or has had `timeout_ms` for it, and calls `visit` for
 * each in order, with the lock: one that is still asked then is late. Any thread that may block. */
void svc__inquiries_ask(struct inquiries *all, uint64_t timeout_ms,
                        void (*visit)(struct inquiry *inquiry, void *arg), void *arg);

/* Ends the threads; a caller that waits for an answer goes on without it. SVC_EFORCED when one has
 * not ended by the deadline (of svc__clock_ms): then it uses all of this still, and nothing may be
 * freed. */
int svc__inquiries_stop(struct inquiries *all, uint64_t deadline_ms);

#endif
