#include "libsvc/proto/http1_head.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/http1_pieces.h"
#include "tests/support/http1_random.h"
#include "tests/unit/proto/vectors.h"

static const struct head_limits limits = {.max_target = 40, .max_bytes = 160, .max_fields = 4};

struct row {
    struct bytes text;
    int status;
    const char *read; /* of what is accepted: as `show` writes it */
};

#define GET "GET / HTTP/1.1\r\n"
#define HOST GET "Host: a\r\n"

/* ---- What a reading gives, as a text: method, target, version, fields, and the rest behind it */

static void show(struct bytes text, const struct plain_head *head, char out[static 512])
{
    FILE *file = fmemopen(out, 512, "w");
    cr_assert(file);
    if (head->method.len)
        fprintf(file, "%.*s %.*s %zu", (int)head->method.len, text.data + head->method.at,
                (int)head->target.len, text.data + head->target.at, head->minor);
    for (size_t i = 0; i < head->count; i++) {
        const struct plain_field *field = &head->fields[i];
        fprintf(file, " [%.*s]=[%.*s]", (int)field->name.len, text.data + field->name.at,
                (int)field->value.len, text.data + field->value.at);
    }
    if (!head->status)
        fprintf(file, " +%zu", text.len - head->end);
    fclose(file);
}

typedef void read_fn(const char *text, size_t len, struct pieces pieces,
                     const struct head_limits *limits, struct plain_head *out);

/* In one piece, in each two, and byte by byte. */
static void expect_same(struct bytes text, read_fn *read, const struct plain_head *wanted)
{
    struct plain_head head;
    for (size_t first = 0; first <= text.len; first++) {
        read(text.data, text.len, (struct pieces){first, 0}, &limits, &head);
        cr_expect(pieces_same_head(&head, wanted), "split at %zu: %d instead of %d: %.*s", first,
                  head.status, wanted->status, SHOW(text));
    }
    for (size_t step = 1; step <= 3; step++) {
        read(text.data, text.len, (struct pieces){step, step}, &limits, &head);
        cr_expect(pieces_same_head(&head, wanted), "by %zu: %d instead of %d: %.*s", step,
                  head.status, wanted->status, SHOW(text));
    }
}

static void expect_row(const struct row *row, const struct plain_head *plain, read_fn *read)
{
    char shown[512] = "";
    cr_expect_eq(plain->status, row->status, "%d instead of %d: %.*s", plain->status, row->status,
                 SHOW(row->text));
    show(row->text, plain, shown);
    cr_expect_str_eq(shown, row->read ? row->read : "", "%.*s: %s", SHOW(row->text), shown);
    expect_same(row->text, read, plain);
}

static void expect_heads(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct plain_head plain;
        plain_head(rows[i].text.data, rows[i].text.len, &limits, &plain);
        expect_row(&rows[i], &plain, pieces_head);
    }
}

/* ---- Request lines */

