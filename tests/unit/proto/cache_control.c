#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/cache_control.h"
#include "tests/unit/proto/vectors.h"

static struct cache_control parse(struct bytes value)
{
    struct cache_control read = svc__cache_control_none();
    svc__cache_control_parse(value, &read);
    return read;
}

/* Each value, read and written again in the one order that there is. */
Test(proto_cache_control, is_read_and_written)
{
    static const struct {
        struct bytes text;
        const char *written;
    } rows[] = {
        {LITERAL(""), ""},
        {{NULL, 0}, ""},
        {LITERAL("no-store"), "no-store"},
        {LITERAL("no-cache"), "no-cache"},
        {LITERAL("max-age=60, public"), "public, max-age=60"},
        {LITERAL("public,max-age=60"), "public, max-age=60"},
        {LITERAL("Max-Age=60 , PUBLIC"), "public, max-age=60"},
        {LITERAL(", ,max-age=0,,\t"), "max-age=0"},
        {LITERAL("max-age=31536000, immutable"), "immutable, max-age=31536000"},
        {LITERAL("max-age=60, s-maxage=600"), "max-age=60, s-maxage=600"},
        {LITERAL("max-age=604800, stale-while-revalidate=86400, stale-if-error=1"),
         "max-age=604800, stale-while-revalidate=86400, stale-if-error=1"},
        {LITERAL("must-understand, no-store"), "no-store, must-understand"},
        {LITERAL("must-revalidate, proxy-revalidate, no-transform"),
         "no-transform, must-revalidate, proxy-revalidate"},
        {LITERAL("only-if-cached, max-stale=5, min-fresh=3"),
         "only-if-cached, max-stale=5, min-fresh=3"},
        {LITERAL("max-stale"), "max-stale=2147483648"},
        /* both forms of an argument are read, and the token is written (RFC 9111 5.2) */
        {LITERAL("max-age=\"5\""), "max-age=5"},
        {LITERAL("s-maxage=\"10\", max-age=5"), "max-age=5, s-maxage=10"},
        /* fields named by no-cache and private: the whole is meant */
        {LITERAL("no-cache=\"set-cookie, x\", max-age=5"), "no-cache, max-age=5"},
        {LITERAL("private=\"x-user\""), "private"},
        /* unknown ones are skipped, whatever their arguments hide (RFC 9111 5.2.3) */
        {LITERAL("community=\"UCI\", private"), "private"},
        {LITERAL("x=\"a, no-store\", max-age=1"), "max-age=1"},
        {LITERAL("x=\"\\\", no-store\", max-age=1"), "max-age=1"},
        {LITERAL("x=\"no end, no-store"), ""},
        /* the first of repeated ones counts; doubt makes stale (RFC 9111 4.2.1) */
        {LITERAL("max-age=5, max-age=10"), "max-age=5"},
        {LITERAL("max-age=10, max-age=5"), "max-age=10"},
        {LITERAL("max-age=abc"), "max-age=0"},
        {LITERAL("max-age"), "max-age=0"},
        {LITERAL("max-age="), "max-age=0"},
        {LITERAL("max-age=-1"), "max-age=0"},
        {LITERAL("max-age=1.5"), "max-age=0"},
        {LITERAL("max-age= 5"), "max-age=0"},
        {LITERAL("max-age=5s"), "max-age=0"},
        {LITERAL("max-age='5'"), "max-age=0"},
        {LITERAL("max-age =5"), ""},
        {LITERAL("max-age:5, no-store"), "no-store"},
        {LITERAL("max-age=0005"), "max-age=5"},
        /* RFC 9111 1.2.2 */
        {LITERAL("max-age=2147483647"), "max-age=2147483647"},
        {LITERAL("max-age=2147483648"), "max-age=2147483648"},
        {LITERAL("max-age=2147483649"), "max-age=2147483648"},
        {LITERAL("max-age=99999999999999999999999999"), "max-age=2147483648"},
        {LITERAL("no store"), ""},
        {LITERAL("\"no-store\""), ""},
        {LITERAL("nostore, no_store, no-stored, o-store"), ""},
        {LITERAL("no-store;max-age=5"), ""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cache_control read = parse(rows[i].text);
        char text[CACHE_CONTROL_SIZE];
        size_t len = svc__cache_control_format(text, &read);
        cr_expect_str_eq(text, rows[i].written, "%.*s gave %s", SHOW(rows[i].text), text);
        cr_expect_eq(len, strlen(text));
    }
}

Test(proto_cache_control, several_fields_are_one_list)
{
    struct cache_control read = parse(BYTES("max-age=5, no-cache"));
    svc__cache_control_parse(BYTES("max-age=7, private"), &read);
    cr_expect_eq(read.max_age, 5);
    cr_expect_eq(read.flags, (unsigned)(CACHE_CONTROL_NO_CACHE | CACHE_CONTROL_PRIVATE));
    cr_expect_eq(read.s_maxage, -1);
}

Test(proto_cache_control, all_of_it_at_once_has_room)
{
    struct cache_control all = svc__cache_control_none();
    all.flags = (1U << CACHE_CONTROL_FLAG_COUNT) - 1;
#define MOST(member, text) all.member = INT64_MAX;
    CACHE_CONTROL_SECONDS(MOST)
#undef MOST
    char text[CACHE_CONTROL_SIZE];
    size_t len = svc__cache_control_format(text, &all);
    cr_expect_lt(len, CACHE_CONTROL_SIZE);
    cr_expect_not_null(strstr(text, "only-if-cached, max-age=2147483648, "));
    struct cache_control again = parse(svc__bytes(text, len));
    cr_expect_eq(again.flags, all.flags);
    cr_expect_eq(again.min_fresh, CACHE_CONTROL_MAX_SECONDS);
}

Test(proto_cache_control, a_response_cannot_say_everything)
{
    static const struct {
        struct bytes text;
        bool valid;
    } rows[] = {
        {LITERAL(""), true},
        {LITERAL("public, max-age=5"), true},
        {LITERAL("private, max-age=5"), true},
        {LITERAL("no-store, no-cache, must-revalidate, max-age=0"), true},
        {LITERAL("must-understand, no-store, max-age=5"), true},
        {LITERAL("max-age=5, s-maxage=0"), true},
        {LITERAL("public, private"), false},
        {LITERAL("private, s-maxage=5"), false},
        {LITERAL("only-if-cached"), false},
        {LITERAL("max-stale=5"), false},
        {LITERAL("min-fresh=5"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cache_control read = parse(rows[i].text);
        cr_expect_eq(svc__cache_control_check(&read), rows[i].valid ? 0 : SVC_EINVAL, "%.*s",
                     SHOW(rows[i].text));
    }
    struct cache_control negative = svc__cache_control_none();
    negative.stale_if_error = -2;
    cr_expect_eq(svc__cache_control_check(&negative), SVC_EINVAL);
}

/* What is said to a cache that knows nothing but Expires is never more than what others may do. */
Test(proto_cache_control, expires_is_the_age_or_now)
{
    static const struct {
        struct bytes text;
        int64_t seconds;
    } rows[] = {
        {LITERAL("max-age=60"), 60},
        {LITERAL("public, max-age=60, must-revalidate"), 60},
        {LITERAL("max-age=60, s-maxage=5"), 60},
        {LITERAL("s-maxage=5"), -1},
        {LITERAL("public"), -1},
        {LITERAL("max-age=0"), 0},
        {LITERAL("max-age=60, no-cache"), 0}, /* the most restrictive wins */
        {LITERAL("no-store"), 0},
        {LITERAL("private, max-age=60"), 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cache_control read = parse(rows[i].text);
        cr_expect_eq(svc__cache_control_expires_in(&read), rows[i].seconds, "%.*s",
                     SHOW(rows[i].text));
    }
}
