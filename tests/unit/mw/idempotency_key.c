#include <criterion/criterion.h>
#include <stdio.h>

#include <svc/errors.h>

#include "libsvc/mw/idempotency_key.h"
#include "tests/support/hand.h"

static void open_plan(void)
{
    hand_open();
    hand_plant(hand.plan);
}

TestSuite(mw_idempotency_key, .init = open_plan, .fini = hand_close);

static int read_with(unsigned flags, const char *const *fields, struct idempotency_key *key)
{
    const struct idempotency idempotency = {.flags = flags};
    struct exchange *x = hand_begin(hand.plan, "POST", "/", fields);
    int error = svc__idempotency_key_read(&idempotency, &x->request, key);
    hand_end(x);
    return error;
}

static int read_value(unsigned flags, const char *value, struct idempotency_key *key)
{
    const char *const fields[] = {"idempotency-key", value, NULL};
    return read_with(flags, fields, key);
}

Test(mw_idempotency_key, a_key_is_a_string_of_1_to_255_characters)
{
    struct idempotency_key key;
    char long_key[300];
    cr_assert_eq(read_value(0, "\"a b\"", &key), 0);
    cr_expect(svc__bytes_eq_z(svc__bytes(key.text, key.len), "a b"));
    cr_expect_eq(read_value(0, "\"\"", &key), SVC_ESYNTAX);
    cr_expect_eq(read_value(0, "abc", &key), SVC_ESYNTAX);
    snprintf(long_key, sizeof long_key, "\"%0255d\"", 1);
    cr_assert_eq(read_value(0, long_key, &key), 0);
    cr_expect_eq(key.len, 255);
    snprintf(long_key, sizeof long_key, "\"%0256d\"", 1);
    cr_expect_eq(read_value(0, long_key, &key), SVC_ESYNTAX);
}

Test(mw_idempotency_key, a_field_that_is_longer_than_any_key_is_not_read)
{
    struct idempotency_key key;
    char value[1100] = "\"a\";b=";
    memset(value + 6, '1', 1020);
    cr_expect_eq(read_value(0, value, &key), SVC_ESYNTAX);
}

Test(mw_idempotency_key, there_is_one_key_or_none)
{
    static const char *const none[] = {NULL};
    static const char *const two[] = {"Idempotency-Key", "\"a\"", "Idempotency-Key", "\"a\"", NULL};
    struct idempotency_key key = {.len = 9};
    cr_assert_eq(read_with(0, none, &key), 0);
    cr_expect_eq(key.len, 0);
    cr_expect_eq(read_with(0, two, &key), SVC_ESYNTAX);
}

Test(mw_idempotency_key, quotes_may_be_absent_where_the_options_say_so)
{
    struct idempotency_key bare, quoted;
    cr_assert_eq(read_value(SVC_IDEMPOTENCY_BARE_KEYS, "8e03978e-40d5", &bare), 0);
    cr_assert_eq(read_value(SVC_IDEMPOTENCY_BARE_KEYS, "\"8e03978e-40d5\"", &quoted), 0);
    cr_expect(svc__bytes_eq(svc__bytes(bare.text, bare.len), svc__bytes(quoted.text, quoted.len)));
    static const char *const wrong[] = {"a b", "a\"b", "a;b", "a,b", "\"a", "a\\b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(read_value(SVC_IDEMPOTENCY_BARE_KEYS, wrong[i], &bare), SVC_ESYNTAX, "%s",
                     wrong[i]);
}

/* ---- Ids */

static const svc_key subject = {"subject"};

struct id {
    int error;
    char text[IDEMPOTENCY_ID_DIGITS + 1];
};

