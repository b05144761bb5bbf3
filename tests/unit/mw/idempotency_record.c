#include <criterion/criterion.h>

#include <svc/errors.h>
#include <svc/pending.h>

#include "libsvc/mw/idempotency_record.h"

static const unsigned char print[SHA256_BYTES] = {1, 2, 3, [SHA256_BYTES - 1] = 255};
static svc_response *first, *second;
static struct buf text;

static void open_responses(void)
{
    first = svc_response_new();
    second = svc_response_new();
    svc__buf_init(&text, 4096);
}

static void close_responses(void)
{
    svc__buf_free(&text);
    svc_response_free(first);
    svc_response_free(second);
}

TestSuite(mw_idempotency_record, .init = open_responses, .fini = close_responses);

static void write_first(const char *body)
{
    svc__idempotency_record_write(&text, IDEMPOTENCY_ANSWER, svc_response_status(first), print,
                                  first);
    svc__buf_puts(&text, body);
    cr_assert_eq(svc__buf_error(&text), 0);
}

Test(mw_idempotency_record, an_answer_comes_back_as_it_was)
{
    struct idempotency_record record;
    size_t len;
    cr_assert_eq(svc_response_copy(first, 201, "application/json", "{\"id\":1}", 8), 0);
    cr_assert_eq(svc_response_set_header(first, "Location", "/payments/1"), 0);
    cr_assert_eq(svc_response_add_header(first, "Link", "<a>"), 0);
    cr_assert_eq(svc_response_add_header(first, "Link", "<b>"), 0);
    write_first("{\"id\":1}");
    cr_assert_eq(svc__idempotency_record_read(svc__buf_view(&text), &record), 0);
    cr_expect_eq(record.kind, IDEMPOTENCY_ANSWER);
    cr_expect_eq(memcmp(record.fingerprint, print, sizeof print), 0);
    cr_assert_eq(svc__idempotency_record_answer(&record, second), 0);
    cr_expect_eq(svc_response_status(second), 201);
    const char *body = svc_response_body(second, &len);
    cr_assert_eq(len, 8);
    cr_expect_eq(memcmp(body, "{\"id\":1}", len), 0);
    cr_assert_eq(svc_response_header_count(second), svc_response_header_count(first));
    const char *names[2], *values[2];
    for (size_t i = 0; i < svc_response_header_count(first); i++) {
        svc_response_header_at(first, i, &names[0], &values[0]);
        svc_response_header_at(second, i, &names[1], &values[1]);
        cr_expect_str_eq(names[0], names[1]);
        cr_expect_str_eq(values[0], values[1]);
    }
}

Test(mw_idempotency_record, fields_of_a_moment_or_a_client_are_left_out)
{
    static const char *const names[] = {"Set-Cookie", "set-cookie", "Age",          "RateLimit",
                                        "Trailer",    "TE",         "Server-Timing"};
    struct idempotency_record record;
    svc_response_empty(first, 204);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_eq(svc_response_add_header(first, names[i], "1"), 0);
    svc_response_add_header(first, "X-Kept", "1");
    write_first("");
    cr_assert_eq(svc__idempotency_record_read(svc__buf_view(&text), &record), 0);
    cr_assert_eq(svc__idempotency_record_answer(&record, second), 0);
    cr_expect_eq(svc_response_status(second), 204);
    cr_expect_eq(svc_response_header_count(second), 1);
    cr_expect_str_eq(svc_response_header(second, "X-Kept"), "1");
}

Test(mw_idempotency_record, a_record_that_is_too_large_leaves_its_error)
{
    svc_response_text(first, 200, "text");
    svc__buf_free(&text);
    svc__buf_init(&text, 40);
    svc__idempotency_record_write(&text, IDEMPOTENCY_ANSWER, 200, print, first);
    cr_expect_eq(svc__buf_error(&text), SVC_ETOOBIG);
}

/* A store may have anything under the name. */
Test(mw_idempotency_record, a_text_that_is_no_record_is_refused)
{
    struct idempotency_record record;
    svc_response_empty(first, 200);
    svc_response_add_header(first, "A", "b");
    write_first("");
    size_t whole = text.len;
    for (size_t len = 0; len < whole; len++)
        cr_expect_eq(svc__idempotency_record_read(svc__bytes(text.data, len), &record), SVC_ESYNTAX,
                     "%zu of %zu bytes", len, whole);
    cr_expect_eq(svc__idempotency_record_read(svc__buf_view(&text), &record), 0);
    static const struct {
        size_t at;
        char byte;
    } wrong[] = {{0, 2},    {1, 3},   {1, (char)0xff}, {1, IDEMPOTENCY_PENDING},
                 {2, 0x7f}, {3, (char)199}, {36, 0x7f},      {37, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char right = text.data[wrong[i].at];
        text.data[wrong[i].at] = wrong[i].byte;
        cr_expect_eq(svc__idempotency_record_read(svc__buf_view(&text), &record), SVC_ESYNTAX,
                     "row %zu", i);
        text.data[wrong[i].at] = right;
    }
}

Test(mw_idempotency_record, a_field_that_no_response_may_have_is_not_repeated)
{
    struct idempotency_record record;
    svc_response_empty(first, 200);
    svc_response_add_header(first, "Abc", "def");
    write_first("");
    char *value = memchr(text.data, 'd', text.len);
    cr_assert_not_null(value);
    value[1] = '\n';
    cr_assert_eq(svc__idempotency_record_read(svc__buf_view(&text), &record), 0);
    cr_expect_eq(svc__idempotency_record_answer(&record, second), SVC_EINVAL);
}
