#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/proto/head_raw.h"

enum { MAX_FIELDS = 3, SPACE = 256 };

static const struct line_row {
    const char *line;
    int status;
    size_t target;
} lines[] = {
#define NUL "\1" /* stands for it in the tables */
    {"GET / HTTP/1.1\r\n", 0, 4},
    {"GET / HTTP/1.0\r\nHost: a\r\n", 0, 4},
    {"BREW /a b HTTP/1.9\r\n", 0, 5},
    {"GET   / HTTP/1.1\r\n", 0, 6},
    {"G" NUL "T /" NUL " HTTP/1.1\r\n", 0, 4},
    {"", HEAD_RAW_PART, 0},
    {"GET / HTTP/1.1", HEAD_RAW_PART, 0},
    {"GET / HTTP/1.1\r", HEAD_RAW_PART, 0},
    {"GET / HTTP/1.1\n", 400, 0},
    {"GET / HTTP/1.1" NUL "\n", 400, 0},
    {"\n", 400, 0},
    {"\r\n", 400, 0},
    {NUL "GET / HTTP/1.1\r\n", 400, 0},
    {" / HTTP/1.1\r\n", 400, 0},
    {"GET\r\n", 400, 0},
    {"GET HTTP/1.1\r\n", 400, 0},
    {"GET  HTTP/1.1\r\n", 400, 0},
    {"GET /\r\n", 400, 0},
    {"GET / HTTP/1.1 \r\n", 400, 0},
    {"GET / HTTP/1.1\r\r\n", 400, 0},
    {"GET / HTTP/1.1" NUL "\r\n", 400, 0},
    {"GET /\tHTTP/1.1\r\n", 400, 0},
    {"GET / http/1.1\r\n", 400, 0},
    {"GET / HTTP/1.10\r\n", 400, 0},
    {"GET / HTTP/1.x\r\n", 400, 0},
    {"GET / HTTP/2.0\r\n", 505, 0},
    {"GET / HTTP/0.9\r\n", 505, 0},
};

/* Copies a row's text with NULs in place. */
static size_t copy_text(char *to, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        to[i] = text[i] == *NUL ? '\0' : text[i];
    return len;
}

Test(proto_head_raw, a_request_line_is_taken_or_refused)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[SPACE];
        size_t len = copy_text(text, lines[i].line), target = 0, end = 0;
        const char *reason = NULL;
        int status = svc__head_raw_line(text, len, &target, &end, &reason);
        cr_expect_eq(status, lines[i].status, "%s: %d", lines[i].line, status);
        cr_expect_eq(target, lines[i].target, "%s: %zu", lines[i].line, target);
        cr_expect_eq(status > 0, reason != NULL, "%s", lines[i].line);
        cr_expect(status || (text[end - 1] == '\n' && end > 2), "%s: %zu", lines[i].line, end);
    }
}

static const struct {
    const char *fields;
    int status;
    const char *after; /* what becomes of them; NULL: nothing changes */
} heads[] = {
    {"\r\n", 0, NULL},
    {"Host: a\r\n\r\n", 0, NULL},
    {"Host: a\r\n\r\nGET / HTTP/1.1\n\n", 0, NULL},
    {"A:\r\nB: \r\nC:c\r\n\r\n", 0, NULL},
    {"A: b \t\r\nContent-Length: 5 \r\n\r\n", 0, "A:   b\r\nContent-Length:  5\r\n\r\n"},
    {"A: \t \r\n\r\n", 0, "A:   \r\n\r\n"},
    {"content-length: 007\r\n\r\n", 0, NULL},
    {"", HEAD_RAW_PART, NULL},
    {"\r", HEAD_RAW_PART, NULL},
    {"Host: a\r\n", HEAD_RAW_PART, NULL},
    {"Host: a\r\n\r", HEAD_RAW_PART, NULL},
    {"Host: a\r\nX", HEAD_RAW_PART, NULL},
    {"Host: a\r\nX" NUL, HEAD_RAW_PART, NULL},
    {"\n", 400, NULL},
    {"Host: a\n\r\n", 400, NULL},
    {"Host: a\r\n\n", 400, NULL},
    {"Host: a" NUL "\n", 400, NULL},
    {"Host: a" NUL "\r\n", 400, NULL},
    {NUL "\r\n", 400, NULL},
    {":\n", 400, NULL},
    {": a\r\n", 400, NULL},
    {"A\r\n", 400, NULL},
    {"A: b\r\n c\r\n", 400, NULL},
    {" A: b\r\n", 400, NULL},
    {"\tA: b\r\n", 400, NULL},
    {"Content-Length:\r\n", 400, NULL},
    {"Content-Length: x\r\n", 400, NULL},
    {"Content-Length: 5, 5\r\n", 400, NULL},
    {"Content-Length: 9223372036854775808\r\n", 413, NULL},
    {"Content-Length: 99999999999999999999999\r\n", 413, NULL},
    {"A:\r\nB:\r\nC:\r\nD:\r\n", 431, NULL},
};

Test(proto_head_raw, fields_are_taken_normalised_or_refused)
{
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char text[SPACE], expected[SPACE];
        const char *after = heads[i].after ? heads[i].after : heads[i].fields;
        size_t len = copy_text(text, heads[i].fields), end = 0;
        const char *reason = NULL;
        copy_text(expected, after);
        int status = svc__head_raw_fields(text, len, MAX_FIELDS, &end, &reason);
        cr_expect_eq(status, heads[i].status, "%s: %d", heads[i].fields, status);
        cr_expect_eq(status > 0, reason != NULL, "%s", heads[i].fields);
        cr_expect(!memcmp(text, expected, len), "%s: %.*s", heads[i].fields, (int)len, text);
        const char *empty = strstr(heads[i].fields, "\r\n\r\n");
        size_t whole = empty ? (size_t)(empty - heads[i].fields) + 4 : 2;
        cr_expect(status || end == whole, "%s: %zu", heads[i].fields, end);
    }
}

/* Each piece of a head is a piece, or has the fault that the whole has. */
Test(proto_head_raw, no_piece_is_more_than_its_head)
{
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        size_t whole = strlen(heads[i].fields);
        for (size_t len = 0; len < whole; len++) {
            char text[SPACE];
            size_t end = 0;
            const char *reason;
            copy_text(text, heads[i].fields);
            int status = svc__head_raw_fields(text, len, MAX_FIELDS, &end, &reason);
            cr_expect(status == HEAD_RAW_PART || status == heads[i].status, "%.*s: %d", (int)len,
                      heads[i].fields, status);
        }
    }
}
