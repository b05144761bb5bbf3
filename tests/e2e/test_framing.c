/*
 * The server frames no input more leniently than a strict parser. Every edit of one byte of two
 * good requests is sent whole, in two pieces, and behind another request, and the served requests
 * are compared with those of the parser below.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { SPACE = 512, MOST = 4 };

struct input {
    char data[SPACE];
    size_t len;
};

/* ---- A strict parser */

struct reader {
    const char *data;
    size_t len, at;
};

struct parsed {
    size_t count;            /* of complete, well-formed requests */
    const char *first[MOST]; /* where each body is, */
    size_t body_len[MOST];   /* and how long */
    bool chunked[MOST];
};

static bool is_token(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool pass(struct reader *in, const char *text)
{
    size_t len = strlen(text);
    if (in->len - in->at < len || memcmp(in->data + in->at, text, len) != 0)
        return false;
    in->at += len;
    return true;
}

static size_t pass_token(struct reader *in)
{
    size_t begin = in->at;
    while (in->at < in->len && is_token(in->data[in->at]))
        in->at++;
    return in->at - begin;
}

static bool pass_digit(struct reader *in)
{
    return in->at < in->len && in->data[in->at] >= '0' && in->data[in->at++] <= '9';
}

/* Up to a CRLF, with tabs as the only control characters: its length without it, or -1. */
static long pass_text(struct reader *in)
{
    size_t begin = in->at;
    while (in->at < in->len) {
        unsigned char c = (unsigned char)in->data[in->at];
        if (c == '\r')
            return pass(in, "\r\n") ? (long)(in->at - begin) - 2 : -1;
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return -1;
        in->at++;
    }
    return -1;
}

static bool pass_line(struct reader *in)
{
    if (!pass_token(in) || !pass(in, " "))
        return false;
    size_t begin = in->at;
    while (in->at < in->len && (unsigned char)in->data[in->at] > ' ' && in->data[in->at] != 0x7f)
        in->at++;
    return in->at > begin && pass(in, " HTTP/1.") && pass_digit(in) && pass(in, "\r\n");
}

static bool is_name(const char *name, size_t len, const char *known)
{
    return len == strlen(known) && !strncasecmp(name, known, len);
}

/* Digits alone, with white space around them; -1 else. */
static long read_length(const char *value, size_t len)
{
    long length = 0;
    for (; len && (*value == ' ' || *value == '\t'); len--)
        value++;
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (!len || len > 6)
        return -1;
    for (; len; value++, len--) {
        if (*value < '0' || *value > '9')
            return -1;
        length = length * 10 + (*value - '0');
    }
    return length;
}

struct framed {
    unsigned lengths, codings;
    long length;
};

static bool pass_field(struct reader *in, struct framed *framed)
{
    const char *name = in->data + in->at;
    size_t name_len = pass_token(in);
    if (!name_len || !pass(in, ":"))
        return false;
    const char *value = in->data + in->at;
    long len = pass_text(in);
    if (len < 0)
        return false;
    if (is_name(name, name_len, "content-length")) {
        framed->lengths++;
        framed->length = read_length(value, (size_t)len);
    }
    framed->codings += is_name(name, name_len, "transfer-encoding");
    return framed->length >= 0;
}

/* White space before an extension is allowed (RFC 9112 7.1.1); libmicrohttpd refuses it. */
static size_t count_blanks(const char *at)
{
    size_t count = process_front_is_native() ? strspn(at, " \t") : 0;
    return at[count] == ';' ? count : 0;
}

static bool pass_chunks(struct reader *in)
{
    for (;;) {
        char *end;
        const char *digits = in->data + in->at;
        size_t count = strspn(digits, "0123456789abcdefABCDEF");
        unsigned long size = count && count < 5 ? strtoul(digits, &end, 16) : SPACE;
        in->at += count + count_blanks(digits + count);
        if (size == SPACE ||
            (in->at < in->len && in->data[in->at] != ';' && in->data[in->at] != '\r') ||
            pass_text(in) < 0)
            return false;
        if (!size)
            break;
        in->at += size;
        if (in->at > in->len || !pass(in, "\r\n"))
            return false;
    }
    long len;
    while ((len = pass_text(in)) > 0)
        ;
    return len == 0;
}

static bool pass_request(struct reader *in, struct parsed *out)
{
    struct framed framed = {0};
    while (pass(in, "\r\n"))
        ;
    if (!pass_line(in))
        return false;
    while (!pass(in, "\r\n"))
        if (!pass_field(in, &framed))
            return false;
    if (framed.lengths + framed.codings > 1)
        return false;
    out->first[out->count] = in->data + in->at;
    out->body_len[out->count] = (size_t)framed.length;
    out->chunked[out->count] = framed.codings;
    in->at += (size_t)framed.length;
    return in->at <= in->len && (!framed.codings || pass_chunks(in));
}

static struct parsed parse(const struct input *input)
{
    struct reader in = {input->data, input->len, 0};
    struct parsed parsed = {0};
    while (in.at < in.len && parsed.count < MOST && pass_request(&in, &parsed))
        parsed.count++;
    return parsed;
}

/* ---- Sending it */

enum way { WHOLE, IN_TWO, BEHIND, WAYS };

static const char first_request[] = "GET /path/first HTTP/1.1\r\nHost: a\r\n\r\n";

static void send_input(struct client *client, const struct input *input, enum way way, size_t split)
{
    if (way == BEHIND) {
        struct client_reply reply = client_exchange(client, first_request);
        cr_expect_eq(reply.status, 200);
        client_reply_free(&reply);
    }
    if (way == WHOLE) {
        client_send(client, input->data, input->len);
    } else {
        client_send(client, input->data, split);
        client_await_read(client);
        client_send(client, input->data + split, input->len - split);
    }
    client_finish_sending(client);
}

static bool is_refusal(int status)
{
    return status == 400 || status == 413 || status == 414 || status == 417 || status == 431 ||
           status == 501 || status == 505;
}

/* Each served request must be one of the parser's; a refusal ends the connection. Returns the
 * number of served requests. */
static size_t expect_strict(const struct input *input, enum way way, size_t split)
{
    const struct parsed parsed = parse(input);
    struct client *client = connect_client();
    send_input(client, input, way, split);
    size_t served = 0;
    for (;;) {
        struct client_reply reply = client_read(client, false);
        bool refused = reply.closes && is_refusal(reply.status);
        bool served_one = reply.end == CLIENT_REPLY && !refused;
        if (served_one) {
            cr_expect_lt(served, parsed.count, "way %d at %zu, %d: more than %zu of %.*s", (int)way,
                         split, reply.status, parsed.count, (int)input->len, input->data);
            bool echoes = reply.status == 200 && served < parsed.count && !parsed.chunked[served] &&
                          reply.body_len == parsed.body_len[served];
            cr_expect(!echoes || reply.body_len > 4 ||
                          !memcmp(reply.body, parsed.first[served], reply.body_len),
                      "another body of %.*s", (int)input->len, input->data);
            served++;
        }
        cr_expect_neq(reply.end, CLIENT_TIMEOUT, "%.*s", (int)input->len, input->data);
        cr_expect_neq(reply.end, CLIENT_GARBAGE, "%.*s", (int)input->len, input->data);
        bool last = !served_one || reply.closes;
        client_reply_free(&reply);
        if (last)
            break;
    }
    client_close(client);
    return served;
}

/* ---- Every edit */

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 8;
}

