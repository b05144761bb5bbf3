/* Starts the library's own threads, and measures a thread's use of the processor. */
#include "libsvc/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { TLS_RESERVE = 16 << 10 }; /* for the C library's own part of a thread's block */

static int add_tls(struct dl_phdr_info *object, size_t size, void *arg)
{
    (void)size;
    size_t *bytes = arg;
    for (size_t i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_TLS)
            *bytes += object->dlpi_phdr[i].p_memsz + object->dlpi_phdr[i].p_align;
    return 0;
}

/* Sets the size of a stack. glibc takes the thread-local variables of the program and its libraries
 * out of it, so their size is added. */
static int set_stack(pthread_attr_t *attributes, size_t bytes)
{
    size_t tls = TLS_RESERVE;
    dl_iterate_phdr(add_tls, &tls);
    int error = bytes ? pthread_attr_setstacksize(attributes, bytes)
                      : pthread_attr_getstacksize(attributes, &bytes);
    if (error || bytes > SIZE_MAX - tls)
        return error ? error : EAGAIN;
    return pthread_attr_setstacksize(attributes, bytes + tls);
}

int svc__thread_start_program(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg),
                              void *arg)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    error = set_stack(&attributes, stack_bytes);
    if (!error)
        error = pthread_create(thread, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    return error;
}

int svc__thread_start(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg), void *arg)
{
    sigset_t most, before;
    sigfillset(&most);
    sigdelset(&most, SIGPROF); /* else the kernel interrupts another thread for this one's time */
    pthread_sigmask(SIG_SETMASK, &most, &before);
    int error = svc__thread_start_program(thread, stack_bytes, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool svc__thread_pipe_harmless(void)
{
    struct sigaction action;
    sigset_t mask;
    sigemptyset(&mask);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGPIPE) == 1 ||
           (!sigaction(SIGPIPE, NULL, &action) && action.sa_handler != SIG_DFL);
}

bool svc__thread_filtered(void)
{
    static const char key[] = "\nSeccomp:\t";
    char status[4096];
    int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, status, sizeof status - 1);
    if (fd >= 0)
        close(fd);
    status[len > 0 ? len : 0] = '\0';
    const char *at = strstr(status, key);
    return !at || at[sizeof key - 1] != '0';
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
