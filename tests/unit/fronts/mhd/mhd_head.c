/* A head as libmicrohttpd 0.9.75 leaves it after the request line: what is seen of it, and what
 * libmicrohttpd is to see. */
#include "libsvc/fronts/mhd/mhd_head.h"

#include "tests/unit/fronts/mhd/support.h"

static struct exchange x;
static char pool[POOL]; /* what libmicrohttpd would have as the connection's memory */

static void open_conn(void)
{
    open_loop();
    conn.conn.loop = &loop;
    conn.mhd = &mhd;
    conn.flight.x = &x;
    conn.target_at = 4;
}

TestSuite(mhd_head, .init = open_conn, .fini = close_loop);

/* A head whose line libmicrohttpd has taken apart: NULs stand for `|`. */
static char *look_at(const char *line, const char *fields)
{
    memset(pool, 0, sizeof pool);
    memcpy(pool, line, strlen(line));
    memcpy(pool + strlen(line), fields, strlen(fields));
    for (size_t i = 0; i < strlen(line); i++)
        if (line[i] == '|')
            pool[i] = '\0';
    char *target = pool + 4;
    x.request.target.raw = svc__bytes_z(target);
    svc__mhd_head_look(&conn, target);
    return target;
}

#define LINE "GET|/a?b=c|HTTP/1.1||"
#define FIELDS "Host: a\r\nX: y\r\n\r\n"

Test(mhd_head, its_fields_are_where_the_line_ends)
{
    char *target = look_at(LINE, FIELDS "behind");
    cr_expect_eq(conn.fault, NULL, "%s", conn.fault);
    cr_expect_eq(conn.base, pool);
    cr_expect_eq(conn.target, target);
    cr_expect_eq(conn.fields, pool + sizeof LINE - 1);
    cr_expect_eq(conn.head_end, pool + sizeof LINE - 1 + sizeof FIELDS - 1);
}

Test(mhd_head, the_query_is_hidden_from_libmicrohttpd)
{
    char *target = look_at(LINE, FIELDS);
    cr_expect_eq(memcmp(target, "/a\0\0=c", 6), 0, "also from one that knows where it is");
    target = look_at("GET|/a?|HTTP/1.1||", FIELDS);
    cr_expect_eq(memcmp(target, "/a\0\0HTTP/1.1", 12), 0, "and nothing behind it");
    target = look_at("GET|/a|HTTP/1.1||", FIELDS "?");
    cr_expect_eq(memcmp(target, "/a\0HTTP/1.1", 11), 0);
    cr_expect_eq(conn.head_end[0], '?', "of another request");
}

Test(mhd_head, a_line_that_was_not_as_it_seems_is_a_fault)
{
    static const char *const lines[] = {
        "GET|/a|HTTP/1.1\r|",                      /* a line feed alone has ended it */
        "GET|/a|HTTP/1.1|\n", "GET /a|HTTP/1.1||", /* no space before the target */
        "GET|/a| HTTP/1.1||", "GET|/a||HTTP/1.1||", "GET|/a|HTTP/1.1 ||",
        "GET|/a|HTTP/2.0||",  "GET|/a|XTTP/1.1||",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        look_at(lines[i], FIELDS);
        cr_expect(conn.fault, "%s", lines[i]);
        cr_expect_eq(conn.fault_status, 400);
        cr_expect_eq(conn.head_end, NULL);
    }
    look_at(LINE, FIELDS);
    cr_expect_eq(conn.fault, NULL, "a fault is one request's");
}

Test(mhd_head, a_fault_in_the_fields_leaves_nothing_for_libmicrohttpd_to_answer)
{
    static const struct {
        const char *fields;
        int status;
    } rows[] = {{"Host: a\nX: y\r\n\r\n", 400},
                {" Host: a\r\n\r\n", 400},
                {"Host: a\r\nContent-Length: x\r\n\r\n", 400},
                {"Host: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        look_at(LINE, rows[i].fields);
        cr_expect(conn.fault, "%s", rows[i].fields);
        cr_expect_eq(conn.fault_status, rows[i].status, "%s: %d", rows[i].fields,
                     conn.fault_status);
        cr_expect_eq(conn.fields[0], '\n', "its head ends where its fields begin");
    }
}

Test(mhd_head, a_line_that_fills_the_memory_is_not_read_beyond_it)
{
    memset(pool, 'a', sizeof pool);
    char *target = pool + POOL - 12;
    target[-1] = '\0';
    memcpy(target, "/a\0HTTP/1.1\0", 12);
    conn.base = pool;
    x.request.target.raw = svc__bytes(target, 2);
    svc__mhd_head_look(&conn, target);
    cr_expect_eq(conn.fault_status, 400);
}

Test(mhd_head, in_a_memory_that_nobody_knows_nothing_is_looked_at)
{
    mhd.known_layout = false;
    conn.head_end = pool;
    char *target = look_at(LINE, "Host: a\nX: y\r\n\r\n");
    cr_expect_eq(conn.fault, NULL);
    cr_expect_eq(conn.head_end, NULL, "of the request before");
    cr_expect_eq(conn.target, target);
    cr_expect_str_eq(target, "/a");
}
