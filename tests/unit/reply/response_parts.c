/* Parts of bodies of each kind: what is sent of them, and what is released when. */
#include "libsvc/reply/response_parts.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/exchange/response_internal.h"
#include "libsvc/reply/response_hold.h"
#include "tests/support/hand.h"

static struct exchange *x;
static svc_response *res;
static unsigned releases;

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    res = &x->response;
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(reply_response_parts, .init = open_exchange, .fini = close_exchange);

static const char digits[] = "0123456789";

/* A source of the digits, which counts what is done with it. */
struct script {
    size_t at, reads, closes;
    int seek_error;
    bool waits; /* once, before the next bytes */
};

static int64_t read_script(void *state, char *data, size_t len)
{
    struct script *script = state;
    if (script->waits) {
        script->waits = false;
        return SVC_EAGAIN;
    }
    script->reads++;
    if (script->at == 10 || len == 0)
        return 0;
    *data = digits[script->at++]; /* one at a time */
    return 1;
}

static int seek_script(void *state, uint64_t offset)
{
    struct script *script = state;
    script->at = (size_t)offset;
    return script->seek_error;
}

static void close_script(void *state)
{
    ((struct script *)state)->closes++;
}

static void answer_with_script(struct script *script)
{
    svc_source source = SVC_SOURCE_INIT;
    source.length = 10;
    source.read = read_script;
    source.seek = seek_script;
    source.close = close_script;
    source.state = script;
    cr_assert_eq(svc_response_source(res, 200, "a/b", &source), 0);
}

static void answer_with_file(void)
{
    char name[] = "/tmp/svc-parts-XXXXXX";
    svc_file file = SVC_FILE_INIT;
    file.fd = mkstemp(name);
    cr_assert_geq(file.fd, 0);
    unlink(name);
    cr_assert_eq(write(file.fd, "xx0123456789xx", 14), 14);
    file.offset = 2;
    file.length = 10;
    cr_assert_eq(svc_response_fd(res, 200, "a/b", &file), 0);
}

static void release_text(void *data)
{
    cr_expect_str_eq((const char *)data, digits, "released as it was taken");
    releases++;
    free(data);
}

static void answer_with_memory(void)
{
    cr_assert_eq(svc_response_take(res, 200, "a/b", strdup(digits), 10, release_text), 0);
}

