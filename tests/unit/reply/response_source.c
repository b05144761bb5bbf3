/* Sources in a response: who closes which, and when, and what another body becomes as a source. */
#include "libsvc/reply/response_source.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/exchange/response_internal.h"
#include "tests/support/hand.h"

static struct exchange *x;
static svc_response *res;

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

TestSuite(reply_response_source, .init = open_exchange, .fini = close_exchange);

static int64_t read_a(void *state, char *data, size_t len)
{
    (void)state;
    memset(data, 'a', len);
    return (int64_t)len;
}

static void count_close(void *state)
{
    (*(unsigned *)state)++;
}

/* A source whose `close` counts in `*closes`. */
static svc_source source_of(unsigned *closes)
{
    svc_source source = SVC_SOURCE_INIT;
    source.length = 5;
    source.read = read_a;
    source.close = count_close;
    source.state = closes;
    return source;
}

static int answer_with(unsigned *closes)
{
    svc_source source = source_of(closes);
    return svc_response_source(res, 200, "a/b", &source);
}

/* ---- In */

Test(reply_response_source, is_closed_once_when_the_body_is_no_longer_needed)
{
    unsigned closes = 0;
    cr_assert_eq(answer_with(&closes), 0);
    cr_expect_eq(svc_response_status(res), 200);
    cr_expect_eq(svc__exchange_reply_length(x), 5);
    cr_expect_eq(closes, 0);
    svc__response_drop_body(res);
    cr_expect_eq(closes, 1);
    svc__response_drop_body(res);
    cr_expect_eq(closes, 1);
}

Test(reply_response_source, closes_the_one_before_it)
{
    unsigned first = 0, second = 0;
    cr_assert_eq(answer_with(&first), 0);
    cr_assert_eq(answer_with(&second), 0);
    cr_expect_eq(first, 1);
    cr_expect_eq(second, 0);
    cr_assert_eq(svc_response_text(res, 200, "other"), 0);
    cr_expect_eq(first, 1);
    cr_expect_eq(second, 1);
}

static void expect_refused(svc_response *of, int status, const char *type, int error)
{
    unsigned closes = 0;
    svc_source source = source_of(&closes);
    cr_expect_eq(svc_response_source(of, status, type, &source), error, "%d %s", status, type);
    cr_expect_eq(closes, 1, "%d %s", status, type);
    source.close = NULL;
    cr_expect_eq(svc_response_source(of, status, type, &source), error, "%d %s", status, type);
}

Test(reply_response_source, that_is_refused_is_closed_and_leaves_the_answer_as_it_was)
{
    unsigned closes = 0;
    cr_assert_eq(answer_with(&closes), 0);
    expect_refused(NULL, 200, "a/b", SVC_ENOMEM);
    expect_refused(res, 199, "a/b", SVC_EINVAL);
    expect_refused(res, 600, "a/b", SVC_EINVAL);
    expect_refused(res, 404, "a\nb", SVC_EINVAL);
    hand_exhaust(&x->arena);
    expect_refused(res, 404, "c/d", SVC_ENOMEM);
    cr_expect_eq(closes, 0);
    cr_expect_eq(svc_response_status(res), 200);
    svc__response_drop_body(res);
    cr_expect_eq(closes, 1);
}

Test(reply_response_source, that_cannot_be_read_is_refused)
{
    unsigned closes = 0;
    svc_source source = source_of(&closes);
    cr_expect_eq(svc_response_source(res, 200, "a/b", NULL), SVC_EINVAL);
    source.read = NULL;
    cr_expect_eq(svc_response_source(res, 200, "a/b", &source), SVC_EINVAL);
    cr_expect_eq(closes, 1);
    source = source_of(&closes);
    source.size = 0;
    cr_expect_eq(svc_response_source(res, 200, "a/b", &source), SVC_EINVAL);
    cr_expect_eq(closes, 1, "nothing of it is known");
    cr_expect_eq(svc_response_status(res), 0);
    cr_expect_eq(res->body.kind, REPLY_EMPTY);
}

