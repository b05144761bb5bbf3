/* A response as it is built: its limits to the byte, what stays after a failure, and who has which
 * memory. */
#include <svc/response.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/exchange/response_internal.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"

/* As response.c has them. */
enum { MAX_FIELDS = 128, MAX_FIELD_BYTES = 16384, ARENA_BODY = 16384, SCRATCH_KEPT = 65536 };

static struct exchange *x;
static svc_response *res;
static unsigned releases;
static char long_text[MAX_FIELD_BYTES + 1];

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    res = &x->response;
    memset(long_text, 'v', sizeof long_text);
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_response, .init = open_exchange, .fini = close_exchange);

static void note_release(void *data)
{
    (void)data;
    releases++;
}

/* A value of `len` bytes; another call ends it. */
static const char *value_of(size_t len)
{
    memset(long_text, 'v', sizeof long_text);
    long_text[len] = '\0';
    return long_text;
}

/* All fields as "name: value" lines. */
static void expect_fields(const char *text)
{
    char all[1024] = "";
    const char *name, *value;
    size_t bytes = 0;
    for (size_t i = 0; !svc_response_header_at(res, i, &name, &value); i++) {
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s: %s\n", name, value);
        bytes += strlen(name) + strlen(value) + 4;
    }
    cr_expect_str_eq(all, text);
    cr_expect_eq(res->field_bytes, bytes, "the count of bytes is %zu", res->field_bytes);
}

/* ---- Fields */

Test(exchange_response, a_field_that_is_set_replaces_all_of_its_name_in_any_case)
{
    svc_response_add_header(res, "A", "1");
    svc_response_add_header(res, "B", "2");
    svc_response_add_header(res, "a", "3");
    expect_fields("A: 1\nB: 2\na: 3\n");
    cr_assert_eq(svc_response_set_header(res, "a", "4"), 0);
    expect_fields("B: 2\na: 4\n");
    cr_assert_eq(svc_response_set_header(res, "C", "5"), 0);
    svc_response_remove_header(res, "b");
    svc_response_remove_header(res, "none");
    expect_fields("a: 4\nC: 5\n");
    cr_expect_str_eq(svc_response_header(res, "c"), "5");
    cr_expect_eq(svc_response_header(res, "b"), NULL);
}

Test(exchange_response, a_bad_field_leaves_the_ones_that_are_there)
{
    static const char *const bad[][2] = {{"", "v"},         {"A B", "v"},       {"A:", "v"},
                                         {"\xc3\xa9", "v"}, {"A", ""},          {"A", " v"},
                                         {"A", "v\t"},      {"A", "v\r\nB"},    {"A", "v\nB: c"},
                                         {"A", "\x7f"},     {"A", "v\x01"},     {NULL, "v"},
                                         {"A", NULL},       {"dATE", "v"},      {"connection", "v"},
                                         {"Upgrade", "v"},  {"Location", "a b"}};
    svc_response_add_header(res, "A", "1");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(svc_response_set_header(res, bad[i][0], bad[i][1]), SVC_EINVAL, "%zu", i);
        cr_expect_eq(svc_response_add_header(res, bad[i][0], bad[i][1]), SVC_EINVAL, "%zu", i);
    }
    expect_fields("A: 1\n");
}

Test(exchange_response, bytes_of_the_fields_are_limited_to_the_byte)
{
    cr_assert_eq(svc_response_add_header(res, "A", value_of(MAX_FIELD_BYTES - 5 - 6)), 0);
    cr_expect_eq(svc_response_add_header(res, "B", "12"), SVC_ETOOBIG);
    cr_expect_eq(svc_response_add_header(res, "B", "1"), 0);
    cr_expect_eq(res->field_bytes, MAX_FIELD_BYTES);
    cr_expect_eq(svc_response_add_header(res, "C", "1"), SVC_ETOOBIG);
    svc_response_remove_header(res, "B");
    cr_expect_eq(svc_response_add_header(res, "C", "1"), 0, "its room is free again");
    svc__response_reset(res);
    cr_expect_eq(svc_response_add_header(res, "A", value_of(MAX_FIELD_BYTES - 5)), 0);
    cr_expect_eq(svc_response_add_header(res, "A", value_of(MAX_FIELD_BYTES)), SVC_ETOOBIG);
}

