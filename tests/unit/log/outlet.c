#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/log/outlet.h"
#include "tests/support/large.h"
#include "tests/support/test_clock.h"
#include "tests/unit/base/support.h"

static struct outlet *outlet;
static int wake_fd;
static int ends[2]; /* of a pipe: to read, to write */

static void open_outlet(void)
{
    signal(SIGPIPE, SIG_IGN);
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    outlet = calloc(1, sizeof *outlet);
    cr_assert(wake_fd >= 0 && outlet != NULL && pipe(ends) == 0);
}

static void close_outlet(void)
{
    free(outlet);
    close(wake_fd);
    close(ends[0]);
    close(ends[1]);
}

TestSuite(log_outlet, .init = open_outlet, .fini = close_outlet);

static bool add(const char *line)
{
    char *to = svc__outlet_line(outlet, strlen(line));
    if (to != NULL)
        memcpy(to, line, strlen(line));
    return to != NULL;
}

/* Adds a line of `len` times `c`. */
static bool add_run(char c, size_t len)
{
    char *to = svc__outlet_line(outlet, len);
    if (to != NULL)
        memset(to, c, len);
    return to != NULL;
}

static void expect_read(int fd, const char *want)
{
    char got[256];
    ssize_t n = read(fd, got, sizeof got);
    cr_assert_geq(n, 0);
    cr_expect(svc__bytes_eq(svc__bytes(got, (size_t)n), svc__bytes_z(want)), "read \"%.*s\"",
              (int)n, got);
}

Test(log_outlet, a_batch_is_written_line_by_line)
{
    _Atomic uint64_t written = 5;
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_expect_eq(svc__outlet_flush(outlet, &written), 0);
    cr_assert(add("one") && add("") && add("three"));
    cr_expect_eq(svc__outlet_flush(outlet, &written), 3);
    expect_read(ends[0], "one\n\nthree\n");
    cr_expect_eq(written, 8);
    cr_assert(add("four"));
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 1);
    expect_read(ends[0], "four\n");
    svc__outlet_free(outlet);
}

Test(log_outlet, a_descriptor_that_is_none_is_refused)
{
    cr_expect_eq(svc__outlet_init(outlet, -1, wake_fd), SVC_ESYSTEM);
}

Test(log_outlet, the_descriptor_is_a_duplicate_whose_flags_stay)
{
    int flags = fcntl(ends[1], F_GETFL);
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_expect_neq(outlet->fd, ends[1]);
    cr_expect(fcntl(outlet->fd, F_GETFD) & FD_CLOEXEC);
    cr_assert(add("a"));
    svc__outlet_flush(outlet, NULL);
    cr_expect_eq(fcntl(ends[1], F_GETFL), flags);
    svc__outlet_free(outlet);
    cr_expect_eq(write(ends[1], "x", 1), 1);
}

Test(log_outlet, a_batch_has_a_limit_of_bytes_and_of_lines)
{
    size_t lines = 0;
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_expect_not(add_run('a', OUTLET_LINE_MAX + 2));
    cr_expect(add_run('a', OUTLET_LINE_MAX));
    cr_expect_not(add_run('b', 1));
    outlet->lines = 0;
    while (add("c"))
        lines++;
    cr_expect_eq(lines, OUTLET_LINES);
    outlet->lines = 0;
    outlet->torn = true;
    cr_expect(add_run('a', OUTLET_LINE_MAX), "the longest line fits behind a line feed too");
    svc__outlet_free(outlet);
}

struct reader {
    int fd;
    char *data;
    size_t size, len;
};

static void *read_all(void *arg)
{
    struct reader *r = arg;
    ssize_t n;
    while ((n = read(r->fd, r->data + r->len, r->size - r->len)) > 0)
        r->len += (size_t)n;
    return NULL;
}

/* Far more than a pipe or a socket holds, with lines longer than a piece among them. */
static void expect_large_batches_to_arrive(int from, int to)
{
    enum { ROOM = 1 << 20 };
    char *want = large(ROOM), *got = large(ROOM);
    struct reader reader = {from, got, ROOM, 0};
    pthread_t thread;
    size_t len = 0;
    cr_assert_eq(svc__outlet_init(outlet, to, wake_fd), 0);
    close(to);
    cr_assert_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
    for (size_t i = 0; i < 200; i++) {
        size_t n = i * 131 % 9000;
        char c = (char)('a' + i % 26);
        if (!add_run(c, n)) {
            svc__outlet_flush(outlet, NULL);
            cr_assert(add_run(c, n));
        }
        memset(want + len, c, n);
        want[len + n] = '\n';
        len += n + 1;
    }
    svc__outlet_flush(outlet, NULL);
    svc__outlet_free(outlet);
    pthread_join(thread, NULL);
    cr_expect(svc__bytes_eq(svc__bytes(got, reader.len), svc__bytes(want, len)));
}

Test(log_outlet, large_batches_pass_a_pipe_whole)
{
    expect_large_batches_to_arrive(ends[0], ends[1]);
}

Test(log_outlet, large_batches_pass_a_socket_whole)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    expect_large_batches_to_arrive(pair[0], pair[1]);
    close(pair[0]);
}