static const struct row lines[] = {
    /* RFC 9112 3.2.1 to 3.2.4 */
    {LITERAL("GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n"), 0,
     "GET /where?q=now 1 [Host]=[www.example.org] +0"},
    {LITERAL("GET http://www.example.org/pub/ HTTP/1.1\r\n\r\n"), 0,
     "GET http://www.example.org/pub/ 1 +0"},
    {LITERAL("CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), 0,
     "CONNECT www.example.com:80 1 [Host]=[www.example.com] +0"},
    {LITERAL("OPTIONS * HTTP/1.1\r\n\r\n"), 0, "OPTIONS * 1 +0"},
    {LITERAL("GET / HTTP/1.0\r\n\r\n"), 0, "GET / 0 +0"},
    {LITERAL("GET / HTTP/1.9\r\n\r\nGET / HTTP/1.1\n"), 0, "GET / 9 +15"},
    {LITERAL("!#$%&'*+-.^_`|~09azAZ \x80\xff\"<>\\^`{|}# HTTP/1.1\r\n\r\n"), 0,
     "!#$%&'*+-.^_`|~09azAZ \x80\xff\"<>\\^`{|}# 1 +0"},
    {LITERAL(""), HTTP1_PART, NULL},
    {LITERAL("G"), HTTP1_PART, NULL},
    {LITERAL("GET / HTTP/1.1"), HTTP1_PART, NULL},
    {LITERAL("GET / HTTP/1.1\r"), HTTP1_PART, NULL},
    {LITERAL(GET), HTTP1_PART, NULL},
    {LITERAL(GET "\r"), HTTP1_PART, NULL},
    {LITERAL(" / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET\r\n\r\n"), 400, NULL},
    {LITERAL("GET \r\n\r\n"), 400, NULL},
    {LITERAL("GET /\r\n\r\n"), 400, NULL}, /* HTTP/0.9 */
    {LITERAL("GET / \r\n\r\n"), 400, NULL},
    {LITERAL("GET  HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET  / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /  HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.1 \r\n\r\n"), 400, NULL},
    {LITERAL(" GET / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /a b HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET\t/ HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /\tHTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /\vHTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / \fHTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /a\tb HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /\x01 HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /\x7f HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /\0 HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /a\rb HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET /\r HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("G(T / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("G\xffT / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GE\0T / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("G\rT / HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET\r/ HTTP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.1\r\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP\r/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.1\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.1\0\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.1\n\0Host: a\r\n\r\n"), 400, NULL},
    {LITERAL("GET / http/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.10\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/01.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/1.x\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/x.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/11\r\n\r\n"), 400, NULL},
    {LITERAL("GET / ICAP/1.1\r\n\r\n"), 400, NULL},
    {LITERAL("GET / HTTP/2.0\r\n\r\n"), 505, NULL},
    {LITERAL("GET / HTTP/0.9\r\n\r\n"), 505, NULL},
    {LITERAL("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, NULL},
    {LITERAL("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 / \r\n\r\n"), 400, NULL}, /* TLS */
};

Test(proto_http1_head, a_request_line_is_read_in_one_way_or_refused)
{
    expect_heads(lines, ROWS(lines));
}

/* ---- Empty lines before it */

static const struct row empties[] = {
    {LITERAL("\r\n" GET "\r\n"), 0, "GET / 1 +0"},
    {LITERAL("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" GET "\r\n"), 0, "GET / 1 +0"},
    {LITERAL("\r\n\r\n"), HTTP1_PART, NULL},
    {LITERAL("\r\n\r"), HTTP1_PART, NULL},
    {LITERAL("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" GET "\r\n"), 400, NULL},
    {LITERAL("\n" GET "\r\n"), 400, NULL},
    {LITERAL("\n\n" GET "\r\n"), 400, NULL},
    {LITERAL("\r\n\n" GET "\r\n"), 400, NULL},
    {LITERAL("\r" GET "\r\n"), 400, NULL},
    {LITERAL("\r\r\n" GET "\r\n"), 400, NULL},
    {LITERAL("\0\r\n" GET "\r\n"), 400, NULL},
    {LITERAL("\0\n" GET "\r\n"), 400, NULL},
    {LITERAL(" \r\n" GET "\r\n"), 400, NULL},
    {LITERAL("\0PUT /item HTTP/1.1\r\n" GET "\r\n"), 400, NULL},
};

Test(proto_http1_head, a_few_empty_lines_before_are_skipped)
{
    expect_heads(empties, ROWS(empties));
}

/* ---- Fields. What is refused behind a request line has that line. */

static const struct row fields[] = {
    {LITERAL(GET "\r\n\r\n"), 0, "GET / 1 +2"},
    {LITERAL(HOST "A:\r\nB:\t \r\nC: c\t d \t\r\n\r\nX"), 0,
     "GET / 1 [Host]=[a] [A]=[] [B]=[] [C]=[c\t d] +1"},
    {LITERAL(GET "!#$%&'*+-.^_`|~09: \x80\xff:;,=\"\r\n\r\n"), 0,
     "GET / 1 [!#$%&'*+-.^_`|~09]=[\x80\xff:;,=\"] +0"},
    {LITERAL(GET "a-rather-long-name: 0123456789abcdef0123456789abcdef\t\r\n\r\n"), 0,
     "GET / 1 [a-rather-long-name]=[0123456789abcdef0123456789abcdef] +0"},
    {LITERAL(HOST "X: 1\r\n"), HTTP1_PART, NULL},
    {LITERAL(HOST "X: 1\r\n\r"), HTTP1_PART, NULL},
    {LITERAL(HOST "X: \x01"), HTTP1_PART, NULL}, /* its line may still be too long */
    {LITERAL(HOST "X A: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X : 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X\t: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "Content-Length : 1\r\n\r\nx"), 400, "GET / 1"},
    {LITERAL(HOST "Transfer-Encoding\v: chunked\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST ": 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X(A: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X\x01: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X\xe9: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X\0A: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "\0X: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X\rA: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: \x01\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: \x1b[2J\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: a\x7f\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: a\rb\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: a\r\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: \0\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\0evil\r\nY: 2\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\0\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\r\n 2\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\r\n\t2\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\r\n \r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "Content-Length: 5\r\n 0\r\n\r\nhello"), 400, "GET / 1"},
    {LITERAL(GET " X: 1\r\nHost: a\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST ":\nGET http://a/hidden HTTP/1.1\r\nX: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST ":\r\nGET http://a/hidden HTTP/1.1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "\0\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "\n"), 400, "GET / 1"},
    {LITERAL(HOST "\r\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\n\r\n"), 400, "GET / 1"},
    {LITERAL(HOST "X: 1\n\n"), 400, "GET / 1"},
    {LITERAL(GET "Host: a\nX: 1\r\n\r\n"), 400, "GET / 1"},
    {LITERAL(GET "Host: a\n\0\0\n\r\n"), 400, "GET / 1"},
    {LITERAL(GET "\n"), 400, "GET / 1"},
};

Test(proto_http1_head, fields_are_read_in_one_way_or_refused)
{
    expect_heads(fields, ROWS(fields));
}

/* ---- Limits */

#define TEN "0123456789"
#define FORTY TEN TEN TEN TEN

static const struct row sizes[] = {
    {LITERAL("GET " FORTY " HTTP/1.1\r\n\r\n"), 0, "GET " FORTY " 1 +0"},
    {LITERAL("GET " FORTY "x HTTP/1.1\r\n\r\n"), 414, "GET " FORTY "x 1"},
    {LITERAL("GET " FORTY FORTY FORTY FORTY " HTTP/1.1\r\n\r\n"), 414, NULL},
    {LITERAL("GET " FORTY FORTY FORTY FORTY), 414, NULL},
    {LITERAL(FORTY FORTY FORTY FORTY), 414, NULL},
    {LITERAL(FORTY FORTY FORTY "0123456789012345678901234567890123456789"), 414, NULL},
    {LITERAL(FORTY FORTY FORTY "012345678901234567890123456789012345678"), HTTP1_PART, NULL},
    {LITERAL(FORTY FORTY FORTY "01234567890123456789012345678901234567\r\n"), 400, NULL},
    {LITERAL(GET "A:\r\nB:\r\nC:\r\nD:\r\n\r\n"), 0, "GET / 1 [A]=[] [B]=[] [C]=[] [D]=[] +0"},
    {LITERAL(GET "A:\r\nB:\r\nC:\r\nD:\r\nE"), HTTP1_PART, NULL},
    {LITERAL(GET "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n"), 431, "GET / 1"},
    {LITERAL(GET "A:\r\nB:\r\nC:\r\nD:\r\nE:\n"), 400, "GET / 1"},
    {LITERAL(GET "A:" FORTY FORTY FORTY TEN "01234567\r\n\r\n"), 0,
     "GET / 1 [A]=[" FORTY FORTY FORTY TEN "01234567] +0"},
    {LITERAL("\r\n" GET "A:" FORTY FORTY FORTY TEN "01234567\r\n\r\n"), 0,
     "GET / 1 [A]=[" FORTY FORTY FORTY TEN "01234567] +0"},
    {LITERAL(GET "A:" FORTY FORTY FORTY TEN "01234567\r\n\r"), HTTP1_PART, NULL},
    {LITERAL(GET "A:" FORTY FORTY FORTY TEN "012345678\r\n\r"), 431, "GET / 1"},
    {LITERAL(GET "A:" FORTY FORTY FORTY TEN "012345678\r\n\r\n"), 431, "GET / 1"},
    {LITERAL(GET "A\x01" FORTY FORTY FORTY FORTY), 431, "GET / 1"},
};

Test(proto_http1_head, limits_are_those_of_the_whole_head)
{
    expect_heads(sizes, ROWS(sizes));
}

/* ---- Trailers */

static const struct row trailers[] = {
    {LITERAL("\r\nGET"), 0, " +3"},
    {LITERAL("A: 1 \r\nB:\r\n\r\nGET"), 0, " [A]=[1] [B]=[] +3"},
    {LITERAL(""), HTTP1_PART, NULL},
    {LITERAL("\r"), HTTP1_PART, NULL},
    {LITERAL("A: 1\r\n"), HTTP1_PART, NULL},
    {LITERAL("\n"), 400, NULL},
    {LITERAL("A: 1\n\r\n"), 400, NULL},
    {LITERAL("A: 1\r\n\n"), 400, NULL},
    {LITERAL("A: 1\nB: 2\r\n\r\n"), 400, NULL},
    {LITERAL("A\r\n\r\n"), 400, NULL},
    {LITERAL(":\r\nA: 1\r\n\r\n"), 400, NULL},
    {LITERAL(" A: 1\r\n\r\n"), 400, NULL},
    {LITERAL("A: 1\r\n b\r\n\r\n"), 400, NULL},
    {LITERAL("A B: 1\r\n\r\n"), 400, NULL},
    {LITERAL("A: a\001b\r\n\r\n"), 400, NULL},
    {LITERAL("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n"), 431, NULL},
    {LITERAL("A:" FORTY FORTY FORTY FORTY), 431, NULL},
};

Test(proto_http1_head, trailers_are_read_as_fields_are)
{
    for (size_t i = 0; i < ROWS(trailers); i++) {
        struct plain_head plain;
        plain_trailers(trailers[i].text.data, trailers[i].text.len, &limits, &plain);
        expect_row(&trailers[i], &plain, pieces_trailers);
    }
}

/* ---- What the fields tell of the framing is refused by svc__head_check, as for every front */

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static const struct {
    struct bytes text;
    int status;
    enum framing_kind kind;
} framings[] = {
    {LITERAL(POST "Content-Length: 5 \r\n\r\n"), 0, BODY_LENGTH},
    {LITERAL(POST "Content-Length: 0005\r\n\r\n"), 0, BODY_LENGTH},
    {LITERAL(POST "Content-Length: 0\r\n\r\n"), 0, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: \tCHUNKED \r\n\r\n"), 0, BODY_CHUNKED},
    {LITERAL("GET / HTTP/1.0\r\n\r\n"), 0, BODY_NONE},
    {LITERAL(GET "Host: \r\n\r\n"), 0, BODY_NONE},
    {LITERAL(GET "\r\n"), 400, BODY_NONE},
    {LITERAL(GET "Host: a\r\nhost: a\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(GET "Host: a b\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(GET "Host: a/b\r\n\r\n"), 400, BODY_NONE},
    {LITERAL("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Content-Length: 5, 5\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Content-Length: +5\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Content-Length: 5 5\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Content-Length:\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Content-Length: 9223372036854775808\r\n\r\n"), 413, BODY_NONE},
    {LITERAL(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n"), 400,
     BODY_NONE},
    {LITERAL("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), 501, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"), 501, BODY_NONE},
    {LITERAL(POST "Transfer-Encoding:\r\n\r\n"), 501, BODY_NONE},
    {LITERAL(POST "Expect: tea\r\n\r\n"), 417, BODY_NONE},
};

Test(proto_http1_head, is_what_the_check_of_a_head_takes)
{
    for (size_t i = 0; i < ROWS(framings); i++) {
        struct http1_reading r = {0};
        struct field list[PLAIN_FIELDS];
        struct fields read;
        struct framing framing = {.kind = BODY_NONE};
        struct head head;
        const char *reason;
        char text[160];
        cr_assert_leq(framings[i].text.len, sizeof text);
        memcpy(text, framings[i].text.data, framings[i].text.len);
        cr_assert_eq(
            svc__http1_head_read(&r, text, framings[i].text.len, &limits, list, &head, &reason), 0);
        svc__fields_read(&read, head.fields, head.count);
        cr_expect_eq(svc__head_check(&head, &read, &limits, &framing, &reason), framings[i].status,
                     "%.*s", SHOW(framings[i].text));
        cr_expect_eq(framing.kind, framings[i].kind, "%.*s", SHOW(framings[i].text));
    }
}

/* ---- Heads at random, well-formed and with wrong bytes */

Test(proto_http1_head, any_head_reads_as_the_grammar_says)
{
    enum { HEADS = 20000 };
    static struct random_text text = {.seed = 1};
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < HEADS; i++) {
        const struct head_limits random_limits = {60, 100 + random_below(&text, 300),
                                                  1 + random_below(&text, 6)};
        struct plain_head plain, read;
        random_head(&text);
        random_mutate(&text);
        struct pieces pieces = {1 + random_below(&text, 150), random_below(&text, 50)};
        plain_head(text.data, text.len, &random_limits, &plain);
        pieces_head(text.data, text.len, pieces, &random_limits, &read);
        cr_assert(pieces_same_head(&plain, &read), "%d instead of %d: %.*s", read.status,
                  plain.status, (int)text.len, text.data);
        taken += !plain.status;
        refused += plain.status > 0;
    }
    cr_expect_gt(taken, HEADS / 4, "%zu", taken);
    cr_expect_gt(refused, HEADS / 4, "%zu", refused);
}
