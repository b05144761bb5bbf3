/* The values of a session as one text, and its end. */
#include <criterion/criterion.h>
#include <string.h>
#include <svc/errors.h>

#include "libsvc/session/session_record.h"

static const struct session_record filled = {1000, 2000, "user\0ada\0role\0\0lang\0en", 23};

Test(session_record, a_text_comes_back_as_it_was)
{
    char text[SESSION_HEAD_BYTES + 23];
    struct session_record read;
    cr_assert_eq(svc__session_record_write(&filled, text), sizeof text);
    cr_assert_eq(svc__session_record_read(text, sizeof text, &read), 0);
    cr_expect_eq(read.begun_s, 1000);
    cr_expect_eq(read.used_s, 2000);
    cr_expect_str_eq(svc__session_record_find(&read, "user"), "ada");
    cr_expect_str_eq(svc__session_record_find(&read, "role"), "");
    cr_expect_str_eq(svc__session_record_find(&read, "lang"), "en");
    cr_expect_null(svc__session_record_find(&read, "ada"));
    cr_expect_null(svc__session_record_find(&read, "use"));
}

Test(session_record, a_text_that_is_no_session_is_refused)
{
    char text[SESSION_HEAD_BYTES + 23];
    struct session_record read;
    size_t whole = svc__session_record_write(&filled, text);
    for (size_t len = 0; len < whole; len++) {
        bool at_pair = len == SESSION_HEAD_BYTES || len == SESSION_HEAD_BYTES + 9 ||
                       len == SESSION_HEAD_BYTES + 15;
        cr_expect_eq(svc__session_record_read(text, len, &read), at_pair ? 0 : SVC_ESYNTAX,
                     "%zu bytes", len);
    }
    text[0] = 2;
    cr_expect_eq(svc__session_record_read(text, whole, &read), SVC_ESYNTAX);
    text[0] = 1;
    text[SESSION_HEAD_BYTES] = ' ';
    cr_expect_eq(svc__session_record_read(text, whole, &read), SVC_ESYNTAX);
}

static void expect_change(const char *name, const char *value, const char *wanted, size_t len)
{
    char out[64];
    cr_assert_eq(svc__session_record_changed_len(&filled, name, value), len, "%s", name);
    svc__session_record_change(&filled, name, value, out);
    cr_expect_eq(memcmp(out, wanted, len), 0, "%s", name);
}

Test(session_record, one_value_changes_and_the_others_stay)
{
    expect_change("new", "1", "user\0ada\0role\0\0lang\0en\0new\0001", 29);
    expect_change("user", "bob", "role\0\0lang\0en\0user\0bob", 23);
    expect_change("role", "x", "user\0ada\0lang\0en\0role\0x", 24);
    expect_change("lang", "", "user\0ada\0role\0\0lang\0", 21);
    expect_change("user", NULL, "role\0\0lang\0en", 14);
    expect_change("lang", NULL, "user\0ada\0role\0", 15);
    expect_change("none", NULL, filled.values, 23);
}

Test(session_record, names_have_few_characters)
{
    char name[66];
    memset(name, 'a', 65);
    name[65] = '\0';
    cr_expect_not(svc__session_record_is_name(name));
    name[64] = '\0';
    cr_expect(svc__session_record_is_name(name));
    cr_expect(svc__session_record_is_name("A-z_0.9"));
    cr_expect_not(svc__session_record_is_name(""));
    cr_expect_not(svc__session_record_is_name("a b"));
    cr_expect_not(svc__session_record_is_name(NULL));
}

Test(session_record, a_session_ends_by_idleness_and_by_age)
{
    const struct session_record record = {.begun_s = 100000, .used_s = 100500};
    cr_expect(svc__session_record_lives(&record, 100500, 600, 3600));
    cr_expect(svc__session_record_lives(&record, 101099, 600, 3600));
    cr_expect_not(svc__session_record_lives(&record, 101100, 600, 3600), "idle");
    cr_expect(svc__session_record_lives(&record, 103599, 99999, 3600));
    cr_expect_not(svc__session_record_lives(&record, 103600, 99999, 3600), "old");
    cr_expect(svc__session_record_lives(&record, 100440, 600, 3600), "a clock that is behind");
    cr_expect_not(svc__session_record_lives(&record, 100439, 600, 3600), "by too much");
    cr_expect_not(svc__session_record_lives(&record, 0, 600, 3600));
    const struct session_record never = {.begun_s = UINT64_MAX, .used_s = UINT64_MAX};
    cr_expect_not(svc__session_record_lives(&never, 100500, 600, 3600));
}
