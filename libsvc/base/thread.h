/* Starts the library's own threads, and measures a thread's use of the processor. */
#ifndef SVC_BASE_THREAD_H
#define SVC_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Runs `run(arg)` in a new thread with all signals blocked, since signals are for the program's
 * threads; but for SIGPROF, by which profilers sample the thread that runs. `stack_bytes` is the
 * size of the stack without its guard page and all thread-local variables; 0 is the system's
 * default. The thread must be joined or detached. 0, or an error number as pthread_create's. Any
 * thread.
 */
int svc__thread_start(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg), void *arg);

/* The same with the caller's signal mask: for a thread that runs the program's code, since child
 * processes inherit the mask. */
int svc__thread_start_program(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg),
                              void *arg);

/* Whether SIGPIPE, raised in this thread, would not end the program. Any thread. */
bool svc__thread_pipe_harmless(void);

/* Whether a seccomp filter sees the system calls of this thread, or this is not known: an unusual
 * system call may then end the process. Any thread. */
bool svc__thread_filtered(void);

/* The work of a thread since it began. */
struct thread_usage {
    bool known;
    uint64_t cpu_ns;      /* of processor time */
    uint64_t waits;       /* times that it gave up the processor to wait */
    uint64_t preemptions; /* times that the system took the processor for another thread */
};

/* Reads the calling thread's usage; `usage->known` is false where the system does not give it. */
void svc__thread_usage(struct thread_usage *usage);

#endif