static struct id make_id(bool by_header, bool by_subject, const char *header, const char *name,
                         const char *key_text)
{
    const struct idempotency idempotency = {.header =
                                                svc__bytes_z(by_header ? "Authorization" : NULL),
                                            .subject = by_subject ? &subject : NULL};
    const char *const fields[] = {header ? "authorization" : NULL, header, NULL};
    struct exchange *x = hand_begin(hand.plan, "POST", "/", fields);
    struct idempotency_key key = {.len = strlen(key_text)};
    struct id id = {.text = "unchanged"};
    memcpy(key.text, key_text, key.len);
    if (name)
        cr_assert_eq(svc_request_set(&x->request, &subject, (char *)(uintptr_t)name), 0);
    id.error = svc__idempotency_key_id(&idempotency, &x->request, &key, id.text);
    hand_end(x);
    return id;
}

static bool same(struct id a, struct id b)
{
    cr_assert_eq(a.error, 0);
    cr_assert_eq(b.error, 0);
    cr_assert_eq(strlen(a.text), IDEMPOTENCY_ID_DIGITS);
    return strcmp(a.text, b.text) == 0;
}

Test(mw_idempotency_key, an_id_follows_from_the_caller_and_the_key)
{
    struct id one = make_id(true, true, "Bearer a", "ada", "k");
    cr_expect(same(one, make_id(true, true, "Bearer a", "ada", "k")));
    cr_expect_not(same(one, make_id(true, true, "Bearer b", "ada", "k")));
    cr_expect_not(same(one, make_id(true, true, "Bearer a", "bob", "k")));
    cr_expect_not(same(one, make_id(true, true, "Bearer a", "ada", "l")));
    cr_expect_not(
        same(make_id(false, true, NULL, "ab", "c"), make_id(false, true, NULL, "a", "bc")),
        "parts do not run into one another");
    cr_expect_not(same(make_id(true, false, "a", NULL, "k"), make_id(false, true, NULL, "a", "k")));
    cr_expect(same(make_id(false, false, "x", "y", "k"), make_id(false, false, NULL, NULL, "k")));
}

Test(mw_idempotency_key, a_caller_without_one_of_its_parts_has_no_id)
{
    cr_expect_eq(make_id(true, false, NULL, NULL, "k").error, SVC_ENOTFOUND);
    cr_expect_eq(make_id(false, true, NULL, NULL, "k").error, SVC_ENOTFOUND);
    cr_expect_eq(make_id(false, true, NULL, "", "k").error, SVC_ENOTFOUND);
    cr_expect_eq(make_id(true, true, "a", NULL, "k").error, SVC_ENOTFOUND);
}

Test(mw_idempotency_key, a_caller_in_two_fields_is_not_known)
{
    static const char *const fields[] = {"Authorization", "a", "Authorization", "b", NULL};
    const struct idempotency idempotency = {.header = svc__bytes_z("Authorization")};
    const struct idempotency_key key = {1, "k"};
    char id[IDEMPOTENCY_ID_DIGITS + 1];
    struct exchange *x = hand_begin(hand.plan, "POST", "/", fields);
    cr_expect_eq(svc__idempotency_key_id(&idempotency, &x->request, &key, id), SVC_ENOTFOUND);
    hand_end(x);
}

/* ---- Fingerprints */

static void fingerprint(const char *method, const char *target, const char *body,
                        unsigned char out[static SHA256_BYTES])
{
    struct exchange *x = hand_begin(hand.plan, method, target, NULL);
    svc__idempotency_key_fingerprint(&x->request, svc__bytes_z(body), out);
    hand_end(x);
}

Test(mw_idempotency_key, fingerprints_differ_as_requests_do)
{
    static const char *const others[][3] = {
        {"PATCH", "/a?b=1", "body"}, {"POST", "/a?b=2", "body"}, {"POST", "/a", "body"},
        {"POST", "/a?b=1", "Body"},  {"POST", "/a?b=1", ""},     {"POST", "/a?b=1b", "ody"}};
    unsigned char one[SHA256_BYTES], other[SHA256_BYTES];
    fingerprint("POST", "/a?b=1", "body", one);
    fingerprint("POST", "/a?b=1", "body", other);
    cr_expect_eq(memcmp(one, other, sizeof one), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        fingerprint(others[i][0], others[i][1], others[i][2], other);
        cr_expect_neq(memcmp(one, other, sizeof one), 0, "row %zu", i);
    }
}
