/* Heads that the loop reads itself: what it takes off a socket and what it leaves there, and whose
 * socket libmicrohttpd would read from. */
#include "libsvc/fronts/mhd/early.h"

#include <stdio.h>

#include "tests/support/starve.h"
#include "tests/unit/fronts/mhd/support.h"

#define HEAD "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

static char pool[POOL]; /* what libmicrohttpd would have as the connection's memory */
static int status;
static const char *reason;

static void open_conn(void)
{
    open_loop();
    cr_assert_eq(svc__early_start(&mhd), 0);
    peer = join_conn(&conn);
}

static void close_conn(void)
{
    svc__early_forget(&conn);
    svc__early_stop(&mhd);
    close(conn.conn.fd);
    close(peer);
    close_loop();
}

TestSuite(mhd_early, .init = open_conn, .fini = close_conn);

static enum early_head read_head(void)
{
    status = 0;
    reason = NULL;
    return svc__early_read(&conn, &status, &reason);
}

/* Whether the head is known to have this method and target. */
static bool is_early(const char *method, const char *target)
{
    return svc__bytes_eq_z(svc__early_method(&conn), method) &&
           svc__bytes_eq_z(svc__early_target(&conn), target);
}

/* What is left in a socket. */
static void expect_left(int fd, const char *text)
{
    char data[POOL];
    ssize_t n = recv(fd, data, sizeof data - 1, MSG_DONTWAIT);
    data[n > 0 ? n : 0] = '\0';
    cr_expect_str_eq(data, text);
}

/* ---- Reading */

Test(mhd_early, a_silent_connection_holds_nothing)
{
    cr_expect_eq(read_head(), EARLY_PART);
    cr_expect_eq(conn.early, NULL);
    cr_expect(conn.conn.watched);
    shutdown(peer, SHUT_WR);
    cr_expect_eq(read_head(), EARLY_END);
}

Test(mhd_early, a_head_that_is_there_whole_stays_in_the_socket)
{
    say(HEAD "and what is behind it");
    cr_expect_eq(read_head(), EARLY_UNREAD);
    cr_expect_eq(conn.target_at, 4);
    cr_expect(is_early("GET", "/a"));
    cr_expect_eq(svc__early_next(&mhd), NULL);
    expect_left(conn.conn.fd, HEAD "and what is behind it");
}

/* However it falls into pieces, and no byte behind it is taken. */
Test(mhd_early, a_head_in_pieces_is_put_together)
{
    for (size_t first = 1; first < sizeof HEAD - 1; first++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)first, HEAD);
        say(text);
        cr_assert_eq(read_head(), EARLY_PART, "%zu", first);
        say(&(HEAD "behind")[first]);
        cr_assert_eq(read_head(), EARLY_READY, "%zu", first);
        cr_expect(is_early("GET", "/a"));
        svc__early_queue(&conn);
        cr_assert_eq(svc__early_next(&mhd), &conn);
        cr_expect_eq(conn.early->len, sizeof HEAD - 1);
        cr_expect_eq(memcmp(conn.early->data, HEAD, sizeof HEAD - 1), 0);
        expect_left(conn.conn.fd, "behind");
        svc__early_forget(&conn);
        cr_expect_eq(conn.early, NULL);
    }
}

Test(mhd_early, empty_lines_before_a_head_are_skipped_and_counted)
{
    say("\r\n\r\n" HEAD);
    cr_expect_eq(read_head(), EARLY_UNREAD);
    cr_expect_eq(conn.skipped, 4);
    expect_left(conn.conn.fd, HEAD);
    say("\r");
    cr_expect_eq(read_head(), EARLY_PART);
    say("\n\r\nGE");
    cr_expect_eq(read_head(), EARLY_PART);
    cr_expect_eq(conn.skipped, 8);
    cr_expect_eq(conn.early->len, 2);
    say("\r\n");
    cr_expect_eq(read_head(), EARLY_REFUSED, "that one is in its midst");
    cr_expect_eq(status, 400);
}

Test(mhd_early, a_connection_that_sends_empty_lines_alone_holds_nothing)
{
    for (size_t i = 1; i <= 10000; i++) {
        say("\r\n");
        cr_assert_eq(read_head(), EARLY_PART);
        cr_assert_eq(conn.early, NULL);
        cr_assert_eq(conn.skipped, 2 * i);
    }
}

