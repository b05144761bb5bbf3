/* A large file on its way: which replies go it, and how it ends. */
#include "libsvc/fronts/mhd/mhd_large.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "tests/unit/fronts/mhd/support.h"
#include "tests/unit/fronts/mhd/tcp.h"

enum { FILE_BYTES = 9 << 20, OFFSET = 4096, HEAD_BYTES = 31 };

static struct exchange x;
static FILE *file;

static char pattern(size_t at)
{
    return (char)('a' + at % 23 + at / 4096 % 3);
}

static void open_file(void)
{
    file = tmpfile();
    cr_assert(file);
    for (size_t i = 0; i < OFFSET + FILE_BYTES; i++)
        putc(pattern(i), file);
    fflush(file);
}

/* A request of which libmicrohttpd has taken all that has come. */
static void open_conn(void)
{
    int ends[2];
    open_loop();
    open_file();
    svc__buf_init(&loop.host.scratch, 65536);
    conn.mhd = &mhd;
    conn.conn.loop = &loop;
    conn.conn.part = &mhd.part;
    conn.flight.x = &x;
    conn.call = CALL_FINAL;
    conn.taken_known = true;
    mhd.pipe_harmless = true;
    x = (struct exchange){.host = &loop.host, .framing.chunks = true, .away.kept_head = true};
    x.request.method = svc__bytes("GET", 3);
    x.response.status = 200;
    x.response.body = (struct response_body){
        .kind = REPLY_FILE, .len = FILE_BYTES, .fd = fileno(file), .offset = OFFSET};
    join_tcp(&conn.conn, ends);
    cr_assert_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    peer = ends[1];
    say("GET /f HTTP/1.1\r\nHost: abcd\r\n\r\n");
    char head[HEAD_BYTES + 1];
    cr_assert_eq(recv(conn.conn.fd, head, sizeof head, 0), HEAD_BYTES);
    conn.taken = HEAD_BYTES;
}

static void close_conn(void)
{
    svc__conn_unwatch(&conn.conn);
    free(conn.unsent.data);
    close(conn.conn.fd);
    close(peer);
    fclose(file);
    svc__buf_free(&loop.host.scratch);
    close_loop();
}

TestSuite(mhd_large, .init = open_conn, .fini = close_conn);

/* As libmicrohttpd has it closed: by its own descriptor. */
static void take(bool closes)
{
    int fd = conn.conn.fd;
    signal(SIGPIPE, SIG_IGN);
    cr_assert(svc__mhd_large_begin(&conn, closes));
    svc__mhd_large_take(&conn);
    cr_assert_neq(conn.conn.fd, fd);
    close(fd);
    cr_expect_eq(conn.connection, NULL);
    cr_expect(conn.conn.watched);
}

/* Reads what the peer gets until the reply is not LARGE_MORE any more, and to its end if it is
 * whole. */
static enum large_step drive(char *got, size_t space, size_t *len)
{
    enum large_step step = LARGE_MORE;
    ssize_t n;
    while (step == LARGE_MORE) {
        step = svc__mhd_large_send(&conn);
        while ((n = recv(peer, got + *len, space - *len, MSG_DONTWAIT)) > 0)
            *len += (size_t)n;
    }
    if (step == LARGE_WHOLE)
        shutdown(conn.conn.fd, SHUT_WR);
    while (step == LARGE_WHOLE && (n = recv(peer, got + *len, space - *len, 0)) > 0)
        *len += (size_t)n;
    return step;
}

static void expect_whole(bool closes)
{
    enum { SPACE = FILE_BYTES + 4096 };
    char *got = malloc(SPACE);
    size_t len = 0, same = 0;
    cr_assert(got);
    take(closes);
    cr_assert_eq(drive(got, SPACE, &len), LARGE_WHOLE);
    cr_assert_gt(len, FILE_BYTES);
    const char *body = got + len - FILE_BYTES;
    cr_expect_eq(memcmp(body - 4, "\r\n\r\n", 4), 0);
    cr_expect_eq(memcmp(got, "HTTP/1.1 200 OK\r\n", 17), 0);
    cr_expect_eq(memcmp(got + 17, "Connection: close\r\n", 19) == 0, closes);
    while (same < FILE_BYTES && body[same] == pattern(OFFSET + same))
        same++;
    cr_expect_eq(same, FILE_BYTES, "differs at %zu", same);
    free(got);
}

