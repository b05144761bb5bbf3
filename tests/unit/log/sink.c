#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/num.h"
#include "libsvc/log/sink.h"
#include "tests/unit/base/support.h"

static const struct sink_report report = {
    "{\"time\":\"", "\",\"level\":\"warn\",\"msg\":\"log lines dropped\",\"dropped\":", "}"};

enum { LONG_MS = 60000 }; /* a deadline that is not meant to pass */

static int ends[2]; /* of a pipe: to read, to write */

static void open_pipe(void)
{
    cr_assert_eq(pipe(ends), 0);
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

TestSuite(log_sink, .init = open_pipe, .fini = close_pipe);

/* Takes all there is from a descriptor, up to its end. */
struct reader {
    int fd;
    pthread_t thread;
    char *data;
    size_t len, size;
};

static void *read_to_end(void *arg)
{
    struct reader *r = arg;
    ssize_t n;
    do {
        if (r->len == r->size)
            r->data = realloc(r->data, r->size = r->size * 2 + 65536);
        n = read(r->fd, r->data + r->len, r->size - r->len);
        r->len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    return NULL;
}

static void start_reader(struct reader *r, int fd)
{
    *r = (struct reader){.fd = fd};
    cr_assert_eq(pthread_create(&r->thread, NULL, read_to_end, r), 0);
}

/* The next line without its line feed; "none" at the end. What has no line feed is an error. */
static struct bytes next_line(struct bytes *rest)
{
    struct bytes all = *rest;
    struct bytes line = svc__bytes_cut(rest, '\n');
    cr_assert(rest->data != NULL || all.len == 0, "\"%.*s\" has no line feed", SHOW(all));
    return rest->data == NULL ? svc__bytes(NULL, 0) : line;
}

/* The number in a report of drops; 0 for any other line. */
static uint64_t reported(struct bytes line)
{
    static const char mark[] = "\"msg\":\"log lines dropped\",\"dropped\":";
    const char *at = memmem(line.data, line.len, mark, sizeof mark - 1);
    uint64_t dropped = 0;
    if (at == NULL)
        return 0;
    at += sizeof mark - 1;
    struct bytes digits = svc__bytes(at, line.len - (size_t)(at - line.data) - 1);
    cr_assert_eq(svc__num_u64(digits, UINT64_MAX, &dropped), 0, "%.*s", SHOW(line));
    cr_assert_eq(line.data[0], '{');
    cr_assert_eq(line.data[line.len - 1], '}');
    return dropped;
}

static bool offer(struct sink_ring *ring, const char *line)
{
    return svc__sink_write(ring, line, strlen(line));
}

Test(log_sink, bad_descriptors_and_sizes_are_refused)
{
    cr_expect_null(svc__sink_open(-1, 0, 1, &report));
    cr_expect_null(svc__sink_open(ends[1], (size_t)SINK_RING_MAX + 1, 1, &report));
    cr_expect_null(svc__sink_open(ends[1], 0, SIZE_MAX, &report));
    cr_expect_eq(svc__sink_close(NULL, 0), 0);
}

Test(log_sink, lines_are_written_while_it_is_open)
{
    struct sink *sink = svc__sink_open(ends[1], 0, 1, &report);
    struct sink_ring *ring = svc__sink_ring(sink);
    char got[8];
    for (int i = 0; i < 20; i++) { /* mostly from sleep, as the read waits for the writer */
        cr_assert(offer(ring, "abc"));
        cr_assert_eq(read(ends[0], got, sizeof got), 4);
        cr_assert_arr_eq(got, "abc\n", 4);
    }
    cr_assert(svc__sink_write_shared(sink, "x\0y", 3));
    cr_assert_eq(read(ends[0], got, sizeof got), 4);
    cr_expect_arr_eq(got, "x\0y\n", 4);
    cr_expect_eq(svc__sink_close(sink, LONG_MS), 0);
}

/* The line comes at one moment after another of the writer's falling asleep. */
Test(log_sink, a_writer_that_falls_asleep_misses_no_line)
{
    char got[8];
    for (int yields = 0; yields < 300; yields++) {
        struct sink *sink = svc__sink_open(ends[1], SINK_RING_MIN, 0, &report);
        struct pollfd fd = {ends[0], POLLIN, 0};
        for (int i = 0; i < yields; i++)
            sched_yield();
        cr_assert(svc__sink_write_shared(sink, "abc", 3));
        cr_assert_eq(poll(&fd, 1, LONG_MS), 1, "nobody woke the writer");
        cr_assert_eq(read(ends[0], got, sizeof got), 4);
        for (int i = 0; i < yields; i++)
            sched_yield();
        cr_assert(svc__sink_write_shared(sink, "abc", 3));
        cr_assert_eq(svc__sink_close(sink, LONG_MS), 0);
        cr_assert_eq(read(ends[0], got, sizeof got), 4);
    }
}

Test(log_sink, rings_are_limited_in_number)
{
    struct sink *sink = svc__sink_open(ends[1], 0, 2, &report);
    struct sink_ring *first = svc__sink_ring(sink);
    struct sink_ring *second = svc__sink_ring(sink);
    cr_expect(first != NULL && second != NULL && first != second);
    cr_expect_null(svc__sink_ring(sink));
    cr_expect(svc__sink_write_shared(sink, "a", 1), "the shared ring is not one of them");
    cr_expect_eq(svc__sink_close(sink, LONG_MS), 0);
}

/* Offers a line that is just too long for a ring of that size, and one that is not. */
static void expect_longest_line(size_t ring_size, size_t longest)
{
    static char text[SINK_LINE_MAX + 1];
    struct reader reader;
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    struct sink *sink = svc__sink_open(fds[1], ring_size, 0, &report);
    close(fds[1]);
    start_reader(&reader, fds[0]);
    memset(text, 'a', sizeof text);
    cr_expect_not(svc__sink_write_shared(sink, text, longest + 1));
    cr_expect(svc__sink_write_shared(sink, text, longest));
    cr_expect_eq(svc__sink_stop(sink, LONG_MS), 0);
    cr_expect_eq(svc__sink_written(sink), 1);
    cr_expect_eq(svc__sink_dropped(sink), 1);
    svc__sink_close(sink, 0);
    pthread_join(reader.thread, NULL);
    close(fds[0]);
    struct bytes rest = svc__bytes(reader.data, reader.len);
    struct bytes first = next_line(&rest), second = next_line(&rest);
    cr_expect_eq(reported(first) + reported(second), 1);
    cr_expect_eq(reported(first) ? second.len : first.len, longest);
    cr_expect_null(next_line(&rest).data);
    free(reader.data);
}

Test(log_sink, a_line_longer_than_the_limit_or_the_ring_is_dropped_and_told)
{
    expect_longest_line(0, SINK_LINE_MAX);
    expect_longest_line(1, SINK_RING_MIN - 4);
}

enum { PRODUCERS = 4, LINES = 20000 };

struct producer {
    pthread_t thread;
    struct sink *sink;
    struct sink_ring *ring; /* NULL: the shared one */
    unsigned number;
    size_t accepted;
};

/* Lines "producer number filling", of many lengths. */
static void *offer_all(void *arg)
{
    struct producer *p = arg;
    char line[128];
    for (unsigned i = 0; i < LINES; i++) {
        int len = sprintf(line, "%u %u %.*s", p->number, i, (int)(i % 80),
                          "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
                          "abcdefghijklmnopqrstuvwxyz");
        bool ok = p->ring != NULL ? svc__sink_write(p->ring, line, (size_t)len)
                                  : svc__sink_write_shared(p->sink, line, (size_t)len);
        p->accepted += ok;
        if (!ok)
            sched_yield();
    }
    return NULL;
}

/* Half of the producers have a ring, the other half share one. */
static size_t run_producers(struct sink *sink)
{
    struct producer p[PRODUCERS];
    size_t accepted = 0;
    for (unsigned i = 0; i < PRODUCERS; i++) {
        p[i] = (struct producer){.sink = sink, .number = i};
        p[i].ring = i < PRODUCERS / 2 ? svc__sink_ring(sink) : NULL;
        cr_assert_eq(pthread_create(&p[i].thread, NULL, offer_all, &p[i]), 0);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        pthread_join(p[i].thread, NULL);
        accepted += p[i].accepted;
    }
    return accepted;
}

/* Checks that each line is whole and that a producer's lines are in order. Returns how many there
 * are; adds up what the reports among them tell. */
static size_t check_lines(struct bytes text, uint64_t *told)
{
    int64_t last[PRODUCERS] = {-1, -1, -1, -1};
    size_t count = 0;
    for (struct bytes line; (line = next_line(&text)).data != NULL;) {
        unsigned producer, number;
        int head = 0;
        uint64_t dropped = reported(line);
        *told += dropped;
        if (dropped > 0)
            continue;
        char copy[128] = {0};
        cr_assert_lt(line.len, sizeof copy);
        memcpy(copy, line.data, line.len);
        cr_assert_eq(sscanf(copy, "%u %u %n", &producer, &number, &head), 2, "%s", copy);
        cr_assert(producer < PRODUCERS && (int64_t)number > last[producer], "%s", copy);
        /* A filling of no letters leaves a space at the end, which %n has skipped. */
        size_t filling = number % 80 < 78 ? number % 80 : 78;
        cr_assert_eq(line.len - (size_t)head, filling, "%s", copy);
        last[producer] = number;
        count++;
    }
    return count;
}

Test(log_sink, a_clean_close_loses_nothing_that_was_accepted)
{
    struct reader reader;
    uint64_t told = 0;
    struct sink *sink = svc__sink_open(ends[1], 1 << 14, PRODUCERS, &report);
    close(ends[1]);
    start_reader(&reader, ends[0]);
    size_t accepted = run_producers(sink);
    cr_expect_eq(svc__sink_stop(sink, LONG_MS), 0);
    cr_expect_eq(svc__sink_written(sink), accepted);
    uint64_t dropped = svc__sink_dropped(sink);
    cr_expect_eq(accepted + dropped, (uint64_t)PRODUCERS * LINES);
    cr_expect_eq(svc__sink_close(sink, LONG_MS), 0);
    pthread_join(reader.thread, NULL);
    cr_expect_eq(check_lines(svc__bytes(reader.data, reader.len), &told), accepted);
    cr_expect_eq(told, dropped, "every drop is told");
    free(reader.data);
}

/* Nobody reads until all has been offered: the producers get through all the same. */
Test(log_sink, a_reader_that_stops_costs_lines_but_no_time)
{
    struct reader reader;
    uint64_t told = 0;
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    struct sink *sink = svc__sink_open(ends[1], SINK_RING_MIN, PRODUCERS, &report);
    close(ends[1]);
    size_t accepted = run_producers(sink);
    cr_expect_lt(accepted, (size_t)PRODUCERS * LINES, "there was no room for all");
    start_reader(&reader, ends[0]);
    cr_expect_eq(svc__sink_stop(sink, LONG_MS), 0);
    uint64_t written = svc__sink_written(sink), dropped = svc__sink_dropped(sink);
    cr_expect_eq(written, accepted);
    cr_expect_eq(written + dropped, (uint64_t)PRODUCERS * LINES);
    svc__sink_close(sink, 0);
    pthread_join(reader.thread, NULL);
    cr_expect_eq(check_lines(svc__bytes(reader.data, reader.len), &told), written);
    cr_expect_eq(told, dropped);
    free(reader.data);
}

Test(log_sink, a_deadline_ends_the_close_when_nobody_reads)
{
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    struct sink *sink = svc__sink_open(ends[1], SINK_RING_MIN, PRODUCERS, &report);
    run_producers(sink);
    uint64_t before_ms = svc__clock_ms();
    cr_expect_eq(svc__sink_stop(sink, 50), SVC_EFORCED);
    cr_expect_geq(svc__clock_ms() - before_ms, 49);
    cr_expect_lt(svc__clock_ms() - before_ms, LONG_MS);
    cr_expect_eq(svc__sink_written(sink) + svc__sink_dropped(sink), (uint64_t)PRODUCERS * LINES);
    cr_expect_eq(svc__sink_close(sink, LONG_MS), SVC_EFORCED, "a second stop returns the same");
}

Test(log_sink, no_time_at_all_is_a_deadline)
{
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    struct sink *sink = svc__sink_open(ends[1], SINK_RING_MIN, PRODUCERS, &report);
    run_producers(sink);
    cr_expect_eq(svc__sink_close(sink, 0), SVC_EFORCED);
    sink = svc__sink_open(ends[1], 0, 0, &report);
    cr_expect_eq(svc__sink_close(sink, 0), 0, "but there must be something to write");
}

Test(log_sink, lines_after_the_stop_count_as_dropped)
{
    struct sink *sink = svc__sink_open(ends[1], SINK_RING_MIN, 1, &report);
    struct sink_ring *ring = svc__sink_ring(sink);
    cr_assert(offer(ring, "before"));
    cr_expect_eq(svc__sink_stop(sink, LONG_MS), 0);
    for (int i = 0; i < 1000; i++)
        offer(ring, "after");
    cr_expect_eq(svc__sink_written(sink), 1);
    cr_expect_eq(svc__sink_dropped(sink), 1000);
    cr_expect_eq(svc__sink_close(sink, LONG_MS), 0);
}

static char *temporary(const char *name)
{
    static char path[256];
    const char *dir = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/svc_sink_%s_XXXXXX", dir ? dir : "/tmp", name);
    return path;
}

Test(log_sink, lines_are_appended_to_a_file)
{
    char *path = temporary("file"), got[64];
    int fd = mkostemp(path, O_APPEND);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "old\n", 4), 4);
    for (int i = 0; i < 2; i++) {
        struct sink *sink = svc__sink_open(fd, 0, 1, &report);
        cr_assert(svc__sink_write_shared(sink, i ? "two" : "one", 3));
        cr_expect_eq(svc__sink_close(sink, LONG_MS), 0);
    }
    cr_assert_eq(pread(fd, got, sizeof got, 0), 12);
    cr_expect_arr_eq(got, "old\none\ntwo\n", 12);
    close(fd);
    unlink(path);
}

