/* Starting threads that are the library's own, and what a thread has done. */
#ifndef SVC_BASE_THREAD_H
#define SVC_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The work of a thread since it began. */
struct thread_usage {
    bool known;
    uint64_t cpu_ns;      /* for which it ran */
    uint64_t waits;       /* times that it stopped running because it had to wait */
    uint64_t preemptions; /* times that it did for another to run */
};

/* Reads what the calling thread has done; `usage->known` is false where the system does not tell.
 */
void svc__thread_usage(struct thread_usage *usage);

#endif