/* ---- Out */

static svc_source take_source(void)
{
    svc_source source = SVC_SOURCE_INIT;
    cr_assert_eq(svc_response_take_source(res, &source), 0);
    cr_expect_eq(res->body.kind, REPLY_EMPTY);
    cr_assert(source.read);
    return source;
}

static int64_t read_from(const svc_source *source, char *data, size_t len)
{
    return source->read(source->state, data, len);
}

Test(reply_response_source, that_is_taken_is_the_takers_to_close)
{
    unsigned closes = 0;
    cr_assert_eq(answer_with(&closes), 0);
    svc_source source = take_source();
    cr_expect_eq(source.read, read_a);
    cr_expect_eq(source.length, 5);
    cr_expect_eq(source.state, &closes);
    svc__response_drop_body(res);
    cr_assert_eq(svc_response_text(res, 200, "other"), 0);
    cr_expect_eq(closes, 0);
    cr_assert_eq(svc_response_source(res, 200, "a/b", &source), 0);
    svc__response_drop_body(res);
    cr_expect_eq(closes, 1);
}

static unsigned releases;

static void count_release(void *data)
{
    cr_expect_str_eq(data, "0123456789");
    releases++;
}

Test(reply_response_source, of_memory_yields_it_in_pieces_and_releases_it_when_it_is_closed)
{
    static char text[] = "0123456789";
    char data[16] = "";
    cr_assert_eq(svc_response_take(res, 200, "a/b", text, 10, count_release), 0);
    svc_source source = take_source();
    cr_expect_eq(source.length, 10);
    cr_expect_eq(read_from(&source, data, 4), 4);
    cr_expect_eq(read_from(&source, data + 4, 1), 1);
    cr_assert_eq(svc_response_text(res, 200, "other"), 0);
    cr_expect_eq(releases, 0);
    cr_expect_eq(read_from(&source, data + 5, 11), 5);
    cr_expect_str_eq(data, "0123456789");
    cr_expect_eq(read_from(&source, data, 16), 0);
    cr_expect_eq(read_from(&source, data, 16), 0);
    source.close(source.state);
    cr_expect_eq(releases, 1);
    svc__response_drop_body(res);
    cr_expect_eq(releases, 1);
}

Test(reply_response_source, of_no_body_is_at_its_end)
{
    char byte;
    svc_source source = take_source();
    cr_expect_eq(source.length, 0);
    cr_expect_eq(read_from(&source, &byte, 1), 0);
    source.close(source.state);
}

static int make_file(void)
{
    FILE *file = tmpfile();
    cr_assert(file);
    cr_assert_geq(fputs("0123456789", file), 0);
    cr_assert_eq(fflush(file), 0);
    int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 100);
    fclose(file);
    cr_assert_geq(fd, 100);
    return fd;
}