Test(log_sink, a_file_gets_every_line)
{
    char *path = temporary("many");
    uint64_t told = 0;
    struct reader reader = {0};
    int fd = mkostemp(path, 0);
    struct sink *sink = svc__sink_open(fd, 1 << 23, PRODUCERS, &report);
    cr_expect_eq(run_producers(sink), PRODUCERS * LINES);
    cr_expect_eq(svc__sink_close(sink, LONG_MS), 0);
    lseek(fd, 0, SEEK_SET);
    reader.fd = fd;
    read_to_end(&reader);
    cr_expect_eq(check_lines(svc__bytes(reader.data, reader.len), &told), PRODUCERS * LINES);
    cr_expect_eq(told, 0);
    free(reader.data);
    close(fd);
    unlink(path);
}

Test(log_sink, a_full_device_costs_lines_which_are_counted)
{
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        cr_skip_test("there is no /dev/full");
    struct sink *sink = svc__sink_open(fd, 0, 1, &report);
    struct sink_ring *ring = svc__sink_ring(sink);
    for (int i = 0; i < 100; i++)
        cr_assert(offer(ring, "a"));
    cr_expect_eq(svc__sink_stop(sink, LONG_MS), 0, "errors are no reason for force");
    cr_expect_eq(svc__sink_written(sink), 0);
    cr_expect_eq(svc__sink_dropped(sink), 100);
    svc__sink_close(sink, 0);
    close(fd);
}

