#include "libsvc/proto/http1_chunks.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http1_pieces.h"
#include "tests/support/http1_random.h"
#include "tests/unit/proto/vectors.h"

enum { SPACE = 16384 };

/* In one piece, in each two, and byte by byte. */
static void expect_same(struct bytes text, const struct plain_body *wanted)
{
    static char data[SPACE];
    struct plain_body body = {.data = data};
    for (size_t first = 0; first <= text.len; first++) {
        pieces_chunks(text.data, text.len, (struct pieces){first, 0}, &body);
        cr_expect(pieces_same_body(&body, wanted), "split at %zu: %d instead of %d: %.*s", first,
                  body.status, wanted->status, SHOW(text));
    }
    for (size_t step = 1; step <= 3; step++) {
        pieces_chunks(text.data, text.len, (struct pieces){step, step}, &body);
        cr_expect(pieces_same_body(&body, wanted), "by %zu: %d instead of %d: %.*s", step,
                  body.status, wanted->status, SHOW(text));
    }
}

static void expect_chunks(struct bytes text, int status, struct bytes data, size_t behind)
{
    static char plain[SPACE];
    struct plain_body body = {.data = plain};
    plain_chunks(text.data, text.len, &body);
    cr_expect_eq(body.status, status, "%d instead of %d: %.*s", body.status, status, SHOW(text));
    cr_expect(svc__bytes_eq(svc__bytes(body.data, body.len), data), "%.*s: %.*s", SHOW(text),
              (int)body.len, body.data);
    cr_expect(status || text.len - body.end == behind, "%.*s: %zu", SHOW(text), body.end);
    expect_same(text, &body);
}

#define ROW(text, status, data, behind)                                                            \
    {                                                                                              \
        LITERAL(text), status, LITERAL(data), behind                                               \
    }
#define PART(text, data) ROW(text, HTTP1_PART, data, 0)
#define BAD(text) ROW(text, 400, "", 0)

