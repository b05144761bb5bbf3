/* Descriptors that a loop watches, and watches that end while events point at them. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/run/support.h"

TestSuite(run_watch, .init = open_loop, .fini = close_loop);

static int told;
static unsigned last;

static void note(unsigned events, void *arg)
{
    (void)arg;
    last = events;
    told++;
}

static int ready_fd(void)
{
    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    cr_assert_geq(fd, 0);
    return fd;
}

/* A turn that does not wait. */
static void turn(void)
{
    svc__reactor_turn(&loop, 0);
}

Test(run_watch, tells_what_is_ready_as_long_as_it_is)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    svc_watch *in = svc_watch_new(&loop, ends[0], SVC_READABLE, note, NULL);
    turn();
    cr_expect_eq(told, 0);
    cr_expect_eq(write(ends[1], "ab", 2), 2);
    turn();
    turn();
    cr_expect_eq(told, 2);
    cr_expect_eq(last, SVC_READABLE);
    char byte[2];
    cr_expect_eq(read(ends[0], byte, 2), 2);
    turn();
    cr_expect_eq(told, 2);
    svc_watch_free(in);
    close(ends[0]);
    close(ends[1]);
}

Test(run_watch, waits_for_other_events_when_told_so)
{
    int fd = ready_fd();
    svc_watch *watch = svc_watch_new(&loop, fd, SVC_READABLE | SVC_WRITABLE, note, NULL);
    turn();
    cr_expect_eq(last, SVC_READABLE | SVC_WRITABLE);
    cr_expect_eq(svc_watch_set(watch, SVC_WRITABLE), 0);
    turn();
    cr_expect_eq(last, SVC_WRITABLE);
    cr_expect_eq(svc_watch_set(watch, 0), 0);
    cr_expect_eq(svc_watch_set(watch, 0), 0);
    turn();
    cr_expect_eq(told, 2);
    cr_expect_eq(svc_watch_set(watch, SVC_READABLE), 0);
    turn();
    cr_expect_eq(told, 3);
    cr_expect_eq(svc_watch_set(watch, 4), SVC_EINVAL);
    svc_watch_free(watch);
    close(fd);
}

Test(run_watch, a_hang_up_is_told_to_who_waits_and_only_to_them)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    svc_watch *in = svc_watch_new(&loop, ends[0], SVC_READABLE, note, NULL);
    svc_watch *out = svc_watch_new(&loop, ends[1], 0, note, NULL);
    close(ends[0]); /* while its watch lives, to see that the free gets over it */
    svc_watch_free(in);
    turn();
    cr_expect_eq(told, 0);
    cr_expect_eq(svc_watch_set(out, SVC_WRITABLE), 0);
    turn();
    cr_expect_eq(last, SVC_WRITABLE);
    svc_watch_free(out);
    close(ends[1]);
}

Test(run_watch, what_cannot_be_watched_is_refused)
{
    int fd = ready_fd(), file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    svc_watch *watch = svc_watch_new(&loop, fd, SVC_READABLE, note, NULL);
    cr_expect_not_null(watch);
    cr_expect_null(svc_watch_new(&loop, fd, SVC_READABLE, note, NULL), "twice");
    cr_expect_null(svc_watch_new(&loop, file, SVC_READABLE, note, NULL), "a file");
    cr_expect_null(svc_watch_new(&loop, -1, SVC_READABLE, note, NULL), "no descriptor");
    cr_expect_null(svc_watch_new(&loop, fd, 8, note, NULL), "no event");
    svc__reactor_enter(NULL);
    cr_expect_null(svc_watch_new(&loop, fd, SVC_READABLE, note, NULL), "another thread");
    cr_expect_eq(svc_watch_set(watch, 0), SVC_ESTATE);
    svc__reactor_enter(&loop);
    svc_watch_free(watch);
    svc_watch_free(NULL);
    close(file);
    close(fd);
}

/* ---- Events of the same turn */

enum { PAIR = 2 };

static svc_watch *watches[PAIR];
static svc_timer *timer;

/* Both are ready in one turn: the first to be told frees both, and the second must not be told. */
static void free_all(unsigned events, void *arg)
{
    (void)events, (void)arg;
    told++;
    for (size_t i = 0; i < PAIR; i++)
        svc_watch_free(watches[i]);
    svc_timer_free(timer);
}

static void never(void *arg)
{
    (void)arg;
    cr_assert(false, "it fired");
}

Test(run_watch, one_that_is_freed_is_not_told_of_what_had_happened)
{
    int fds[PAIR];
    for (size_t i = 0; i < PAIR; i++) {
        fds[i] = ready_fd();
        watches[i] = svc_watch_new(&loop, fds[i], SVC_READABLE, free_all, NULL);
    }
    timer = svc_timer_new(&loop, never, NULL);
    cr_expect_eq(svc_timer_set(timer, 0), 0);
    uint64_t set_ms = svc__clock_ms();
    while (svc__clock_ms() < set_ms + 2)
        continue; /* so that the timer is due in that turn too */
    turn();
    cr_expect_eq(told, 1);
    turn();
    cr_expect_eq(told, 1);
    for (size_t i = 0; i < PAIR; i++)
        close(fds[i]);
}

static int fds[PAIR];

/* Frees the other, and watches another descriptor of its number in its place, which is not ready.
 */
static void replace(unsigned events, void *arg)
{
    size_t other = arg == &fds[0];
    (void)events;
    if (told++)
        return;
    svc_watch_free(watches[other]);
    close(fds[other]);
    cr_expect_eq(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fds[other]);
    watches[other] = svc_watch_new(&loop, fds[other], SVC_READABLE, note, NULL);
    svc_watch_set(watches[!other], 0);
}

Test(run_watch, a_descriptor_number_that_is_used_again_is_another_watch)
{
    for (size_t i = 0; i < PAIR; i++) {
        fds[i] = ready_fd();
        watches[i] = svc_watch_new(&loop, fds[i], SVC_READABLE, replace, &fds[i]);
    }
    turn();
    turn();
    cr_expect_eq(told, 1);
    for (size_t i = 0; i < PAIR; i++) {
        svc_watch_free(watches[i]);
        close(fds[i]);
    }
}

Test(run_watch, those_left_at_the_end_are_told_nothing_and_can_be_freed)
{
    int fd = ready_fd();
    svc_watch *watch = svc_watch_new(&loop, fd, SVC_READABLE, note, NULL);
    svc_watch *idle = svc_watch_new(&loop, fd, 0, note, NULL);
    svc__reactor_end(&loop);
    turn();
    cr_expect_eq(told, 0);
    cr_expect_eq(svc_watch_set(watch, SVC_WRITABLE), SVC_ESTATE);
    svc_watch_free(watch);
    svc_watch_free(idle);
    close(fd);
}