Test(exchange_response, the_number_of_fields_is_limited)
{
    char name[16];
    for (int i = 0; i < MAX_FIELDS; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        cr_assert_eq(svc_response_add_header(res, name, "1"), 0, "%d", i);
    }
    cr_expect_eq(svc_response_add_header(res, "X-More", "1"), SVC_ETOOBIG);
    cr_expect_eq(svc_response_header_count(res), MAX_FIELDS);
    for (int i = 0; i < MAX_FIELDS; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        cr_expect_str_eq(svc_response_header(res, name), "1");
    }
}

/* What is there after the call fits, whatever was there before. */
Test(exchange_response, a_field_that_is_replaced_makes_room_for_the_new_one)
{
    char name[16];
    cr_assert_eq(svc_response_add_header(res, "A", value_of(10000)), 0);
    cr_assert_eq(svc_response_add_header(res, "B", "1"), 0);
    cr_assert_eq(svc_response_add_header(res, "a", "2"), 0);
    cr_expect_eq(svc_response_set_header(res, "A", value_of(11000)), 0);
    cr_expect_eq(svc_response_header_count(res), 2);
    cr_expect_eq(strlen(svc_response_header(res, "A")), 11000);
    cr_expect_eq(res->field_bytes, 11005 + 6);
    cr_expect_eq(svc_response_set_header(res, "A", value_of(MAX_FIELD_BYTES - 10)), SVC_ETOOBIG);
    cr_expect_eq(strlen(svc_response_header(res, "A")), 11000, "it is as before");
    svc__response_reset(res);
    for (int i = 0; i < MAX_FIELDS; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        cr_assert_eq(svc_response_add_header(res, name, "1"), 0);
    }
    cr_expect_eq(svc_response_set_header(res, "x-7", "other"), 0);
    cr_expect_str_eq(svc_response_header(res, "X-7"), "other");
    cr_expect_eq(svc_response_header_count(res), MAX_FIELDS);
    cr_expect_eq(svc_response_set_header(res, "X-More", "1"), SVC_ETOOBIG);
}

Test(exchange_response, without_memory_a_field_stays_as_it_was)
{
    svc_response_add_header(res, "A", "1");
    hand_exhaust(&x->arena);
    cr_expect_eq(svc_response_set_header(res, "A", "2"), SVC_ENOMEM);
    cr_expect_eq(svc_response_set_header(res, "Location", "/a"), SVC_ENOMEM);
    expect_fields("A: 1\n");
    for (int i = 0; i < 7; i++)
        cr_assert_eq(svc__response_put(res, svc__bytes_z(i % 2 ? "B" : "C"), svc__bytes_z("1")), 0);
    expect_fields("A: 1\nB: 1\nC: 1\n");
}

Test(exchange_response, fields_of_another_replace_those_of_their_names_together)
{
    struct exchange *other = hand_exchange();
    svc_response *from = &other->response;
    svc_response_add_header(res, "A", "1");
    svc_response_add_header(res, "B", "2");
    svc_response_add_header(res, "a", "3");
    svc_response_add_header(from, "A", "4");
    svc_response_add_header(from, "C", "5");
    svc_response_add_header(from, "A", "6");
    cr_assert_eq(svc__response_merge_fields(res, from), 0);
    expect_fields("B: 2\nA: 4\nC: 5\nA: 6\n");
    svc__exchange_unref(other);
}

Test(exchange_response, fields_of_another_that_are_too_many_leave_those_that_are_there)
{
    struct exchange *other = hand_exchange();
    svc_response *from = &other->response;
    svc_response_add_header(res, "A", "1");
    for (int i = 0; i < MAX_FIELDS; i++)
        cr_assert_eq(svc_response_add_header(from, "B", "2"), 0);
    cr_expect_eq(svc__response_merge_fields(res, from), SVC_ETOOBIG);
    expect_fields("A: 1\n");
    svc__exchange_unref(other);
}

/* ---- Bodies */

Test(exchange_response, a_status_is_200_to_599_and_a_bad_one_changes_nothing)
{
    svc_source source = SVC_SOURCE_INIT;
    cr_assert_eq(svc_response_text(res, 201, "before"), 0);
    for (size_t i = 0; i < 4; i++) {
        int bad = (const int[]){199, 600, -1, 0}[i];
        cr_expect_eq(svc_response_set_status(res, bad), SVC_EINVAL);
        cr_expect_eq(svc_response_empty(res, bad), SVC_EINVAL);
        cr_expect_eq(svc_response_text(res, bad, "a"), SVC_EINVAL);
        cr_expect_eq(svc_response_copy(res, bad, "x/y", "a", 1), SVC_EINVAL);
        cr_expect_eq(svc_response_static(res, bad, "x/y", "a", 1), SVC_EINVAL);
        cr_expect_eq(svc_response_take(res, bad, "x/y", "a", 1, note_release), SVC_EINVAL);
        cr_expect_eq(svc_response_source(res, bad, "x/y", &source), SVC_EINVAL);
        cr_expect_eq(releases, i + 1, "what was given is taken");
    }
    size_t len;
    cr_expect_eq(res->status, 201);
    cr_expect(svc__bytes_eq_z(svc__bytes(svc_response_body(res, &len), 6), "before"));
    expect_fields("Content-Type: text/plain; charset=utf-8\n");
    cr_expect_eq(svc_response_set_status(res, 200), 0);
    cr_expect_eq(svc_response_set_status(res, 599), 0);
    cr_expect_eq(svc_response_body(res, &len)[0], 'b', "the body stays");
}