static const struct {
    struct bytes text;
    int status;
    struct bytes data;
    size_t behind; /* bytes behind the last chunk's line */
} rows[] = {
    ROW("0\r\n\r\nGET", 0, "", 5),
    ROW("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 0, "hello world", 2),
    ROW("0005\r\nhello\r\n000\r\nX: 1\r\n\r\n", 0, "hello", 8),
    ROW("a\r\n0123456789\r\nA\r\n\r\n\r\n\r\n\r\n\0\n\r\n0\r\n", 0,
        "0123456789\r\n\r\n\r\n\r\n\0\n", 0),
    ROW("5;a\r\nhello\r\n0;b\r\n", 0, "hello", 0),
    ROW("5;a=b;c=\"d\"\r\nhello\r\n0\r\n", 0, "hello", 0),
    ROW("5;a=\"\\\"\\\\;\t\xff\"\r\nhello\r\n0\r\n", 0, "hello", 0),
    ROW("5;a=\"\"\r\nhello\r\n0\r\n", 0, "hello", 0),
    /* White space that a recipient must parse (RFC 9110 5.6.3) */
    ROW("5 ; a\t= \tb ;\tc\r\nhello\r\n0\r\n", 0, "hello", 0),
    ROW("5;a=\"b\" ;c\r\nhello\r\n0\r\n", 0, "hello", 0),
    PART("", ""),
    PART("5", ""),
    PART("5;a", ""),
    PART("5;a ", ""),
    PART("5;a=\"b\\", ""),
    PART("5\r", ""),
    PART("5\r\nhel", "hel"),
    PART("5\r\nhello", "hello"),
    PART("5\r\nhello\r", "hello"),
    PART("7fffffffffffffff\r\nh", "h"),
    PART("00000000000000000001\r\nh", "h"),
    ROW("8000000000000000", 413, "", 0),
    ROW("10000000000000000\r\nhello", 413, "", 0),
    ROW("10000000000000005\r\nhello", 413, "", 0),
    BAD("\r\n"),
    BAD("\n"),
    BAD("g"),
    BAD("+5"),
    BAD("-5"),
    BAD("0x5"),
    BAD("5_0"),
    BAD(" 5"),
    BAD("5 \r"),
    BAD("5\t\r"),
    BAD("5 5"),
    BAD("5\v;"),
    BAD("5\0\r\n"),
    BAD("5,6"),
    BAD("5.0"),
    BAD(";a"),
    BAD("5\n"),
    BAD("5\r\r"),
    BAD("5\rh"),
    BAD("5;\r"),
    BAD("5;\n"),
    BAD("5; \r"),
    BAD("5;;"),
    BAD("5;="),
    BAD("5;a\n"),
    BAD("5;a\rb"),
    BAD("5;a\0"),
    BAD("5;a \r"),
    BAD("5;a b"),
    BAD("5;a=\r"),
    BAD("5;a=;"),
    BAD("5;a=b\n"),
    BAD("5;a=b c"),
    BAD("5;a=b=c"),
    BAD("5;a=b \r"),
    BAD("5;a=\"\n"),
    BAD("5;a=\"\r\n\""),
    BAD("5;a=\"\\\n\""),
    BAD("5;a=\"\x7f"),
    BAD("5;a=\"b\"c"),
    BAD("5;a=b\"c\""),
    BAD("5;a=\xff"),
    ROW("5\r\nhello!\r\n", 400, "hello", 0),
    ROW("5\r\nhello\n", 400, "hello", 0),
    ROW("5\r\nhello0\r\n", 400, "hello", 0),
    ROW("5\r\nhello\r\r\n", 400, "hello", 0),
    ROW("5\r\nhello\r\n\r\n0\r\n", 400, "hello", 0),
    ROW("6\r\nhello\r\n0\r\n\r\n", 400, "hello\r", 0),
    ROW("8\r\nhello\r\n0\r\n\r\n", 400, "hello\r\n0", 0),
    ROW("5\r\nhello\r\n0\n", 400, "hello", 0),
    BAD("28;\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n0\r\n\r\n"),
};

Test(proto_http1_chunks, framing_is_read_in_one_way_or_refused)
{
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_chunks(rows[i].text, rows[i].status, rows[i].data, rows[i].behind);
}

/* ---- Ceilings */

/* A chunk of `size` 'x' behind an extension that takes `extension` bytes, its semicolon included.
 */
static void add_chunk(char *text, size_t *len, size_t size, size_t extension)
{
    *len += (size_t)sprintf(text + *len, "%zx", size);
    if (extension)
        text[(*len)++] = ';';
    for (size_t i = 1; i < extension; i++)
        text[(*len)++] = 'e';
    *len += (size_t)sprintf(text + *len, "\r\n");
    memset(text + *len, 'x', size);
    *len += size;
    *len += (size_t)sprintf(text + *len, "%s", size ? "\r\n" : "");
}

static void expect_status(struct bytes text, int status)
{
    static char plain[SPACE];
    struct plain_body body = {.data = plain};
    plain_chunks(text.data, text.len, &body);
    cr_expect_eq(body.status, status, "%d instead of %d", body.status, status);
    expect_same(text, &body);
}

Test(proto_http1_chunks, a_line_has_a_ceiling)
{
    char text[SPACE] = "";
    for (size_t over = 0; over < 2; over++) {
        size_t len = 0;
        add_chunk(text, &len, 1, HTTP1_CHUNK_FRAMING - 3 + over); /* "1" and CRLF are the others */
        add_chunk(text, &len, 0, 0);
        expect_status(svc__bytes(text, len), over ? 413 : 0);
        memset(text, '0', SPACE);
        len = HTTP1_CHUNK_FRAMING + over;
        expect_status(svc__bytes(text, len), over ? 413 : HTTP1_PART);
    }
}

Test(proto_http1_chunks, extensions_may_be_a_little_more_than_the_data)
{
    char text[SPACE] = "";
    for (size_t over = 0; over < 2; over++) {
        size_t len = 0;
        for (size_t excess = 0; excess < HTTP1_CHUNK_EXTENSIONS - 96; excess += 500)
            add_chunk(text, &len, 8, 508);
        add_chunk(text, &len, 0, 96 + over);
        expect_status(svc__bytes(text, len), over ? 413 : 0);
    }
}

Test(proto_http1_chunks, a_signature_for_each_large_chunk_passes)
{
    enum { DATA = 65536, CHUNKS = 200 };
    char head[128] = "", *data = calloc(1, DATA);
    struct http1_chunks c = {0};
    struct bytes piece;
    const char *reason = NULL;
    cr_assert(data);
    for (int i = 0; i < CHUNKS; i++) {
        snprintf(head, sizeof head, "%s10000;chunk-signature=%064d\r\n", i ? "\r\n" : "", i);
        struct bytes framing = svc__bytes_z(head), rest = {data, DATA};
        cr_assert_eq(svc__http1_chunks_next(&c, &framing, &piece, &reason), HTTP1_PART);
        cr_assert_eq(svc__http1_chunks_next(&c, &rest, &piece, &reason), 0);
        cr_assert_eq(piece.len, DATA);
        cr_assert_eq(piece.data, data);
    }
    free(data);
}

Test(proto_http1_chunks, any_chunks_read_as_the_grammar_says)
{
    enum { BODIES = 20000 };
    static struct random_text text = {.seed = 1};
    static char plain_data[RANDOM_SPACE], read_data[RANDOM_SPACE];
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < BODIES; i++) {
        struct plain_body plain = {.data = plain_data}, read = {.data = read_data};
        random_chunks(&text);
        random_mutate(&text);
        struct pieces pieces = {1 + random_below(&text, 100), random_below(&text, 20)};
        plain_chunks(text.data, text.len, &plain);
        pieces_chunks(text.data, text.len, pieces, &read);
        cr_assert(pieces_same_body(&plain, &read), "%d instead of %d: %.*s", read.status,
                  plain.status, (int)text.len, text.data);
        taken += !plain.status;
        refused += plain.status > 0;
    }
    cr_expect_gt(taken, BODIES / 4, "%zu", taken);
    cr_expect_gt(refused, BODIES / 4, "%zu", refused);
}