static void await_drops(struct sink *sink, uint64_t count)
{
    while (svc__sink_dropped(sink) < count)
        sched_yield();
}

/* The reader of a named pipe leaves, which breaks it, and another one comes. */
Test(log_sink, a_broken_pipe_costs_lines_until_it_is_whole_again)
{
    char got[256], path[300], *dir = mkdtemp(temporary("fifo"));
    cr_assert_not_null(dir);
    snprintf(path, sizeof path, "%s/pipe", dir);
    cr_assert_eq(mkfifo(path, 0600), 0);
    signal(SIGPIPE, SIG_DFL); /* which would end the test */
    int from = open(path, O_RDONLY | O_NONBLOCK), to = open(path, O_WRONLY);
    cr_assert(from >= 0 && to >= 0);
    struct sink *sink = svc__sink_open(to, 0, 1, &report);
    struct sink_ring *ring = svc__sink_ring(sink);
    close(from);
    cr_assert(offer(ring, "lost"));
    cr_assert(offer(ring, "lost"));
    await_drops(sink, 2);
    from = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert(offer(ring, "found"));
    cr_expect_eq(svc__sink_stop(sink, LONG_MS), 0);
    cr_expect_eq(svc__sink_written(sink), 1);
    cr_expect_eq(svc__sink_dropped(sink), 2);
    ssize_t len = read(from, got, sizeof got);
    cr_assert_gt(len, 0);
    struct bytes rest = svc__bytes(got, (size_t)len), first = next_line(&rest);
    struct bytes second = next_line(&rest);
    /* The report may come first, if the writer tried again before the line was offered. */
    cr_expect_eq(reported(first) + reported(second), 2, "%.*s", (int)len, got);
    cr_expect(svc__bytes_eq_z(first, "found") || svc__bytes_eq_z(second, "found"));
    svc__sink_close(sink, 0);
    close(from);
    close(to);
    unlink(path);
    rmdir(dir);
}

/* A terminal says that it is ready for any number of bytes once it has room for one, so the writer
 * hangs when the far side does not read. */
Test(log_sink, a_writer_that_hangs_in_a_write_is_left_behind)
{
    static char text[4000];
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        cr_skip_test("there are no pseudo terminals");
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        cr_skip_test("there are no pseudo terminals");
    struct sink *sink = svc__sink_open(terminal, 0, 1, &report);
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 40; i++)
        cr_assert(svc__sink_write_shared(sink, text, sizeof text));
    cr_expect_eq(svc__sink_stop(sink, 1), SVC_EFORCED);
    cr_expect_eq(svc__sink_written(sink) + svc__sink_dropped(sink), 40);
    cr_expect_eq(svc__sink_close(sink, LONG_MS), SVC_EFORCED);
    close(terminal);
    /* The writer's duplicate is the last: the master hangs up when the writer closes it. */
    struct pollfd fd = {master, POLLIN, 0};
    char got[4096];
    while (poll(&fd, 1, LONG_MS) > 0 && read(master, got, sizeof got) > 0) {
        /* what the terminal shows */
    }
    cr_expect(fd.revents & POLLHUP);
    close(master);
}
