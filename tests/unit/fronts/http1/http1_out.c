/* Bytes that a connection writes, and those for which its socket has no room. */
#include "libsvc/fronts/http1/http1_out.h"

#include "tests/unit/fronts/http1/support.h"

TestSuite(http1_out, .init = open_conn, .fini = close_conn);

static size_t receive(char *data, size_t len)
{
    ssize_t n = recv(peer, data, len, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

static void expect_peer(const char *text)
{
    char data[64] = "";
    receive(data, sizeof data - 1);
    cr_expect_str_eq(data, text);
}

static bool has_pending(void)
{
    return conn.unsent.data || http1.out.len > 0;
}

Test(http1_out, writes_nothing_if_there_is_nothing)
{
    cr_expect_not(has_pending());
    cr_expect_eq(svc__http1_out_flush(&conn), 0);
    expect_peer("");
}

Test(http1_out, a_body_follows_what_is_rendered)
{
    size_t taken;
    svc__buf_puts(&http1.out, "head ");
    cr_expect(has_pending());
    cr_expect_eq(svc__http1_out_write(&conn, svc__bytes_z("body"), &taken, false), 0);
    cr_expect_eq(taken, 4);
    expect_peer("head body");
    cr_expect_not(has_pending());
    cr_expect_eq(svc__http1_out_write(&conn, svc__bytes_z("alone"), &taken, false), 0);
    expect_peer("alone");
}

/* Fills the socket, so that a part of the bytes stays. */
static size_t overfill(struct bytes body, size_t *taken)
{
    enum { MUCH = 1 << 19 };
    for (size_t i = 0; i < MUCH; i++)
        svc__buf_putc(&http1.out, (char)('a' + i % 26));
    cr_assert_eq(svc__http1_out_write(&conn, body, taken, false), SVC_EAGAIN);
    cr_expect_eq(http1.out.len, 0, "the loop's buffer is free for others");
    cr_expect(conn.conn.watching, "the room is watched for");
    return MUCH;
}

static void expect_all(size_t len, size_t taken)
{
    static char data[1 << 20];
    size_t got = 0;
    int error;
    do {
        error = svc__http1_out_flush(&conn);
        got += receive(data + got, sizeof data - got);
    } while (error == SVC_EAGAIN);
    cr_expect_eq(error, 0);
    for (size_t n = 1; n > 0; got += n)
        n = receive(data + got, sizeof data - got);
    cr_assert_eq(got, len + taken);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(data[i], (char)('a' + i % 26), "at %zu", i);
    cr_expect_not(has_pending());
}

Test(http1_out, what_finds_no_room_goes_out_first_later)
{
    size_t taken;
    size_t len = overfill(svc__bytes_z("body"), &taken);
    cr_expect_eq(taken, 0, "the body is still its owner's");
    expect_all(len, 0);
}

Test(http1_out, the_rest_can_be_taken)
{
    size_t taken, len = overfill(svc__bytes(NULL, 0), &taken);
    char data[65536];
    size_t got = receive(data, sizeof data);
    svc__http1_out_flush(&conn);
    struct unsent rest = svc__http1_out_take(&conn);
    for (size_t n = got; n > 0; got += n)
        n = receive(data, sizeof data);
    cr_expect_eq(got + rest.len, len);
    cr_expect_eq(rest.data[0], (char)('a' + got % 26));
    cr_expect_not(has_pending());
    free(rest.data);
}

Test(http1_out, a_peer_that_has_gone_is_noticed)
{
    svc__buf_puts(&http1.out, "head");
    shutdown(conn.conn.fd, SHUT_WR);
    cr_expect_eq(svc__http1_out_flush(&conn), SVC_ESYSTEM);
}
