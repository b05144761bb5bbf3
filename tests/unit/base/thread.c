/* What a thread of the library's own begins with. */
#include "libsvc/base/thread.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

enum { TLS = 300 << 10 };
static _Thread_local char large[TLS]; /* of every thread of this program */

struct seen {
    sigset_t mask;
    size_t stack_bytes;
};

static void *look(void *arg)
{
    struct seen *seen = arg;
    pthread_attr_t attributes;
    pthread_sigmask(SIG_SETMASK, NULL, &seen->mask);
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &seen->stack_bytes);
    pthread_attr_destroy(&attributes);
    return seen;
}

Test(thread, signals_are_blocked_there_and_not_here)
{
    struct seen seen;
    sigset_t here;
    pthread_t thread;
    void *result;
    cr_assert_eq(svc__thread_start(&thread, 0, look, &seen), 0);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_eq(result, &seen);
    cr_expect(sigismember(&seen.mask, SIGTERM) == 1 && sigismember(&seen.mask, SIGPIPE) == 1);
    cr_expect_eq(sigismember(&seen.mask, SIGPROF), 0, "profilers sample every thread");
    pthread_sigmask(SIG_SETMASK, NULL, &here);
    cr_expect_eq(sigismember(&here, SIGTERM), 0);
}

Test(thread, one_for_the_programs_code_has_the_callers_mask)
{
    struct seen seen;
    sigset_t mask;
    pthread_t thread;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    cr_assert_eq(svc__thread_start_program(&thread, 0, look, &seen), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect(sigismember(&seen.mask, SIGUSR1) == 1 && sigismember(&seen.mask, SIGTERM) == 0);
}

static void take_nothing(int number)
{
    (void)number;
}

Test(thread, a_broken_pipe_is_harmless_where_it_does_not_end_the_program)
{
    sigset_t mask;
    signal(SIGPIPE, SIG_DFL);
    cr_expect_not(svc__thread_pipe_harmless());
    signal(SIGPIPE, SIG_IGN);
    cr_expect(svc__thread_pipe_harmless());
    signal(SIGPIPE, take_nothing);
    cr_expect(svc__thread_pipe_harmless());
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    cr_expect(svc__thread_pipe_harmless());
}

Test(thread, the_stack_is_as_large_as_it_is_asked_for)
{
    enum { STACK = 1 << 20 };
    struct seen seen;
    pthread_t thread;
    cr_assert_eq(svc__thread_start(&thread, STACK, look, &seen), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_geq(seen.stack_bytes, STACK);
    cr_expect_lt(seen.stack_bytes, 2 * STACK);
}

static void *use_stack(void *arg)
{
    volatile char stack[48 << 10];
    for (size_t i = 0; i < sizeof stack; i += 1024)
        stack[i] = 1;
    large[TLS - 1] = stack[1024];
    return large[TLS - 1] ? arg : NULL;
}

Test(thread, thread_local_variables_take_nothing_of_the_stack)
{
    enum { STACK = 64 << 10 };
    pthread_t thread;
    void *result;
    cr_assert_eq(svc__thread_start(&thread, STACK, use_stack, &thread), 0);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_eq(result, &thread);
}

Test(thread, one_that_cannot_be_made_is_told)
{
    pthread_t thread;
    cr_expect_eq(svc__thread_start(&thread, 1, look, NULL), EINVAL);
    cr_expect_neq(svc__thread_start(&thread, SIZE_MAX / 4, look, NULL), 0);
}

static void *sleep_then_run(void *arg)
{
    struct thread_usage *usage = arg;
    const struct timespec moment = {0, 1000000};
    svc__thread_usage(&usage[0]);
    for (int i = 0; i < 5; i++)
        nanosleep(&moment, NULL);
    svc__thread_usage(&usage[1]);
    do
        svc__thread_usage(&usage[2]);
    while (usage[2].cpu_ns < usage[1].cpu_ns + 20000000);
    return NULL;
}

Test(thread, a_thread_knows_how_long_it_ran_and_how_often_it_waited)
{
    struct thread_usage usage[3];
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, sleep_then_run, usage), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 3; i++)
        cr_expect(usage[i].known);
    cr_expect_geq(usage[1].waits, usage[0].waits + 5);
    cr_expect_geq(usage[1].cpu_ns, usage[0].cpu_ns);
    cr_expect_geq(usage[2].preemptions, usage[1].preemptions);
}