/* Answers with bytes 2 to 6 of a file. */
static int answer_with_file(void)
{
    svc_file file = SVC_FILE_INIT;
    int fd = make_file();
    file.fd = fd;
    file.offset = 2;
    file.length = 5;
    cr_assert_eq(svc_response_fd(res, 200, "a/b", &file), 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

Test(reply_response_source, of_a_file_yields_its_part_and_closes_it)
{
    char data[16] = "";
    int fd = answer_with_file();
    svc_source source = take_source();
    cr_expect_eq(source.length, 5);
    svc__response_drop_body(res);
    cr_assert(is_open(fd));
    cr_expect_eq(read_from(&source, data, 2), 2);
    cr_expect_eq(read_from(&source, data + 2, 14), 3, "and not what is behind it");
    cr_expect_str_eq(data, "23456");
    cr_expect_eq(read_from(&source, data, 16), 0);
    cr_expect_eq(read_from(&source, data, 16), 0);
    source.close(source.state);
    cr_expect_not(is_open(fd));
}

/* Otherwise a layer that wraps it would pass on a part as the whole. */
Test(reply_response_source, of_a_file_that_has_become_shorter_fails)
{
    char data[16] = "";
    int fd = answer_with_file();
    svc_source source = take_source();
    cr_assert_eq(ftruncate(fd, 4), 0);
    cr_expect_eq(read_from(&source, data, 16), 2);
    cr_expect_eq(read_from(&source, data, 16), SVC_ESYSTEM);
    source.close(source.state);
}

/* Once for each kind of body. */
static void expect_kept_without_memory(enum reply_kind kind)
{
    svc_source source = SVC_SOURCE_INIT, before = source;
    cr_assert_eq(res->body.kind, kind);
    cr_expect_eq(svc_response_take_source(res, &source), SVC_ENOMEM, "%d", kind);
    cr_expect_eq(memcmp(&source, &before, sizeof source), 0, "outputs are for success");
    cr_expect_eq(res->body.kind, kind, "the body is still the response's");
}

Test(reply_response_source, that_cannot_be_made_leaves_the_body_where_it_is)
{
    static char text[] = "0123456789";
    int fd = answer_with_file();
    hand_exhaust(&x->arena);
    expect_kept_without_memory(REPLY_FILE);
    cr_expect(is_open(fd));
    res->body = (struct response_body){
        .kind = REPLY_MEMORY, .data = text, .len = 10, .release = count_release};
    expect_kept_without_memory(REPLY_MEMORY);
    cr_expect_eq(releases, 0);
    svc__response_drop_body(res);
    cr_expect_eq(releases, 1);
    close(fd);
}

Test(reply_response_source, is_taken_into_a_struct_with_its_size_only)
{
    unsigned closes = 0;
    svc_source source = SVC_SOURCE_INIT;
    source.size = 0;
    cr_expect_eq(svc_response_take_source(NULL, &source), SVC_ENOMEM);
    cr_assert_eq(answer_with(&closes), 0);
    cr_expect_eq(svc_response_take_source(res, NULL), SVC_EINVAL);
    cr_expect_eq(svc_response_take_source(res, &source), SVC_EINVAL);
    cr_expect_eq(res->body.kind, REPLY_SOURCE);
    svc__response_drop_body(res);
    cr_expect_eq(closes, 1);
    int fd = answer_with_file();
    cr_expect_eq(svc_response_take_source(res, &source), SVC_EINVAL);
    cr_expect(is_open(fd));
    svc__response_drop_body(res);
    cr_expect_not(is_open(fd));
}

static int end_quietly(svc_trailers *out, void *arg)
{
    (void)out, (void)arg;
    return 0;
}

static void expect_source_of(const char *text)
{
    char data[32];
    size_t len = 0;
    int64_t n;
    cr_assert_eq(res->body.kind, REPLY_SOURCE);
    while ((n = read_from(&res->body.source, data + len, 3)) > 0)
        len += (size_t)n;
    cr_expect_eq(n, 0);
    cr_expect(svc__bytes_eq_z(svc__bytes(data, len), text), "%.*s", (int)len, data);
}

Test(reply_response_source, can_be_made_of_a_body_that_trailers_follow)
{
    svc_response_text(res, 201, "the body");
    svc_response_on_trailers(res, end_quietly, NULL);
    cr_expect_eq(svc__response_source_make(res), 0);
    cr_expect_eq(res->status, 201);
    cr_expect_str_eq(svc_response_header(res, "Content-Type"), "text/plain; charset=utf-8");
    cr_expect_eq(svc__exchange_reply_length(x), SVC_LENGTH_UNKNOWN);
    expect_source_of("the body");
}

Test(reply_response_source, can_be_made_of_an_empty_body)
{
    svc_response_empty(res, 200);
    cr_expect_eq(svc__response_source_make(res), 0);
    expect_source_of("");
}

Test(reply_response_source, that_cannot_be_made_in_place_leaves_the_body_as_it_was)
{
    svc_response_text(res, 200, "the body");
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__response_source_make(res), SVC_ENOMEM);
    cr_expect_eq(res->body.kind, REPLY_MEMORY);
}