Test(exchange_response, a_copy_is_its_own_wherever_it_lies)
{
    static const size_t sizes[] = {0, 1, ARENA_BODY, ARENA_BODY + 1, 3 * ARENA_BODY};
    static char data[3 * ARENA_BODY];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t len;
        memset(data, 'a', sizeof data);
        cr_assert_eq(svc_response_copy(res, 200, NULL, data, sizes[i]), 0);
        memset(data, 'b', sizeof data);
        const char *body = svc_response_body(res, &len);
        cr_assert_eq(len, sizes[i]);
        cr_assert(body);
        cr_expect(!len || (body[0] == 'a' && body[len - 1] == 'a'));
    }
    cr_expect_eq(svc_response_copy(res, 600, NULL, data, sizeof data), SVC_EINVAL);
    cr_expect_eq(svc_response_copy(res, 200, NULL, NULL, 1), SVC_EINVAL);
    cr_expect_eq(svc_response_copy(res, 200, NULL, NULL, 0), 0);
}

Test(exchange_response, a_body_is_released_once_when_another_answer_is_made)
{
    cr_assert_eq(svc_response_take(res, 200, "x/y", "a", 1, note_release), 0);
    cr_expect_eq(svc_response_text(res, 200, NULL), SVC_EINVAL);
    cr_expect_eq(svc_response_redirect(res, 200, "/a"), SVC_EINVAL);
    cr_expect_eq(svc_response_redirect(res, 303, "/a b"), SVC_EINVAL);
    cr_expect_eq(releases, 0, "what failed has not replaced it");
    cr_assert_eq(svc_response_redirect(res, 303, "/a"), 0);
    cr_expect_eq(releases, 1);
    cr_assert_eq(svc_response_take(res, 200, "x/y", "a", 1, note_release), 0);
    svc__response_reset(res);
    cr_expect_eq(releases, 2);
    cr_expect_eq(res->status, 0);
    expect_fields("");
}

Test(exchange_response, without_memory_the_body_before_stays)
{
    static char data[ARENA_BODY + 1];
    cr_assert_eq(svc_response_take(res, 200, NULL, "a", 1, note_release), 0);
    starve_after(0);
    cr_expect_eq(svc_response_copy(res, 201, NULL, data, sizeof data), SVC_ENOMEM);
    cr_expect(starve_end());
    hand_exhaust(&x->arena);
    cr_expect_eq(svc_response_copy(res, 201, NULL, data, 1), SVC_ENOMEM);
    cr_expect_eq(svc_response_copy(res, 201, "x/y", data, sizeof data), SVC_ENOMEM);
    cr_expect_eq(svc_response_take(res, 201, "x/y", "b", 1, note_release), SVC_ENOMEM);
    cr_expect_eq(releases, 1, "of the one that was refused");
    cr_expect_eq(res->status, 200);
    cr_expect_eq(res->body.data[0], 'a');
}

Test(exchange_response, a_type_that_is_no_value_changes_nothing)
{
    cr_assert_eq(svc_response_copy(res, 200, "a/b", "a", 1), 0);
    cr_expect_eq(svc_response_copy(res, 201, "a/b\r\nX: y", "b", 1), SVC_EINVAL);
    cr_expect_eq(svc_response_copy(res, 201, "", "b", 1), SVC_EINVAL);
    cr_expect_eq(svc_response_static(res, 201, " a", "b", 1), SVC_EINVAL);
    cr_expect_eq(res->status, 200);
    expect_fields("Content-Type: a/b\n");
    cr_assert_eq(svc_response_copy(res, 202, NULL, "c", 1), 0);
    expect_fields("Content-Type: a/b\n");
}

/* ---- Rendering */

