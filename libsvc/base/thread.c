/* Starting threads that are the library's own, and what a thread has done. */
#include "libsvc/base/thread.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static int create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *arg),
                  void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, attributes, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int svc__thread_start(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    if (stack_bytes)
        error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (!error)
        error = create(thread, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    return error;
}

void svc__thread_usage(struct thread_usage *usage)
{
    struct rusage all;
    struct timespec ran;
    *usage = (struct thread_usage){0};
    if (getrusage(RUSAGE_THREAD, &all) || clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran))
        return;
    usage->known = true;
    usage->cpu_ns = (uint64_t)ran.tv_sec * 1000000000 + (uint64_t)ran.tv_nsec;
    usage->waits = (uint64_t)all.ru_nvcsw;
    usage->preemptions = (uint64_t)all.ru_nivcsw;
}