/* The bytes of the body, whatever its kind. */
static const char *read_all(void)
{
    static char text[4096];
    size_t len = 0;
    int64_t n = 0;
    svc_source source = SVC_SOURCE_INIT;
    cr_assert_eq(svc_response_take_source(res, &source), 0);
    while (len < source.length &&
           (n = source.read(source.state, text + len, source.length - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    cr_expect_geq(n, 0, "%lld", (long long)n);
    cr_expect_eq(len, source.length);
    if (source.close)
        source.close(source.state);
    return text;
}

Test(reply_response_parts, are_of_bodies_whose_bytes_can_be_reached)
{
    static struct script script;
    answer_with_memory();
    cr_expect(svc__response_parts_possible(res));
    answer_with_file();
    cr_expect(svc__response_parts_possible(res));
    answer_with_script(&script);
    cr_expect(svc__response_parts_possible(res));
    res->body.source.length = SVC_LENGTH_UNKNOWN;
    cr_expect_not(svc__response_parts_possible(res), "of unknown length");
    res->body.source.length = 10;
    res->body.source.seek = NULL;
    cr_expect_not(svc__response_parts_possible(res), "without a seek");
    svc_response_empty(res, 200);
    cr_expect_not(svc__response_parts_possible(res));
}

static int end_quietly(svc_trailers *out, void *arg)
{
    (void)out, (void)arg;
    return 0;
}

Test(reply_response_parts, are_not_of_a_body_that_trailers_describe)
{
    answer_with_memory();
    cr_assert_eq(svc_response_on_trailers(res, end_quietly, NULL), 0);
    cr_expect_not(svc__response_parts_possible(res));
}

Test(reply_response_parts, of_memory_release_it_as_it_was)
{
    answer_with_memory();
    cr_assert_eq(svc__response_parts_cut(res, &(struct range){3, 6}), 0);
    cr_expect_str_eq(read_all(), "3456");
    svc__exchange_unref(x);
    cr_expect_eq(releases, 1);
    x = hand_exchange();
    res = &x->response;
}

Test(reply_response_parts, of_a_file_are_still_sent_by_the_kernel)
{
    answer_with_file();
    cr_assert_eq(svc__response_parts_cut(res, &(struct range){0, 0}), 0);
    cr_expect_eq(res->body.kind, REPLY_FILE);
    cr_expect_str_eq(read_all(), "0");
    answer_with_file();
    cr_assert_eq(svc__response_parts_cut(res, &(struct range){8, 9}), 0);
    cr_expect_str_eq(read_all(), "89");
}

Test(reply_response_parts, of_a_source_are_sought_once_and_end_in_time)
{
    static struct script script;
    answer_with_script(&script);
    cr_assert_eq(svc__response_parts_cut(res, &(struct range){4, 6}), 0);
    cr_expect_eq(svc__exchange_reply_length(x), 3);
    cr_expect_str_eq(read_all(), "456");
    cr_expect_eq(script.reads, 3, "nothing is read that is not sent");
    cr_expect_eq(script.closes, 1);
    script.seek_error = SVC_ESYSTEM;
    answer_with_script(&script);
    cr_expect_eq(svc__response_parts_cut(res, &(struct range){4, 6}), SVC_ESYSTEM);
}

static const struct range_set three = {3, {{8, 9}, {0, 0}, {3, 5}}};

/* Compares the body with the three parts of the digits, by the boundary of its Content-Type. */
static void expect_three(void)
{
    char expected[1024], boundary[64] = "";
    const char *type = svc_response_header(res, "Content-Type");
    cr_assert_eq(sscanf(type, "multipart/byteranges; boundary=%63s", boundary), 1, "%s", type);
    cr_expect_eq(strlen(boundary), 32);
    snprintf(expected, sizeof expected,
             "\r\n--%1$s\r\nContent-Type: a/b\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
             "\r\n--%1$s\r\nContent-Type: a/b\r\nContent-Range: bytes 0-0/10\r\n\r\n0"
             "\r\n--%1$s\r\nContent-Type: a/b\r\nContent-Range: bytes 3-5/10\r\n\r\n345"
             "\r\n--%1$s--\r\n",
             boundary);
    cr_expect_str_eq(read_all(), expected);
}

Test(reply_response_parts, that_are_several_have_each_its_range)
{
    static struct script script;
    answer_with_memory();
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    expect_three();
    cr_expect_eq(releases, 1);
    answer_with_file();
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    expect_three();
    answer_with_script(&script);
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    expect_three();
    cr_expect_eq(script.closes, 1);
    cr_expect_eq(script.reads, 6);
}

Test(reply_response_parts, that_are_several_have_a_new_boundary_each_time)
{
    char first[80];
    answer_with_memory();
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    snprintf(first, sizeof first, "%s", svc_response_header(res, "Content-Type"));
    answer_with_memory();
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    cr_expect_str_neq(svc_response_header(res, "Content-Type"), first);
}

/* Reads to the first part's bytes, and returns the next result. */
static int64_t read_to_bytes(const svc_source *source)
{
    char data[256];
    cr_assert_gt(source->read(source->state, data, sizeof data), 40, "the text before them");
    return source->read(source->state, data, sizeof data);
}

Test(reply_response_parts, that_are_several_wait_and_fail_as_their_source_does)
{
    static struct script script = {.waits = true};
    svc_source source = SVC_SOURCE_INIT;
    answer_with_script(&script);
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    source = res->body.source;
    cr_expect_eq(read_to_bytes(&source), SVC_EAGAIN);
    char byte;
    cr_expect_eq(source.read(source.state, &byte, 1), 1);
    cr_expect_eq(byte, '8');
    script.at = 10; /* it ends early */
    cr_expect_eq(source.read(source.state, &byte, 1), SVC_EINVAL);
    script = (struct script){.seek_error = SVC_ESYSTEM};
    answer_with_script(&script);
    cr_assert_eq(svc__response_parts_split(res, &three), 0);
    source = res->body.source;
    cr_expect_eq(read_to_bytes(&source), SVC_ESYSTEM);
}

Test(reply_response_parts, of_a_held_source_are_not_its_first_bytes)
{
    static struct script script;
    char byte;
    answer_with_script(&script);
    cr_assert_eq(svc__response_hold_begin(res), 0);
    cr_assert_eq(res->body.source.read(res->body.source.state, &byte, 1), 1, "it keeps this");
    cr_assert(svc__response_parts_possible(res));
    cr_assert_eq(svc__response_parts_cut(res, &(struct range){7, 8}), 0);
    cr_expect_str_eq(read_all(), "78");
}

Test(reply_response_parts, that_need_memory_are_an_error_without_it)
{
    answer_with_memory();
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__response_parts_split(res, &three), SVC_ENOMEM);
    cr_expect_eq(svc__response_parts_cut(res, &(struct range){3, 6}), SVC_ENOMEM);
    cr_expect_str_eq(res->body.data, digits);
    cr_expect_eq(res->body.len, 10);
}
