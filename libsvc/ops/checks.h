/*
 * Readiness checks: each runs on a thread of its own when somebody asks, so that one that takes its
 * time holds up neither the admin pages nor the others. One that does not answer in time is late,
 * for everybody who asks until it has.
 */
#ifndef SVC_OPS_CHECKS_H
#define SVC_OPS_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include <svc/types.h>

struct checks;

enum check_verdict { CHECK_OK, CHECK_FAILED, CHECK_LATE };

struct check_report {
    const char *name;
    enum check_verdict verdict;

    /* Of one that is late: its last answer, and how old that is. */
    bool answered, passed;
    uint64_t age_ms;
};

/* Makes the checks of a readied app, which is borrowed; none runs yet. NULL when out of memory. */
struct checks *svc__checks_new(svc_app *app);

/* Starts their threads. 0, or SVC_ESYSTEM with a set-up error. */
int svc__checks_start(struct checks *checks);

/* Asks all, waits until each has answered or is late, and calls `visit` for each in order of
 * registration; it must not ask again. Any thread that may block. */
void svc__checks_ask(struct checks *checks,
                     void (*visit)(const struct check_report *report, void *arg), void *arg);

/* Ends their threads; who waits for an answer is told without it. SVC_EFORCED when one has not
 * ended by the deadline (of svc__clock_ms): then it uses all of this still, and nothing may be
 * freed. Accepts NULL. */
int svc__checks_stop(struct checks *checks, uint64_t deadline_ms);

/* Frees checks without threads. Accepts NULL. */
void svc__checks_free(struct checks *checks);

#endif
