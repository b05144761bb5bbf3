/* Pieces of bodies, by their lengths and in chunks. */
#include "libsvc/fronts/http1/http1_body.h"

#include "libsvc/fronts/http1/http1_input.h"
#include "tests/unit/fronts/http1/support.h"

TestSuite(http1_body, .init = open_conn, .fini = close_conn);

static const char *reason;
static size_t trailers;

static void begin(enum framing_kind kind, uint64_t length)
{
    const struct framing framing = {.kind = kind, .length = length};
    svc__http1_input_begin(&conn);
    svc__http1_body_begin(&conn, &framing);
}

static void come(const char *text)
{
    say(text);
    svc__http1_input_read(&conn);
}

static void expect_piece(const char *text)
{
    cr_assert_eq(svc__http1_body_next(&conn, &trailers, &reason), BODY_PIECE);
    struct bytes piece = {svc__http1_input_view(&conn).data, conn.piece};
    cr_expect(svc__bytes_eq_z(piece, text), "%.*s", (int)piece.len, piece.data);
}

static void expect_result(int result)
{
    int found = svc__http1_body_next(&conn, &trailers, &reason);
    cr_expect_eq(found, result, "%d", found);
}

Test(http1_body, of_a_length_ends_before_the_next_request)
{
    begin(BODY_LENGTH, 7);
    expect_result(BODY_PART);
    come("four");
    expect_piece("four");
    come("fiveGET");
    expect_piece("four");
    svc__http1_body_taken(&conn);
    expect_piece("fiv");
    svc__http1_body_taken(&conn);
    expect_result(BODY_END);
    cr_expect(svc__bytes_eq_z(svc__http1_input_view(&conn), "eGET"));
}

Test(http1_body, a_piece_stays_until_it_is_taken)
{
    begin(BODY_CHUNKED, 0);
    come("5;a\r\nhe");
    expect_piece("he");
    cr_assert(svc__http1_input_settle(&conn));
    svc__http1_input_begin(&conn);
    come("llo\r\n");
    expect_piece("he");
    svc__http1_body_taken(&conn);
    expect_piece("llo");
    svc__http1_body_taken(&conn);
    expect_result(BODY_PART);
    cr_expect_eq(svc__http1_input_view(&conn).len, 0, "framing is not kept");
}

Test(http1_body, in_chunks_ends_behind_its_trailers)
{
    begin(BODY_CHUNKED, 0);
    come("1\r\na\r\n0\r\nX-Sum:");
    expect_piece("a");
    svc__http1_body_taken(&conn);
    expect_result(BODY_PART);
    come(" 1\r\nX-B: 2\r\n\r\nGET");
    expect_result(BODY_END);
    cr_expect_eq(trailers, 2);
    cr_expect_str_eq(http1.room->fields[0].name.data, "X-Sum");
    cr_expect_str_eq(http1.room->fields[1].value.data, "2");
    cr_expect(svc__bytes_eq_z(svc__http1_input_view(&conn), "GET"));
    cr_expect_eq(conn.reading.line, 0, "the next head is read from its beginning");
}

Test(http1_body, malformed_chunks_and_trailers_are_refused)
{
    begin(BODY_CHUNKED, 0);
    come("x\r\n");
    expect_result(400);
    conn.input.begin = conn.input.end;
    cr_assert(svc__http1_input_settle(&conn));
    begin(BODY_CHUNKED, 0);
    come("0\r\nno colon\r\n\r\n");
    expect_result(400);
}