Test(mhd_large, is_sent_behind_its_head)
{
    expect_whole(false);
    cr_expect_not(conn.large.copies);
}

Test(mhd_large, is_copied_where_sendfile_would_end_the_program)
{
    mhd.pipe_harmless = false;
    expect_whole(true);
    cr_expect(conn.large.copies);
}

Test(mhd_large, is_sent_in_turns_of_limited_length)
{
    take(false);
    cr_expect_eq(svc__mhd_large_send(&conn), LARGE_MORE);
    cr_expect_gt(conn.large.sent, 0);
    cr_expect_leq(conn.large.sent, 1 << 20);
}

Test(mhd_large, waits_while_its_socket_is_full)
{
    uint64_t sent;
    struct epoll_event event;
    take(false);
    do {
        sent = conn.large.sent;
        cr_assert_eq(svc__mhd_large_send(&conn), LARGE_MORE);
    } while (conn.large.sent != sent);
    cr_expect_lt(sent, FILE_BYTES);
    cr_expect_eq(epoll_wait(loop.reactor.epoll_fd, &event, 1, 0), 0, "it is full");
    static char block[65536];
    while (recv(peer, block, sizeof block, MSG_DONTWAIT) > 0)
        continue;
    cr_expect_eq(epoll_wait(loop.reactor.epoll_fd, &event, 1, -1), 1);
    cr_expect_eq(event.events, EPOLLOUT);
    cr_expect_eq(epoll_wait(loop.reactor.epoll_fd, &event, 1, 0), 1, "there is still room");
}

Test(mhd_large, that_becomes_shorter_is_cut)
{
    static char block[65536];
    enum large_step step = LARGE_MORE;
    take(false);
    cr_assert_eq(svc__mhd_large_send(&conn), LARGE_MORE);
    cr_assert_eq(ftruncate(fileno(file), OFFSET + 1), 0);
    while (step == LARGE_MORE) {
        step = svc__mhd_large_send(&conn);
        recv(peer, block, sizeof block, MSG_DONTWAIT);
    }
    cr_expect_eq(step, LARGE_BROKEN);
    cr_expect(conn.flight.cut);
}

Test(mhd_large, ends_when_its_peer_has_gone)
{
    take(false);
    shutdown(conn.conn.fd, SHUT_RDWR);
    cr_expect_eq(svc__mhd_large_send(&conn), LARGE_BROKEN, "at the head");
    free(conn.unsent.data);
    conn.unsent.data = NULL;
    cr_expect_eq(svc__mhd_large_send(&conn), LARGE_BROKEN, "in the file");
    cr_expect_not(conn.flight.cut);
}

/* ---- The replies that libmicrohttpd sends */

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void expect_left(const char *why)
{
    unsigned before = count_descriptors();
    cr_expect_not(svc__mhd_large_begin(&conn, false), "%s", why);
    cr_expect_not(conn.large.active, "%s", why);
    cr_expect_eq(conn.unsent.data, NULL, "%s", why);
    cr_expect_eq(count_descriptors(), before, "%s", why);
}

Test(mhd_large, is_no_other_reply)
{
    x.response.body.len = (4 << 20) - 1;
    expect_left("a small file");
    x.response.body.len = FILE_BYTES;
    x.response.body.kind = REPLY_SOURCE;
    expect_left("no file");
    x.response.body.kind = REPLY_FILE;
    x.request.method = svc__bytes("HEAD", 4);
    x.request.known_method = METHOD_HEAD;
    expect_left("no body");
    x.request.method = svc__bytes("GET", 3);
    x.request.known_method = METHOD_GET;
    x.framing.chunks = false;
    expect_left("HTTP/1.0");
    x.framing.chunks = true;
    conn.call = CALL_FIRST;
    expect_left("the request's body is not read");
    conn.call = CALL_FINAL;
    conn.taken--;
    expect_left("a byte was read ahead");
    conn.taken++;
    svc__buf_free(&loop.host.scratch);
    svc__buf_init(&loop.host.scratch, 16);
    expect_left("no memory for its head");
}
