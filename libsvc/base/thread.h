/* Starting threads that are the library's own. */
#ifndef LIBSVC_BASE_THREAD_H
#define LIBSVC_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Runs `run(arg)` in a thread of its own, with all signals blocked: they are for the program's own
 * threads. `stack_bytes` is the stack beside its guard page and all thread-local variables, 0 is as
 * much as the system gives. The thread must be joined or detached. 0, or an error number as
 * pthread_create's. Any thread.
 */
int svc__thread_start(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg), void *arg);

/* The same with the caller's signal mask: for a thread that runs code of the program, since the
 * children that this makes inherit the mask. */
int svc__thread_start_program(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg),
                              void *arg);

/* Whether SIGPIPE, raised in this thread, would not end the program. Any thread. */
bool svc__thread_pipe_harmless(void);

/* Whether a seccomp filter sees the system calls of this thread, or nobody can tell: an unusual one
 * may then end the process. Any thread. */
bool svc__thread_filtered(void);

#endif
