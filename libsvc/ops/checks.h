/*
 * Readiness checks: each runs on a thread of its own when a request asks for it, so that a slow
 * check delays neither the admin pages nor the others. A check that does not answer in time is late
 * for every request until it has answered.
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

/* Makes the checks of a readied app, which is borrowed; no thread runs yet. NULL when out of
 * memory. */
struct checks *svc__checks_new(svc_app *app);

/* Starts their threads. 0, or SVC_ESYSTEM with a set-up error. */
int svc__checks_start(struct checks *checks);

/* Asks all, waits until each has answered or is late, and calls `visit` for each in order of
 * registration; it must not ask again. Any thread that may block. */
void svc__checks_ask(struct checks *checks,
                     void (*visit)(const struct check_report *report, void *arg), void *arg);

/* Ends the checks' threads; requests that wait for a check are answered without it. SVC_EFORCED
 * when a thread has not ended by the deadline (of svc__clock_ms): it still uses the checks, and
 * nothing may be freed. Accepts NULL. */
int svc__checks_stop(struct checks *checks, uint64_t deadline_ms);

/* Frees checks without threads. Accepts NULL. */
void svc__checks_free(struct checks *checks);

#endif