enum edit { REPLACE, INSERT, REMOVE, EDITS };

static struct input edit_input(const char *text, size_t at, enum edit edit, char byte)
{
    struct input input = {.len = 0};
    size_t len = strlen(text), rest = edit == INSERT ? at : at + 1;
    memcpy(input.data, text, at);
    input.len = at;
    if (edit != REMOVE)
        input.data[input.len++] = byte;
    memcpy(input.data + input.len, text + rest, len - rest);
    input.len += len - rest;
    return input;
}

/* Each edit is sent in one of the ways, in turn. */
static void expect_strict_edits(const char *text, unsigned ways)
{
    static const char bytes[] = {'\0', '\n', '\r', ' ', '\t', ':', ';', '0', 'x', (char)0x80};
    unsigned state = 1;
    size_t both = 0, edits = 0;
    for (size_t at = 0; at < strlen(text); at++)
        for (enum edit edit = REPLACE; edit < EDITS; edit++)
            for (size_t i = 0; i < (edit == REMOVE ? 1 : sizeof bytes); i++) {
                struct input input = edit_input(text, at, edit, bytes[i]);
                size_t split = 1 + next_random(&state) % (unsigned)(input.len - 1);
                both += expect_strict(&input, (enum way)(edits++ % ways), split) == 2;
            }
    cr_expect_gt(both, strlen(text), "only %zu were served whole", both);
}

static void start(void)
{
    serve("server_wire", NULL);
}

TestSuite(framing, .init = start, .fini = serve_no_more, .timeout = 300);

#define NEXT "GET /path/next HTTP/1.1\r\nHost: a\r\n\r\n"

Test(framing, of_edited_heads_is_a_strict_parsers)
{
    expect_strict_edits("GET /path/a HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n" NEXT, WAYS);
}

Test(framing, of_edited_heads_with_a_length_is_a_strict_parsers)
{
    expect_strict_edits("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" NEXT,
                        WAYS);
}

/* Sent whole: chunked framing that arrives by a separate read is hidden. */
Test(framing, of_edited_chunks_is_a_strict_parsers)
{
    expect_strict_edits("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX: y\r\n\r\n" NEXT,
                        WHOLE + 1);
}
