/* Bodies of forms, whole and in pieces of each size. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/form/multipart_parser.h"

enum { MAX_HEAD = 256, ROOM = 64 << 10 };

static struct multipart_limits limits = {
    .parts = 10, .head = MAX_HEAD, .name = 50, .field = 1000, .file = 2000};
static struct multipart_parser parser;
static char head_text[MAX_HEAD + 1];
static char events[4096]; /* as text: "name|filename|type|data." for each part, "!" at the end */
static size_t events_len;

static void note(const char *data, size_t len)
{
    cr_assert_lt(events_len + len, sizeof events);
    memcpy(events + events_len, data, len);
    events_len += len;
    events[events_len] = '\0';
}

static void note_text(struct bytes bytes)
{
    note(bytes.data ? bytes.data : "-", bytes.data ? bytes.len : 1);
    note("|", 1);
}

static void note_event(enum multipart_event event)
{
    switch (event) {
    case MULTIPART_PART:
        note_text(parser.head.name);
        note_text(parser.head.filename);
        note_text(parser.head.type);
        break;
    case MULTIPART_DATA:
        cr_expect_gt(parser.data.len, 0);
        note(parser.data.data, parser.data.len);
        break;
    case MULTIPART_PART_END:
        note(".", 1);
        break;
    case MULTIPART_END:
        note("!", 1);
        break;
    default:
        note(parser.why.detail, strlen(parser.why.detail));
    }
}

/* Parses the body in pieces, in a window that has only the bytes that the parser has left. */
static int parse_pieces(const char *type, struct bytes body, size_t piece)
{
    static char window[ROOM];
    struct bytes in = {window, 0};
    enum multipart_event event = MULTIPART_MORE;
    bool last = false;
    events_len = 0;
    svc__multipart_begin(&parser, svc__bytes_z(type), &limits, head_text);
    while (event != MULTIPART_END && event != MULTIPART_FAILED) {
        event = svc__multipart_parse(&parser, &in, last);
        if (event != MULTIPART_MORE) {
            note_event(event);
            continue;
        }
        cr_assert_not(last);
        cr_assert_leq(in.len, MAX_HEAD + 4);
        size_t n = body.len < piece ? body.len : piece;
        memmove(window, in.data, in.len);
        memcpy(window + in.len, body.data, n);
        in = svc__bytes(window, in.len + n);
        body = svc__bytes(body.data + n, body.len - n);
        last = n == 0;
    }
    cr_expect_eq(svc__multipart_parse(&parser, &in, true), event, "the end stays");
    return parser.why.status;
}

static void expect_bytes(const char *type, struct bytes body, int status, const char *expected)
{
    for (size_t piece = body.len + 1; piece > 0; piece = piece > 40 ? piece / 2 : piece - 1) {
        int found = parse_pieces(type, body, piece);
        cr_assert_eq(found, status, "%d: %s (pieces of %zu)", found, events, piece);
        if (status)
            cr_assert(strstr(events, expected), "%s (pieces of %zu)", events, piece);
        else
            cr_assert_str_eq(events, expected, "pieces of %zu", piece);
    }
}

static void expect_form(const char *type, const char *body, const char *expected)
{
    expect_bytes(type, svc__bytes_z(body), 0, expected);
}

static void expect_refusal(const char *body, int status, const char *detail)
{
    expect_bytes("multipart/form-data; boundary=x", svc__bytes_z(body), status, detail);
}

static int begin(const char *type)
{
    return svc__multipart_begin(&parser, svc__bytes_z(type), &limits, head_text);
}

#define PART(name) "Content-Disposition: form-data; name=" name "\r\n\r\n"
#define FORM "multipart/form-data; boundary="

