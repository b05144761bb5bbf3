/* Chunked framing in the memory of libmicrohttpd, which the test is: where it reads to, and which
 * pieces it hands on. */
#include "libsvc/fronts/mhd/chunks.h"

#include <criterion/criterion.h>
#include <string.h>

enum { POOL = 4096, HEAD = 100 };

static struct mhd_loop mhd;
static struct exchange x;
static struct mhd_conn conn;
static char pool[POOL];

static void open_conn(void)
{
    mhd = (struct mhd_loop){.known_layout = true, .pool = POOL, .runs = 1};
    x.framing.kind = BODY_CHUNKED;
    conn.mhd = &mhd;
    conn.flight.x = &x;
    conn.base = pool;
    conn.head_end = pool + HEAD;
}

TestSuite(mhd_chunks, .init = open_conn);

/* What has come by one read lies behind the head, or where the last piece ended. */
static const char *read_to(const char *at, const char *text)
{
    char *to = pool + (at - pool);
    memset(to, 0, (size_t)(pool + POOL - to));
    return memcpy(to, text, strlen(text));
}

/* Hands on the first piece that is `text` in what was read at `at`. */
static bool take_piece(const char *at, const char *text)
{
    const char *piece = strstr(at, text);
    cr_assert(piece, "%s", text);
    if (!svc__chunks_lead(&conn, piece))
        return false;
    svc__chunks_took(&conn, piece + strlen(text));
    return true;
}

/* A body of one read, whose pieces are "abc" and, where there is one, "defg"; whether all of its
 * framing passes. */
static bool passes(const char *framing)
{
    open_conn();
    const char *at = read_to(conn.head_end, framing);
    svc__chunks_begin(&conn);
    return take_piece(at, "abc") && (!strstr(at, "defg") || take_piece(at, "defg")) &&
           svc__chunks_end(&conn);
}

Test(mhd_chunks, one_read_is_looked_at_from_the_head_to_the_end)
{
    cr_expect(passes("3\r\nabc\r\n0\r\n\r\n"));
    cr_expect(passes("3;a=b\r\nabc\r\n0;c\r\n\r\n"));
    cr_expect(passes("3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
    cr_expect(passes("003\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n"));
}

Test(mhd_chunks, what_libmicrohttpd_would_take_and_others_not_is_seen)
{
    static const char *const bad[] = {
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc\r\n0\n\r\n",
        "3\r\nabc\r\n0\r\n\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "\r\n3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabc\r\n\r\n0\r\n\r\n",
        "3;\r\x01\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n4\r\ndefg\r\n0\r\n\r\n",
        "3\r\nabc\r\n4\ndefg\r\n0\r\n\r\n",
        "3\r\nabc\r\n4\r\ndefg\r\n0\r\n: a\r\n\r\n",
        "3\r\nabc\r\n0\r\n a: b\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(passes(bad[i]), "%s", bad[i]);
}

Test(mhd_chunks, a_chunk_that_comes_later_is_looked_at_from_where_that_read_went)
{
    read_to(conn.head_end, "");
    svc__chunks_begin(&conn);
    mhd.runs = 2;
    cr_expect(take_piece(read_to(conn.head_end, "3\r\nabc"), "abc"));
    mhd.runs = 3;
    cr_expect(take_piece(read_to(conn.head_end, "\r\n4\r\ndefg"), "defg"));
    mhd.runs = 4; /* the CRLF of the one before has been read by now */
    cr_expect(take_piece(read_to(conn.head_end, "2\r\nhi"), "hi"));
    mhd.runs = 5;
    cr_expect_not(take_piece(read_to(conn.head_end, "\n1\r\nj"), "j"));
    cr_expect_not(take_piece(read_to(conn.head_end, "1\nj"), "j"));
    cr_expect_not(take_piece(read_to(conn.head_end, "\r\n\r\n1\r\nj"), "j"));
}

Test(mhd_chunks, a_piece_of_a_chunk_that_goes_on_has_no_framing_before_it)
{
    read_to(conn.head_end, "");
    svc__chunks_begin(&conn);
    mhd.runs = 2;
    cr_expect(take_piece(read_to(conn.head_end, "6\r\nabc"), "abc"));
    mhd.runs = 3;
    cr_expect(take_piece(read_to(conn.head_end, "def\r\n2\r\nhi"), "def"));
    cr_expect(take_piece(conn.head_end, "hi"), "and what is behind it is of the same read");
    mhd.runs = 4;
    cr_expect_not(take_piece(read_to(conn.head_end, "\r\r\n1\r\nj"), "j"));
}

/* The bytes of an end that comes by another read are not there when it is looked at. */
Test(mhd_chunks, an_end_is_judged_by_the_read_that_brought_the_last_piece)
{
    svc__chunks_begin(&conn);
    mhd.runs = 2;
    cr_expect(take_piece(read_to(conn.head_end, "3\r\nabc\r\n0\n\n"), "abc"));
    cr_expect_not(svc__chunks_end(&conn));
    mhd.runs = 3;
    cr_expect(svc__chunks_end(&conn), "it is not known");
}

Test(mhd_chunks, an_empty_body_ends_where_its_head_does)
{
    read_to(conn.head_end, "0\r\n\r\n");
    svc__chunks_begin(&conn);
    cr_expect(svc__chunks_end(&conn));
    read_to(conn.head_end, "0\n\r\n");
    svc__chunks_begin(&conn);
    cr_expect_not(svc__chunks_end(&conn));
    read_to(conn.head_end, "\r\n0\r\n\r\n");
    svc__chunks_begin(&conn);
    cr_expect_not(svc__chunks_end(&conn), "an end of nothing before it");
}

/* A run in which it is handled before it is read from can tell nothing about what was there. */
Test(mhd_chunks, a_run_that_began_with_it_is_no_read)
{
    svc__chunks_begin(&conn);
    mhd.runs = conn.first_run = 2;
    cr_expect(take_piece(read_to(conn.head_end, "3\r\nabc\r\n0\n\n"), "abc"));
    cr_expect(svc__chunks_end(&conn));
}

Test(mhd_chunks, nothing_is_looked_at_of_other_bodies_or_in_a_memory_nobody_knows)
{
    mhd.known_layout = false;
    cr_expect(take_piece(read_to(conn.head_end, "\n\nabc\n"), "abc"));
    cr_expect(svc__chunks_end(&conn));
    mhd.known_layout = true;
    x.framing.kind = BODY_LENGTH;
    cr_expect(take_piece(read_to(conn.head_end, "\n\nabc\n"), "abc"));
    cr_expect(svc__chunks_end(&conn));
    cr_expect_eq(conn.chunks.end, NULL);
    x.framing.kind = BODY_CHUNKED;
    conn.head_end = NULL;
    svc__chunks_begin(&conn);
    cr_expect_eq(conn.chunks.end, NULL, "the head's end is not known");
}

/* Framing that fills the memory to its end is not read beyond that. */
Test(mhd_chunks, the_memory_s_end_is_an_end)
{
    memset(pool, '0', sizeof pool);
    svc__chunks_begin(&conn);
    cr_expect_not(svc__chunks_end(&conn));
    conn.head_end = pool + POOL;
    svc__chunks_begin(&conn);
    cr_expect_not(svc__chunks_end(&conn));
}