Test(mhd_early, a_line_that_is_no_request_is_refused_as_soon_as_it_is_seen)
{
    static const struct {
        const char *text;
        int status;
    } lines[] = {{"GET / HTTP/2.0\r\n", 505}, {"GET / HTTP/1.1\n", 400}, {"GET /\r\n", 400},
                 {"\x16\x03\x01\r\n", 400},   {" / HTTP/1.1\r\n", 400},  {"\n", 400}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        say(lines[i].text);
        cr_expect_eq(read_head(), EARLY_REFUSED, "%s", lines[i].text);
        cr_expect_eq(status, lines[i].status, "%s: %d", lines[i].text, status);
        cr_expect(reason);
        expect_left(conn.conn.fd, lines[i].text); /* for who closes it to read */
        svc__early_forget(&conn);
    }
}

/* It is told as any request's, once the request is known. */
Test(mhd_early, a_fault_in_a_field_ends_the_head_and_is_found_again)
{
    say("GET /a HTTP/1.1\r\nHost: a\nbehind");
    cr_expect_eq(read_head(), EARLY_UNREAD);
    expect_left(conn.conn.fd, "GET /a HTTP/1.1\r\nHost: a\nbehind");
    say("GET /a HTTP/1.1\r\n");
    cr_expect_eq(read_head(), EARLY_PART);
    say("Host: a\nX");
    cr_expect_eq(read_head(), EARLY_READY);
    svc__early_queue(&conn);
    cr_expect_eq(svc__early_next(&mhd), &conn);
}

/* Half of the connection's memory is for the head. */
Test(mhd_early, a_head_that_never_ends_is_refused_by_what_it_fills)
{
    char text[POOL / 2 + 1];
    memset(text, 'a', sizeof text);
    text[POOL / 2 - 1] = '\0';
    say(text);
    cr_expect_eq(read_head(), EARLY_PART);
    say("a");
    cr_expect_eq(read_head(), EARLY_REFUSED);
    cr_expect_eq(status, 414, "it may be a target: %d", status);
    svc__early_forget(&conn);
    memcpy(text, "GET / HTTP/1.1\r\n", 16);
    text[POOL / 2 - 1] = 'a';
    text[POOL / 2] = '\0';
    say(text);
    cr_expect_eq(read_head(), EARLY_REFUSED);
    cr_expect_eq(status, 431);
    cr_expect_str_eq(reason, "the request's head is too large");
}

Test(mhd_early, without_memory_nothing_is_taken)
{
    say("GET ");
    starve_after(0);
    cr_expect_eq(read_head(), EARLY_NO_MEMORY);
    cr_expect(starve_end());
    expect_left(conn.conn.fd, "GET ");
}

/* ---- A head of which libmicrohttpd has the beginning */

/* Suspends it with `has` of its fields, behind a line, in libmicrohttpd's memory. */
static int hold(size_t at, const char *has)
{
    conn.connection = (struct MHD_Connection *)(void *)pool;
    conn.base = pool;
    conn.fields = pool + at;
    memcpy(conn.fields, has, strlen(has));
    return svc__early_hold(&conn, strlen(has));
}

Test(mhd_early, the_rest_of_a_head_that_is_held_is_added_to_what_was_there)
{
    static const char has[] = "Host: a\r\nX: y  ";
    cr_assert_eq(hold(20, has), 0);
    cr_expect_eq(read_head(), EARLY_PART, "also with no byte of its own");
    cr_expect(conn.early);
    say("\r\n\r\nbehind");
    cr_expect_eq(read_head(), EARLY_READY);
    svc__early_queue(&conn);
    cr_assert_eq(svc__early_next(&mhd), &conn);
    expect_left(conn.conn.fd, "behind");
    svc__early_restore(&conn);
    cr_expect_eq(memcmp(conn.fields, "Host: a\r\nX:   y", sizeof has - 1), 0,
                 "white space behind a value has moved before it: %.15s", conn.fields);
    cr_expect_eq(conn.head_end, conn.fields + sizeof has - 1 + 4);
    cr_assert(svc__early_feed(&conn));
    expect_left(conn.conn.fd, "\r\n\r\n"); /* and no byte of what it has already */
    svc__early_unfeed(&mhd);
}

