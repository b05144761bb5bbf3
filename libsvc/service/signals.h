/*
 * The signals SIGTERM and SIGINT while svc_app_run runs, and SIGHUP and SIGUSR1 unless the program
 * uses them.
 *
 * A handler takes them, so that a signal is not lost while the program's code or a system call
 * holds the main thread, and no mask is set that child processes would inherit. The effect of a
 * second signal depends on whether the drain reads signals in order: in the drain it ends the wait
 * for requests; elsewhere, where a hook or a name look-up may hold the thread for ever, it ends the
 * process as it would without a handler.
 */
#ifndef SVC_SERVICE_SIGNALS_H
#define SVC_SERVICE_SIGNALS_H

#include <stdbool.h>

/* Takes the signals, for one caller at a time in a program. It also keeps SIGPIPE from ending the
 * program, even after the signals have been given back, since threads that a forced stop has left
 * may write. 0, SVC_ESTATE when another caller has them, or SVC_ESYSTEM. */
int svc__signals_take(void);

/* Restores the handlers from before svc__signals_take. */
void svc__signals_give_back(void);

/* The number of SIGTERM and SIGINT since the signals were taken; valid as long as the program runs.
 */
const _Atomic unsigned *svc__signals_count(void);

/* The number of SIGHUP, and of SIGUSR1, since the signals were taken. */
unsigned svc__signals_hangups(void);
unsigned svc__signals_users(void);

/* Whether one of the signals was SIGINT, which comes from a person at a terminal. */
bool svc__signals_interrupted(void);

/* An eventfd that is readable when a signal has come, non-blocking. */
int svc__signals_fd(void);

/* Sets whether the caller reads the signals in order from here on; while it does, none ends the
 * process. */
void svc__signals_read_in_order(bool reads);

#endif
