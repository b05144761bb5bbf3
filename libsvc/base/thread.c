/* Starting threads that are the library's own. */
#include "libsvc/base/thread.h"

#include <signal.h>

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
