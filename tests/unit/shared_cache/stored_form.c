/* The stored form of replies: what is written is read, and nothing that is shorter or longer. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/shared_cache/stored_form.h"

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        {(name), sizeof(name) - 1},                                                                \
        {                                                                                          \
            (value), sizeof(value) - 1                                                             \
        }                                                                                          \
    }
#define TEXT(text)                                                                                 \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const struct field fields[] = {FIELD("Date", "Sun, 09 Sep 2001 01:46:40 GMT"),
                                      FIELD("ETag", "\"1\"")};
static const uint64_t tags[] = {1, UINT64_MAX};

static const struct stored_parts whole = {.key = TEXT("host /path?query"),
                                          .names = TEXT("foo"),
                                          .selection = TEXT("=1\n"),
                                          .terms = {60, 1, 2, true, true, true},
                                          .status = 404,
                                          .fields = fields,
                                          .field_count = 2,
                                          .body = TEXT("a body with \0 in it"),
                                          .tags = tags,
                                          .tag_count = 2,
                                          .generation = 7};

static struct stored_form form;

static int read_again(const struct stored_parts *parts, bool selects)
{
    static struct buf out; /* which the form borrows */
    svc__buf_free(&out);
    svc__buf_init(&out, 1 << 20);
    svc__stored_form_write(&out, parts, -5, selects);
    cr_assert_not(svc__buf_error(&out));
    return svc__stored_form_read(svc__buf_view(&out), &form);
}

Test(stored_form, is_read_as_it_was_written)
{
    cr_assert_eq(read_again(&whole, false), 0);
    const struct stored_parts *parts = &form.parts;
    cr_expect(svc__bytes_eq(parts->key, whole.key));
    cr_expect(svc__bytes_eq(parts->names, whole.names));
    cr_expect(svc__bytes_eq(parts->selection, whole.selection));
    cr_expect(svc__bytes_eq(parts->body, whole.body));
    cr_expect(parts->status == 404 && parts->generation == 7 && form.born_ms == -5 &&
              !form.selects);
    cr_expect(parts->terms.lifetime == 60 && parts->terms.while_revalidate == 1 &&
              parts->terms.if_error == 2);
    cr_expect(parts->terms.validates && parts->terms.strict && parts->terms.licensed);
    cr_assert(parts->field_count == 2 && parts->tag_count == 2);
    cr_expect(svc__bytes_eq(parts->fields[1].name, fields[1].name));
    cr_expect(svc__bytes_eq(parts->fields[1].value, fields[1].value));
    cr_expect_eq(parts->tags[1], UINT64_MAX);
}

Test(stored_form, names_the_fields_that_select)
{
    cr_assert_eq(read_again(&whole, true), 0);
    cr_expect(form.selects);
    cr_expect(svc__bytes_eq(form.parts.names, whole.names));
    cr_expect_eq(form.parts.field_count, 0);
}

Test(stored_form, is_whole_or_refused)
{
    struct buf out;
    svc__buf_init(&out, 1 << 20);
    svc__stored_form_write(&out, &whole, 1, false);
    for (size_t len = 0; len < out.len; len++) {
        char *part = malloc(len + 1); /* of its size, for the address sanitizer */
        memcpy(part, out.data, len);
        cr_expect_eq(svc__stored_form_read(svc__bytes(part, len), &form), SVC_ESYNTAX, "%zu", len);
        free(part);
    }
    svc__buf_putc(&out, 'x');
    cr_expect_eq(svc__stored_form_read(svc__buf_view(&out), &form), SVC_ESYNTAX);
    svc__buf_free(&out);
}

Test(stored_form, refuses_fields_that_no_handler_could_set)
{
    static const struct field bad[] = {
        FIELD("A b", "1"), FIELD("", "1"),     FIELD("A", ""),   FIELD("A", "1\r\nB: 2"),
        FIELD("A", "1\n"), FIELD("A", "a\0b"), FIELD("A", " 1"), FIELD("A:", "1")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct stored_parts parts = whole;
        parts.fields = &bad[i];
        parts.field_count = 1;
        cr_expect_eq(read_again(&parts, false), SVC_ESYNTAX, "%zu", i);
    }
}

Test(stored_form, refuses_numbers_out_of_range)
{
    struct stored_parts parts = whole;
    parts.status = 199;
    cr_expect_eq(read_again(&parts, false), SVC_ESYNTAX);
    parts.status = 600;
    cr_expect_eq(read_again(&parts, false), SVC_ESYNTAX);
    parts = whole;
    parts.terms.lifetime = CACHE_CONTROL_MAX_SECONDS + 1;
    cr_expect_eq(read_again(&parts, false), SVC_ESYNTAX);
    parts.terms.lifetime = -1;
    cr_expect_eq(read_again(&parts, false), SVC_ESYNTAX);
    parts = whole;
    parts.names = svc__bytes("", 0);
    cr_expect_eq(read_again(&parts, false), SVC_ESYNTAX);
}