Test(log_outlet, large_batches_pass_a_pipe_that_does_not_block)
{
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    expect_large_batches_to_arrive(ends[0], ends[1]);
}

/* Waits for the first bytes, behind which the writer finds the pipe full. */
static void await_first_bytes(void)
{
    struct pollfd fd = {ends[0], POLLIN, 0};
    cr_expect_eq(poll(&fd, 1, -1), 1);
}

static void *pass_deadline(void *arg)
{
    await_first_bytes();
    test_clock_ns = atomic_load(&outlet->deadline_ns);
    return arg;
}

/* Writes what was added, with a deadline that passes when the first bytes have gone. How many lines
 * were written. */
static size_t flush_in_time(void)
{
    pthread_t thread;
    test_clock_stop();
    atomic_store(&outlet->deadline_ns, test_clock_ns + 20000000);
    cr_assert_eq(pthread_create(&thread, NULL, pass_deadline, NULL), 0);
    size_t lines = svc__outlet_flush(outlet, NULL);
    pthread_join(thread, NULL);
    return lines;
}

/* A pipe that is full and nobody reads: what fitted is written, the rest is lost, and the line that
 * was cut ends before the next. */
Test(log_outlet, a_deadline_ends_the_waiting)
{
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_assert(add_run('a', 99) && add_run('b', 9000) && add_run('c', 9));
    cr_expect_eq(flush_in_time(), 1);
    cr_expect(outlet->gave_up);
    cr_expect_geq(svc__clock_ns(), atomic_load(&outlet->deadline_ns));
    svc__outlet_free(outlet);
}

static void *set_deadline(void *arg)
{
    uint64_t one = 1;
    await_first_bytes();
    atomic_store(&outlet->deadline_ns, 0);
    cr_expect_eq(write(wake_fd, &one, sizeof one), sizeof one);
    return arg;
}

Test(log_outlet, a_deadline_set_while_it_waits_is_seen)
{
    pthread_t thread;
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_assert(add_run('a', 9000));
    cr_assert_eq(pthread_create(&thread, NULL, set_deadline, NULL), 0);
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 0);
    cr_expect(outlet->gave_up && outlet->torn);
    pthread_join(thread, NULL);
    svc__outlet_free(outlet);
}

Test(log_outlet, a_line_that_was_cut_is_ended_before_the_next)
{
    char got[16384];
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_assert(add_run('a', 6000));
    cr_expect_eq(flush_in_time(), 0);
    cr_assert_eq(read(ends[0], got, sizeof got), 4096);
    atomic_store(&outlet->deadline_ns, UINT64_MAX);
    cr_assert(add("next"));
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 1);
    expect_read(ends[0], "\nnext\n");
    cr_assert(add("last"));
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 1);
    expect_read(ends[0], "last\n");
    svc__outlet_free(outlet);
}

Test(log_outlet, a_reader_who_left_costs_the_batch_and_no_signal)
{
    int pair[2];
    signal(SIGPIPE, SIG_DFL);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    cr_assert_eq(svc__outlet_init(outlet, pair[1], wake_fd), 0);
    close(pair[0]);
    cr_assert(add("a") && add("b"));
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 0);
    cr_expect_not(outlet->gave_up);
    cr_expect_not(outlet->torn);
    svc__outlet_free(outlet);
    close(pair[1]);
}

Test(log_outlet, a_full_device_costs_the_batch)
{
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        cr_skip_test("there is no /dev/full");
    cr_assert_eq(svc__outlet_init(outlet, fd, wake_fd), 0);
    cr_assert(add("a"));
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 0);
    cr_expect_not(outlet->gave_up);
    svc__outlet_free(outlet);
    close(fd);
}

/* ---- Another output */

static char home[] = "/tmp/svc-outlet-XXXXXX", path[64];

static void name_path(void)
{
    cr_assert(mkdtemp(home));
    snprintf(path, sizeof path, "%s/file", home);
}

static void remove_path(void)
{
    unlink(path);
    rmdir(home);
}

static void expect_file(const char *want)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    expect_read(fd, want);
    close(fd);
}

Test(log_outlet, a_file_takes_the_batch_that_was_begun_and_no_rest_of_a_line)
{
    name_path();
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    outlet->torn = true;
    cr_assert(add("a") && add("b"));
    cr_expect_eq(svc__outlet_reopen(outlet, path), 0);
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 2);
    expect_file("a\nb\n");
    cr_expect(outlet->is_regular && !outlet->torn);
    svc__outlet_free(outlet);
    remove_path();
}

Test(log_outlet, what_cannot_be_opened_changes_nothing)
{
    name_path();
    cr_assert_eq(svc__outlet_init(outlet, ends[1], wake_fd), 0);
    cr_expect_eq(svc__outlet_reopen(outlet, "/nowhere/file"), ENOENT);
    cr_expect_eq(svc__outlet_reopen(outlet, home), EISDIR);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(svc__outlet_reopen(outlet, path), ENXIO,
                 "a FIFO without a reader is not waited for");
    cr_assert(add("a"));
    cr_expect_eq(svc__outlet_flush(outlet, NULL), 1);
    expect_read(ends[0], "a\n");
    svc__outlet_free(outlet);
    remove_path();
}