Test(form_multipart_parser, takes_each_legal_boundary)
{
    char type[200], longest[MULTIPART_BOUNDARY_MAX + 2];
    memset(longest, 'b', sizeof longest);
    longest[MULTIPART_BOUNDARY_MAX] = '\0';
    snprintf(type, sizeof type, FORM "%s", longest);
    cr_expect_eq(begin(type), 0);
    snprintf(type, sizeof type, FORM "%sb", longest);
    cr_expect_eq(begin(type), 400);
    cr_expect_eq(begin("Multipart/Form-Data;Boundary=\"0'()+_,-./:=? z\""), 0);
    cr_expect_eq(begin(FORM "\"a\\b\""), 0);
    cr_expect_eq(memcmp(parser.delimiter, "\r\n--ab", parser.delimiter_len), 0);
    cr_expect_eq(begin("multipart/form-data; charset=utf-8; boundary=a"), 0);
    static const char *const malformed[] = {FORM,
                                            FORM "\"\"",
                                            FORM "\"a \"",
                                            FORM "\"a@b\"",
                                            FORM "\"a\tb\"",
                                            FORM "\xc3\xa4",
                                            FORM "a b",
                                            FORM "\"a",
                                            FORM "a;boundary=a",
                                            "multipart/form-data"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        cr_expect_eq(begin(malformed[i]), 400, "%s", malformed[i]);
}

Test(form_multipart_parser, refuses_other_types)
{
    cr_expect_eq(begin(NULL), 415);
    cr_expect_eq(begin("multipart/mixed; boundary=a"), 415);
    cr_expect_eq(begin("application/json"), 415);
    cr_expect_eq(begin("application/x-www-form-urlencoded"), 415);
    struct bytes in = {"--a--", 5};
    cr_expect_eq(svc__multipart_parse(&parser, &in, true), MULTIPART_FAILED);
}

/* RFC 2046 5.1.1, with the fields that a form has. */
Test(form_multipart_parser, takes_preamble_epilogue_and_padding)
{
    expect_form(
        "multipart/form-data; boundary=\"simple boundary\"",
        "This is the preamble.  It is to be ignored.\r\n"
        "\r\n--simple boundary\r\n" PART("a") "This is implicitly typed plain US-ASCII text.\r\nIt "
                                              "does NOT end with a linebreak."
                                              "\r\n--simple boundary \t \r\n"
                                              "Content-type: text/plain; charset=us-ascii\r\n" PART(
                                                  "b") "It DOES end with a linebreak.\r\n"
                                                       "\r\n--simple boundary--\t\r\n\r\nThis is "
                                                       "the epilogue.\r\n--simple boundary\r\n",
        "a|-|text/plain|This is implicitly typed plain US-ASCII text.\r\n"
        "It does NOT end with a linebreak."
        ".b|-|text/plain; charset=us-ascii|It DOES end with a linebreak.\r\n.!");
}

Test(form_multipart_parser, takes_empty_forms_and_parts)
{
    expect_form(FORM "x", "--x--", "!"); /* an empty FormData of Chromium */
    expect_form(FORM "x", "--x--\r\n", "!");
    expect_form(FORM "x", "--x\r\n" PART("a") "\r\n--x--\r\n", "a|-|text/plain|.!");
    /* RFC 2046 5.1.1: a part may have no body, and then has no empty line of its own. */
    expect_form(FORM "x", "--x\r\n" PART("a") "--x\r\n" PART("b") "--x--",
                "a|-|text/plain|.b|-|text/plain|.!");
}

/* As Chromium 120, curl 7.88, aiohttp 3.9 and Go 1.22 send a field and a file. */
Test(form_multipart_parser, takes_the_forms_of_clients)
{
    expect_form(FORM "----WebKitFormBoundaryABCDEFGHIJKLMNOP",
                "------WebKitFormBoundaryABCDEFGHIJKLMNOP\r\n"
                "Content-Disposition: form-data; name=\"title\"\r\n\r\nA day\r\n"
                "------WebKitFormBoundaryABCDEFGHIJKLMNOP\r\n"
                "Content-Disposition: form-data; name=\"file\"; filename=\"a%22.txt\"\r\n"
                "Content-Type: text/plain\r\n\r\nA\r\n\r\n"
                "------WebKitFormBoundaryABCDEFGHIJKLMNOP--\r\n",
                "title|-|text/plain|A day.file|a\".txt|text/plain|A\r\n.!");
    expect_form(FORM "------------------------d74496d66958873e",
                "--------------------------d74496d66958873e\r\n"
                "Content-Disposition: form-data; name=\"title\"\r\n\r\nA day\r\n"
                "--------------------------d74496d66958873e\r\n"
                "Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n"
                "Content-Type: application/octet-stream\r\n\r\n\x01\r\n"
                "--------------------------d74496d66958873e--\r\n",
                "title|-|text/plain|A day.file|a.bin|application/octet-stream|\x01.!");
    expect_form(FORM "bc3d7b8f5d1b4b6fa5e7d0f6e0a1c2d3",
                "--bc3d7b8f5d1b4b6fa5e7d0f6e0a1c2d3\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Disposition: form-data; name=\"title\"\r\n\r\nA day\r\n"
                "--bc3d7b8f5d1b4b6fa5e7d0f6e0a1c2d3\r\n"
                "Content-Type: text/plain\r\n"
                "Content-Disposition: form-data; name=\"file\"; filename=\"%C3%A4.txt\"; "
                "filename*=utf-8''%C3%A4.txt\r\n\r\nA\r\n"
                "--bc3d7b8f5d1b4b6fa5e7d0f6e0a1c2d3--\r\n",
                "title|-|text/plain; charset=utf-8|A day.file|\xc3\xa4.txt|text/plain|A.!");
    expect_form(FORM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab",
                "--0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab\r\n"
                "Content-Disposition: form-data; name=\"file\"; filename=\"a\\\"b.txt\"\r\n"
                "Content-Type: application/octet-stream\r\n\r\nA\r\n"
                "--0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab--\r\n",
                "file|a\"b.txt|application/octet-stream|A.!");
}

Test(form_multipart_parser, hands_on_what_only_looks_like_a_boundary)
{
    expect_form(
        FORM "xyz",
        "--xyz\r\n" PART("a") "--xy\r\n--xy\r\r\n--\n--xyz\r--xyz \r\n-\r\n--xy-\r\n--xyz--",
        "a|-|text/plain|--xy\r\n--xy\r\r\n--\n--xyz\r--xyz \r\n-\r\n--xy-.!");
    const char nul[] = "--x\r\n" PART("a") "\0\xff\r\n--x--";
    for (size_t piece = 1; piece < sizeof nul; piece++) {
        cr_expect_eq(parse_pieces(FORM "x", svc__bytes(nul, sizeof nul - 1), piece), 0);
        cr_expect_eq(memcmp(events, "a|-|text/plain|\0\xff.!", events_len), 0);
    }
}

Test(form_multipart_parser, takes_a_part_of_type_multipart_as_it_is)
{
    expect_form(FORM "x",
                "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n" PART(
                    "a") "--y\r\n\r\nA\r\n--y--\r\n--x--\r\n",
                "a|-|multipart/mixed; boundary=y|--y\r\n\r\nA\r\n--y--.!");
}

Test(form_multipart_parser, refuses_malformed_bodies)
{
    expect_refusal("", 400, "does not have the boundary");
    expect_refusal("a=b&c=d", 400, "does not have the boundary");
    expect_refusal("--y\r\n" PART("a") "A\r\n--y--\r\n", 400, "does not have the boundary");
    expect_refusal("--x", 400, "ends before");
    expect_refusal("--x-", 400, "ends before");
    expect_refusal("--x\r\n", 400, "ends before");
    expect_refusal("--x\r\nContent-Disposition: form-data; name=a\r\n", 400, "ends before");
    expect_refusal("--x\r\n" PART("a") "A", 400, "ends before");
    expect_refusal("--x\r\n" PART("a") "A\r\n", 400, "ends before");
    expect_refusal("--x\r\n" PART("a") "A\r\n--x", 400, "ends before");
    expect_refusal("--x\r\n" PART("a") "A\r\n--x\r", 400, "ends before");
    expect_refusal("--x--\r", 400, "ends before");
    expect_refusal("--xy\r\n" PART("a") "A\r\n--x--", 400, "followed by other bytes");
    expect_refusal("--x\n" PART("a") "A\r\n--x--", 400, "followed by other bytes");
    expect_refusal("--x\r\n" PART("a") "A\r\n--xy\r\nB\r\n--x--", 400, "followed by other bytes");
    expect_refusal("--x-y\r\n", 400, "followed by other bytes");
    expect_refusal("--x--y\r\n", 400, "followed by other bytes");
    expect_refusal("--x\r\n\r\nA\r\n--x--", 400, "no header fields");
    expect_refusal("--x\r\nContent-Disposition: form-data; name=a\r\n--x\r\n" PART("b") "\r\n--x--",
                   400, "no empty line");
    expect_refusal("--x\r\n--x\r\n" PART("b") "\r\n--x--", 400, "no empty line");
    expect_refusal("--x\r\nX: y\r\n\r\nA\r\n--x--", 400, "no Content-Disposition");
}

Test(form_multipart_parser, keeps_to_its_limits)
{
    static char body[4096];
    struct multipart_limits defaults = limits;
    limits.parts = 1;
    expect_form(FORM "x", "--x\r\n" PART("a") "A\r\n--x--", "a|-|text/plain|A.!");
    expect_refusal("--x\r\n" PART("a") "A\r\n--x\r\n" PART("b") "B\r\n--x--", 413, "too many");
    limits = defaults;
    limits.field = 3;
    limits.file = 4;
    expect_form(FORM "x", "--x\r\n" PART("a") "AAA\r\n--x--", "a|-|text/plain|AAA.!");
    expect_refusal("--x\r\n" PART("a") "AAAA\r\n--x--", 413,
                   "a|-|text/plain|AAAa part of the form");
    expect_form(FORM "x", "--x\r\n" PART("a; filename=b") "AAAA\r\n--x--", "a|b|text/plain|AAAA.!");
    expect_refusal("--x\r\n" PART("a; filename=b") "AAAAA\r\n--x--", 413, "over the limit");
    limits = defaults;
    int fill = MAX_HEAD - (int)strlen("Content-Disposition: form-data; name=a\r\nX: ");
    snprintf(body, sizeof body, "--x\r\nX: %0*d\r\n" PART("a") "A\r\n--x--", fill, 0);
    expect_form(FORM "x", body, "a|-|text/plain|A.!");
    snprintf(body, sizeof body, "--x\r\nX: %0*d\r\n" PART("a") "A\r\n--x--", fill + 1, 0);
    expect_refusal(body, 413, "too large");
}
