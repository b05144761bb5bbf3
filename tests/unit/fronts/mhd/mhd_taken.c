/* The bytes that were taken off a socket, against what has come on it. */
#include "libsvc/fronts/mhd/mhd_taken.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/fronts/mhd/tcp.h"

static struct exchange x;
static struct mhd_conn conn;
static char memory[256];
static int ends[2];

static void open_conn(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    conn.conn.fd = ends[0];
    conn.conn.address.ss_family = AF_UNIX;
    conn.flight.x = &x;
    conn.base = memory;
    conn.taken_known = true;
}

static void close_conn(void)
{
    close(ends[0]);
    close(ends[1]);
}

TestSuite(mhd_taken, .init = open_conn, .fini = close_conn);

static void say(const char *text)
{
    struct pollfd arrival = {.fd = ends[0], .events = POLLIN};
    cr_assert_eq(send(ends[1], text, strlen(text), 0), (ssize_t)strlen(text));
    cr_assert_eq(poll(&arrival, 1, -1), 1);
}

/* Reads a head of so many bytes, which are taken. */
static void take_head(size_t bytes)
{
    char data[64];
    cr_assert_eq(recv(ends[0], data, bytes, 0), (ssize_t)bytes);
    svc__mhd_taken_head(&conn, memory, bytes);
}

Test(mhd_taken, counts_heads_and_the_empty_lines_before_them)
{
    svc__mhd_taken_head(&conn, memory, 20);
    cr_expect_eq(conn.taken, 20);
    cr_expect_eq(conn.head_bytes, 20);
    svc__mhd_taken_head(&conn, memory + 4, 30);
    cr_expect_eq(conn.taken, 54);
    conn.base = NULL;
    svc__mhd_taken_head(&conn, memory + 4, 30);
    cr_expect_eq(conn.taken, 84, "where a head begins is not known");
    cr_expect(conn.taken_known);
    svc__mhd_taken_head(&conn, memory, 0);
    cr_expect_not(conn.taken_known);
    svc__mhd_taken_head(&conn, memory, 20);
    cr_expect_not(conn.taken_known, "one that was not counted stays so");
}

Test(mhd_taken, has_unread_what_has_come_behind_a_request)
{
    say("12345");
    cr_expect(svc__mhd_taken_has_unread(&conn));
    take_head(5);
    cr_expect_not(svc__mhd_taken_has_unread(&conn));
    say("6");
    cr_expect(svc__mhd_taken_has_unread(&conn));
}

/* RFC 9112 2.2: old clients send one behind a body. */
Test(mhd_taken, an_empty_line_behind_a_body_is_no_request)
{
    x.framing.kind = BODY_LENGTH;
    svc__mhd_taken_head(&conn, memory, 20);
    say("\r\n");
    cr_expect(svc__mhd_taken_has_unread(&conn), "there was no body");
    svc__mhd_taken_body(&conn, 3);
    cr_expect_eq(conn.taken, 23);
    cr_expect_not(svc__mhd_taken_has_unread(&conn));
    say("G");
    cr_expect(svc__mhd_taken_has_unread(&conn));
    svc__mhd_taken_head(&conn, memory, 2);
    char data[4];
    cr_assert_eq(recv(ends[0], data, 1, 0), 1);
    cr_expect(svc__mhd_taken_has_unread(&conn), "the body was of another request");
}

Test(mhd_taken, is_counted_anew_behind_framing_that_nobody_counts)
{
    x.framing.kind = BODY_CHUNKED;
    svc__mhd_taken_head(&conn, memory, 20);
    svc__mhd_taken_body(&conn, 3);
    cr_expect_not(conn.taken_known);
    cr_expect_not(conn.recounted);
    say("part");
    cr_expect_not(svc__mhd_taken_has_unread(&conn), "what is there may be of the framing");
    cr_expect(conn.taken_known && conn.recounted);
}

/* ---- Where the kernel counts */

static void open_tcp(void)
{
    close_conn();
    join_tcp(&conn.conn, ends);
}

Test(mhd_taken, what_was_read_ahead_and_not_taken_is_unread)
{
    char data[8];
    open_tcp();
    say("12345678");
    cr_assert_eq(recv(ends[0], data, 8, 0), 8);
    svc__mhd_taken_head(&conn, memory, 5);
    cr_expect(svc__mhd_taken_has_unread(&conn));
    cr_expect_not(svc__mhd_taken_is_all(&conn));
    svc__mhd_taken_head(&conn, memory, 3);
    cr_expect_not(svc__mhd_taken_has_unread(&conn));
    cr_expect(svc__mhd_taken_is_all(&conn));
}

Test(mhd_taken, a_count_that_ever_was_in_doubt_is_not_relied_on)
{
    open_tcp();
    cr_expect(svc__mhd_taken_is_all(&conn), "nothing has come");
    conn.base = NULL;
    cr_expect_not(svc__mhd_taken_is_all(&conn), "its memory is not known");
    conn.base = memory;
    say("1234");
    cr_expect_not(svc__mhd_taken_is_all(&conn));
    conn.taken_known = false;
    cr_expect_not(svc__mhd_taken_has_unread(&conn));
    cr_expect_eq(conn.taken, 4);
    cr_expect_not(svc__mhd_taken_is_all(&conn));
}

/* What has come behind the request may be in the socket, but not in libmicrohttpd's memory. */
Test(mhd_taken, leaves_what_is_still_in_the_socket)
{
    char data[8];
    open_tcp();
    say("12345678");
    cr_assert_eq(recv(ends[0], data, 5, 0), 5);
    svc__mhd_taken_head(&conn, memory, 5);
    cr_expect(svc__mhd_taken_leaves_rest(&conn));
    cr_assert_eq(recv(ends[0], data, 2, 0), 2);
    cr_expect_not(svc__mhd_taken_leaves_rest(&conn), "two bytes were read ahead");
    svc__mhd_taken_head(&conn, memory, 2);
    cr_expect(svc__mhd_taken_leaves_rest(&conn));
    conn.recounted = true;
    cr_expect_not(svc__mhd_taken_leaves_rest(&conn), "the count was in doubt");
    conn.recounted = conn.taken_known = false;
    cr_expect_not(svc__mhd_taken_leaves_rest(&conn), "the count is in doubt");
}

Test(mhd_taken, no_count_is_all_on_a_unix_socket)
{
    cr_expect_not(svc__mhd_taken_leaves_rest(&conn));
    cr_expect_not(svc__mhd_taken_is_all(&conn));
}
