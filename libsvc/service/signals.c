/* SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGPIPE while svc_app_run runs. */
#include "libsvc/service/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <svc/errors.h>

enum { SIGNALED = 128 /* a shell's exit status for signal 0 */ };

static void take_stop(int number), take_hangup(int number), take_user(int number);

static const struct {
    int number;
    void (*take)(int number);
    bool if_unused; /* the program may have the signal for something else, or ignore it */
} signals[] = {
    {SIGTERM, take_stop, false},
    {SIGINT, take_stop, false},
    {SIGHUP, take_hangup, true},
    {SIGUSR1, take_user, true},
};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* Everything that the handler touches lives as long as the program: it may still run in another
 * thread when the signals have been given back. */
static _Atomic bool taken;
static _Atomic unsigned count, hangups, users;
static _Atomic bool interrupted, in_order;
static _Atomic int event_fd = -1;
static _Atomic pid_t process; /* the process that has taken the signals */
static struct sigaction before[SIGNALS];
static sigset_t mask_before;

/* Ends the process by the signal's default action, so that its parent sees the signal. The first
 * process of a container has no such action. */
static void end_process(int number)
{
    sigset_t mask;
    signal(number, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
    raise(number);
    _exit(SIGNALED + number);
}

static void wake_reader(void)
{
    uint64_t one = 1;
    int saved = errno;
    if (write(atomic_load(&event_fd), &one, sizeof one) < 0)
        errno = saved; /* a full eventfd wakes as well */
}

/* Whether this is a child process that has not executed another program yet: the signals were taken
 * for the parent. */
static bool is_child(void)
{
    return getpid() != atomic_load(&process);
}

static void take_stop(int number)
{
    if (is_child())
        end_process(number);
    unsigned earlier = atomic_fetch_add(&count, 1);
    if (number == SIGINT)
        atomic_store(&interrupted, true);
    if (earlier > 0 && !atomic_load(&in_order))
        end_process(number);
    wake_reader();
}

static void take_hangup(int number)
{
    if (is_child())
        end_process(number);
    atomic_fetch_add(&hangups, 1);
    wake_reader();
}

static void take_user(int number)
{
    if (is_child())
        end_process(number);
    atomic_fetch_add(&users, 1);
    wake_reader();
}

static int open_event(void)
{
    if (event_fd < 0)
        event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event_fd < 0 ? SVC_ESYSTEM : 0;
}

/* Whether the program uses the signal: it has a handler, ignores the signal, or waits for it. */
static bool is_used(size_t i)
{
    return before[i].sa_handler != SIG_DFL || sigismember(&mask_before, signals[i].number) == 1;
}

/* SA_RESTART: system calls of hooks go on after a signal, where the system restarts them. */
static void install(void)
{
    sigset_t mask;
    sigemptyset(&mask);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction action = {.sa_handler = signals[i].take, .sa_flags = SA_RESTART};
        sigaddset(&action.sa_mask, SIGTERM);
        sigaddset(&action.sa_mask, SIGINT);
        sigaction(signals[i].number, NULL, &before[i]);
        if (signals[i].if_unused && is_used(i))
            continue;
        sigaction(signals[i].number, &action, NULL);
        sigaddset(&mask, signals[i].number);
    }
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

static void take_nothing(int number)
{
    (void)number;
}

/* A handler is set and not SIG_IGN, which child processes would inherit. */
static void disarm_pipe(void)
{
    struct sigaction action = {.sa_handler = take_nothing, .sa_flags = SA_RESTART}, now;
    if (!sigaction(SIGPIPE, NULL, &now) && now.sa_handler == SIG_DFL)
        sigaction(SIGPIPE, &action, NULL);
}

int svc__signals_take(void)
{
    if (atomic_exchange(&taken, true))
        return SVC_ESTATE;
    if (open_event()) {
        taken = false;
        return SVC_ESYSTEM;
    }
    count = hangups = users = 0;
    interrupted = in_order = false;
    process = getpid();
    install();
    disarm_pipe();
    return 0;
}

/* Handlers that the program has set in the meantime stay. */
void svc__signals_give_back(void)
{
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction now;
        if (!sigaction(signals[i].number, NULL, &now) && now.sa_handler == signals[i].take)
            sigaction(signals[i].number, &before[i], NULL);
    }
    taken = false;
}

const _Atomic unsigned *svc__signals_count(void)
{
    return &count;
}

unsigned svc__signals_hangups(void)
{
    return atomic_load(&hangups);
}

unsigned svc__signals_users(void)
{
    return atomic_load(&users);
}

bool svc__signals_interrupted(void)
{
    return atomic_load(&interrupted);
}

int svc__signals_fd(void)
{
    return event_fd;
}

void svc__signals_read_in_order(bool reads)
{
    in_order = reads;
}
