/*
 * SIGTERM and SIGINT while svc_app_run has the program, and SIGHUP where the program has it for
 * nothing else.
 *
 * A handler takes them, so that one that comes while the program's code or a system call holds the
 * main thread is not lost, and so that nothing is blocked which children would inherit. What the
 * second signal does depends on whether anybody reads them in order: in the drain it ends the wait
 * for requests, and elsewhere, where a hook or a name look-up may hold the thread for ever, it ends
 * the process as it would have without a handler.
 */
#ifndef SVC_SERVICE_SIGNALS_H
#define SVC_SERVICE_SIGNALS_H

#include <stdbool.h>

/* Takes the signals, for one at a time in a program, and sees to it that SIGPIPE does not end the
 * program, also when they have been given back: threads that a forced stop has left may write. 0,
 * SVC_ESTATE when somebody has them, or SVC_ESYSTEM. */
int svc__signals_take(void);

/* Gives them back to whoever had them before. */
void svc__signals_give_back(void);

/* How many SIGTERM and SIGINT have come since they were taken: lives as long as the program. */
const _Atomic unsigned *svc__signals_count(void);

/* How many SIGHUP have come since they were taken. */
unsigned svc__signals_hangups(void);

/* Whether one of them was SIGINT: someone waits at a terminal. */
bool svc__signals_interrupted(void);

/* An eventfd that is readable when a signal has come, non-blocking. */
int svc__signals_fd(void);

/* Says whether the caller reads them in order from here on: then none ends the process. */
void svc__signals_read_in_order(bool reads);

#endif