static void fill(struct buf *out, size_t len)
{
    char *to = svc__buf_reserve(out, len);
    cr_assert(to);
    memset(to, 'r', len);
    out->len += len;
}

Test(exchange_response, few_rendered_bytes_are_copied_and_many_are_handed_over)
{
    struct buf text;
    svc__buf_init(&text, 1 << 20);
    fill(&text, 100);
    cr_assert_eq(svc__response_rendered(res, 200, "a/b", &text), 0);
    cr_expect_eq(text.len, 100, "it is the caller's still");
    cr_expect_neq(res->body.data, text.data);
    svc__buf_clear(&text);
    fill(&text, 2 * SCRATCH_KEPT);
    const char *data = text.data;
    cr_assert_eq(svc__response_rendered(res, 200, "a/b", &text), 0);
    cr_expect_eq(res->body.data, data);
    cr_expect_eq(text.data, NULL);
    cr_expect_eq(text.cap, 0);
    cr_expect_eq(text.ceiling, 1 << 20, "it can be used again");
}

Test(exchange_response, much_memory_for_few_bytes_is_not_handed_over)
{
    struct buf text;
    svc__buf_init(&text, 1 << 20);
    fill(&text, 4 * SCRATCH_KEPT);
    text.len = 10;
    const char *data = text.data;
    cr_assert_eq(svc__response_rendered(res, 200, "a/b", &text), 0);
    cr_expect_neq(res->body.data, data);
    cr_expect_eq(text.data, data);
    svc__buf_free(&text);
}

Test(exchange_response, what_could_not_be_rendered_is_no_answer)
{
    struct buf text;
    svc__buf_init(&text, 10);
    svc__buf_puts(&text, "too much for it");
    cr_expect_eq(svc__response_rendered(res, 200, "a/b", &text), SVC_ETOOBIG);
    cr_expect_eq(res->status, 0);
    svc__buf_free(&text);
    svc__buf_init(&text, 1 << 20);
    fill(&text, 2 * SCRATCH_KEPT);
    cr_expect_eq(svc__response_rendered(res, 700, "a/b", &text), SVC_EINVAL);
    cr_expect_eq(text.len, 2 * SCRATCH_KEPT, "it is the caller's still");
    svc__buf_free(&text);
}

Test(exchange_response, the_host_keeps_a_small_buffer_for_the_next_rendering)
{
    struct buf *scratch = svc__response_scratch(res);
    hand.home.scratch.ceiling = 1 << 20;
    fill(scratch, 1000);
    const char *data = scratch->data;
    svc__response_scratch_done(res);
    cr_expect_eq(svc__response_scratch(res)->data, data);
    cr_expect_eq(scratch->len, 0, "and empties it");
    fill(scratch, 2 * SCRATCH_KEPT);
    svc__response_scratch_done(res);
    cr_expect_eq(scratch->data, NULL);
}

Test(exchange_response, a_buffer_is_taken_for_a_rendering_in_which_others_render)
{
    struct buf taken;
    fill(svc__response_scratch(res), 1000);
    const char *data = hand.home.scratch.data;
    svc__response_scratch_take(res, &taken);
    cr_expect_eq(taken.data, data);
    cr_expect_eq(taken.len, 0);
    cr_expect_eq(hand.home.scratch.data, NULL);
    fill(svc__response_scratch(res), 10);
    svc__response_scratch_give(res, &taken);
    cr_expect_eq(hand.home.scratch.data, data, "the larger one is kept");
    cr_expect_eq(taken.data, NULL);
    svc__response_scratch_take(res, &taken);
    fill(&taken, SCRATCH_KEPT);
    taken.cap = taken.cap > SCRATCH_KEPT ? taken.cap : SCRATCH_KEPT + 1;
    svc__response_scratch_give(res, &taken);
    cr_expect_eq(hand.home.scratch.data, NULL, "one that has grown large is not");
}

Test(exchange_response, calls_on_no_response_release_what_they_take)
{
    cr_expect_eq(svc_response_take(NULL, 200, "a/b", "a", 1, note_release), SVC_ENOMEM);
    cr_expect_eq(releases, 1);
    cr_expect_eq(svc_response_text(NULL, 200, "a"), SVC_ENOMEM);
    cr_expect_eq(svc_response_copy(NULL, 200, "a/b", NULL, 1), SVC_ENOMEM);
    cr_expect_eq(svc_response_set_length(res, SVC_LENGTH_UNKNOWN), SVC_EINVAL);
    cr_expect_eq(res->length, SVC_LENGTH_UNKNOWN);
}