Test(mhd_early, a_head_is_held_as_far_as_half_of_the_memory_goes)
{
    char has[POOL / 2];
    memset(has, 'a', sizeof has);
    has[sizeof has - 21] = '\0';
    cr_expect_eq(hold(20, has), 0);
    say("b");
    cr_expect_eq(read_head(), EARLY_REFUSED);
    cr_expect_eq(status, 431);
    svc__early_forget(&conn);
    has[sizeof has - 21] = 'a';
    has[sizeof has - 20] = '\0';
    cr_expect_eq(hold(20, has), SVC_ETOOBIG);
    cr_expect_eq(conn.early, NULL);
    starve_after(0);
    cr_expect_eq(hold(20, "Host"), SVC_ENOMEM);
    cr_expect(starve_end());
}

Test(mhd_early, a_fault_in_the_rest_is_refused)
{
    cr_assert_eq(hold(20, "Host: a"), 0);
    say("\nX: y\r\n\r\n");
    cr_expect_eq(read_head(), EARLY_REFUSED);
    cr_expect_eq(status, 400);
}

/* ---- Handing over */

static void read_in_two(struct mhd_conn *of, int from)
{
    cr_assert_eq(send(from, HEAD, 5, 0), 5);
    cr_assert_eq(svc__early_read(of, &status, &reason), EARLY_PART);
    cr_assert_eq(send(from, &(HEAD)[5], sizeof HEAD - 6, 0), (ssize_t)sizeof HEAD - 6);
    cr_assert_eq(svc__early_read(of, &status, &reason), EARLY_READY);
    svc__early_queue(of);
}

Test(mhd_early, those_that_wait_come_in_order_and_without_those_that_have_left)
{
    static struct mhd_conn others[4];
    int from[4];
    for (size_t i = 0; i < 4; i++) {
        from[i] = join_conn(&others[i]);
        read_in_two(&others[i], from[i]);
    }
    svc__early_forget(&others[1]);
    svc__early_forget(&others[3]);
    cr_expect_eq(svc__early_next(&mhd), &others[0]);
    read_in_two(&conn, peer);
    cr_expect_eq(svc__early_next(&mhd), &others[2]);
    cr_expect_eq(svc__early_next(&mhd), &conn, "behind the last that is left");
    cr_expect_eq(svc__early_next(&mhd), NULL);
    svc__early_forget(&others[0]);
    svc__early_forget(&others[2]);
    for (size_t i = 0; i < 4; i++) {
        close(others[i].conn.fd);
        close(from[i]);
    }
}

Test(mhd_early, a_head_is_read_by_the_connection_s_own_descriptor_and_answers_go_to_its_peer)
{
    read_in_two(&conn, peer);
    cr_assert_eq(svc__early_next(&mhd), &conn);
    cr_assert(svc__early_feed(&conn));
    svc__early_refused(&mhd);
    cr_expect_eq(mhd.feed.conn, &conn, "it has not been read from");
    expect_left(conn.conn.fd, HEAD);
    svc__early_refused(&mhd);
    cr_expect_eq(mhd.feed.conn, NULL);
    cr_expect_eq(conn.early, NULL);
    cr_assert_eq(send(conn.conn.fd, "answer", 6, MSG_NOSIGNAL), 6);
    expect_left(peer, "answer");
    say("next");
    expect_left(conn.conn.fd, "next");
}

Test(mhd_early, what_is_left_of_a_head_reaches_no_other_connection)
{
    static struct mhd_conn other;
    int other_peer = join_conn(&other);
    read_in_two(&conn, peer);
    cr_assert_eq(svc__early_next(&mhd), &conn);
    cr_assert(svc__early_feed(&conn));
    svc__early_unfeed(&mhd);
    char byte;
    cr_expect_eq(recv(peer, &byte, 1, 0), 0, "it is shut, as its head was not read");
    read_in_two(&other, other_peer);
    cr_assert_eq(svc__early_next(&mhd), &other);
    cr_assert(svc__early_feed(&other));
    expect_left(other.conn.fd, HEAD);
    svc__early_forget(&other);
    cr_expect_eq(mhd.feed.conn, NULL, "one that is fed has its socket back");
    close(other.conn.fd);
    close(other_peer);
}

Test(mhd_early, a_feed_that_was_never_opened_can_be_closed)
{
    struct mhd_loop never = {.pool = POOL};
    svc__early_stop(&never);
    svc__early_unfeed(&never);
    svc__early_refused(&never);
    cr_expect_eq(never.feed.conn, NULL);
    cr_expect(send(mhd.feed.ends[1], "a", 1, 0) == 1, "descriptor 0 and this feed are open still");
}
