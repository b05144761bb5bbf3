/* RFC 9111 as tables: what may be stored, for how long it is fresh, how old it is, who may have it.
 */
#include <criterion/criterion.h>

#include "libsvc/shared_cache/cache_rules.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define NOW INT64_C(1000000000) /* Sun, 09 Sep 2001 01:46:40 GMT */
#define DATE "Sun, 09 Sep 2001 01:46:40 GMT"
#define HOUR_LATER "Sun, 09 Sep 2001 02:46:40 GMT"
#define HOUR_BEFORE "Sun, 09 Sep 2001 00:46:40 GMT"
#define DAY_BEFORE "Sat, 08 Sep 2001 01:46:40 GMT"
#define NOT_STORED (-1)

enum { FIELDS = 6 };

struct store_row {
    int status;
    bool authorized;
    const char *fields[FIELDS]; /* names and values */
    int64_t lifetime;           /* or NOT_STORED */
    bool validates, strict;
};

static size_t read_fields(struct field out[static FIELDS / 2], const char *const *texts)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < FIELDS && texts[i]; i += 2)
        out[count++] = (struct field){svc__bytes_z(texts[i]), svc__bytes_z(texts[i + 1])};
    return count;
}

#define CC "Cache-Control"

static const struct store_row store_rows[] = {
    {200, 0, {CC, "max-age=60"}, 60, 0, 0},
    {200, 0, {CC, "MAX-AGE=\"60\""}, 60, 0, 0},
    {200, 0, {CC, "max-age=60, s-maxage=5"}, 5, 0, 1},
    {200, 0, {CC, "s-maxage=5, max-age=60"}, 5, 0, 1},
    {200, 0, {CC, "max-age=60", CC, "s-maxage=5"}, 5, 0, 1},
    {200, 0, {CC, "max-age=60", "Expires", HOUR_BEFORE}, 60, 0, 0},
    {200, 0, {"Expires", HOUR_LATER}, 3600, 0, 0},
    {200, 0, {"Expires", HOUR_LATER, "Date", HOUR_BEFORE}, 7200, 0, 0},
    {200, 0, {"Expires", "0"}, NOT_STORED, 0, 0},
    {200, 0, {"Expires", HOUR_BEFORE, "ETag", "\"1\""}, 0, 0, 0},
    {200, 0, {CC, "max-age=99999999999"}, CACHE_CONTROL_MAX_SECONDS, 0, 0},
    {200, 0, {CC, "max-age='60'"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "extension=\"max-age=60\", max-age=0"}, NOT_STORED, 0, 0},
    {200, 0, {NULL}, NOT_STORED, 0, 0},
    {200, 0, {CC, "public"}, NOT_STORED, 0, 0},
    {200, 0, {"ETag", "\"1\""}, 0, 0, 0},
    /* A tenth of the time since the change, up to the policy's hour. */
    {200, 0, {"Last-Modified", HOUR_BEFORE}, 360, 0, 0},
    {200, 0, {"Last-Modified", DAY_BEFORE}, 3600, 0, 0},
    {200, 0, {"Last-Modified", HOUR_LATER}, 0, 0, 0},
    {201, 0, {"Last-Modified", HOUR_BEFORE}, NOT_STORED, 0, 0},
    {201, 0, {"Last-Modified", HOUR_BEFORE, CC, "public"}, 360, 0, 0},
    {201, 0, {CC, "max-age=60"}, 60, 0, 0},
    {404, 0, {CC, "max-age=60"}, 60, 0, 0},
    {503, 0, {CC, "max-age=60"}, 60, 0, 0},
    /* Statuses that the cache does not understand, or cannot store. */
    {206, 0, {CC, "max-age=60"}, NOT_STORED, 0, 0},
    {299, 0, {CC, "max-age=60"}, NOT_STORED, 0, 0},
    {304, 0, {CC, "max-age=60"}, NOT_STORED, 0, 0},
    {416, 0, {CC, "max-age=60"}, NOT_STORED, 0, 0},
    {599, 0, {CC, "max-age=60, must-understand"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60, must-understand, no-store"}, 60, 0, 0},
    /* Forbidden. */
    {200, 0, {CC, "max-age=60, no-store"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60, NO-Store"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60, private"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60, private=\"X-Field\""}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60", "Set-Cookie", "a=b"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60", "Vary", "*"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60", "Vary", "Accept, *"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60", "Vary", "Accept"}, 60, 0, 0},
    /* Each use validated, or no stale one. */
    {200, 0, {CC, "max-age=60, no-cache"}, NOT_STORED, 0, 0},
    {200, 0, {CC, "max-age=60, no-cache", "ETag", "\"1\""}, 60, 1, 1},
    {200, 0, {CC, "max-age=60, must-revalidate"}, 60, 0, 1},
    {200, 0, {CC, "max-age=60, proxy-revalidate"}, 60, 0, 1},
    {200, 0, {CC, "max-age=0, stale-if-error=60"}, 0, 0, 0},
    {200, 0, {CC, "max-age=0, stale-while-revalidate=60"}, 0, 0, 0},
    {200, 0, {CC, "max-age=0, stale-if-error=60, must-revalidate"}, NOT_STORED, 0, 0},
    /* Authorization. */
    {200, 1, {CC, "max-age=60"}, NOT_STORED, 0, 0},
    {200, 1, {CC, "max-age=60, public"}, 60, 0, 0},
    {200, 1, {CC, "max-age=60, must-revalidate"}, 60, 0, 1},
    {200, 1, {CC, "s-maxage=60"}, 60, 0, 1},
    {200, 1, {CC, "max-age=60, proxy-revalidate"}, NOT_STORED, 0, 0},
};

Test(cache_rules, stores_by_the_rules_of_a_shared_cache)
{
    static const struct cache_policy policy = {.heuristic_most = 3600};
    for (size_t i = 0; i < ROWS(store_rows); i++) {
        const struct store_row *row = &store_rows[i];
        struct field fields[FIELDS / 2];
        struct cache_facts facts;
        struct cache_terms terms = {.lifetime = NOT_STORED};
        size_t count = read_fields(fields, row->fields);
        svc__cache_rules_read(&facts, row->status, fields, count, NOW);
        bool stored = svc__cache_rules_store(&facts, &policy, row->authorized, &terms);
        cr_expect_eq(stored, row->lifetime != NOT_STORED, "row %zu", i);
        cr_expect_eq(terms.lifetime, row->lifetime, "row %zu: %lld", i, (long long)terms.lifetime);
        cr_expect_eq(terms.validates, row->validates, "row %zu", i);
        cr_expect_eq(terms.strict, row->strict, "row %zu", i);
    }
}

Test(cache_rules, estimates_nothing_without_leave)
{
    static const struct cache_policy policy = {.heuristic_most = 0};
    const struct field fields[] = {{svc__bytes_z("Last-Modified"), svc__bytes_z(DAY_BEFORE)}};
    struct cache_facts facts;
    struct cache_terms terms;
    svc__cache_rules_read(&facts, 200, fields, 1, NOW);
    cr_assert(svc__cache_rules_store(&facts, &policy, false, &terms));
    cr_assert_eq(terms.lifetime, 0);
}

struct age_row {
    const char *fields[FIELDS];
    int64_t delay, age;
};

static const struct age_row age_rows[] = {
    {{NULL}, 0, 0},
    {{NULL}, 3, 3},
    {{"Age", "10"}, 3, 13},
    {{"Age", "10", "Date", HOUR_BEFORE}, 3, 3600},
    {{"Age", "7200", "Date", HOUR_BEFORE}, 0, 7200},
    {{"Age", "5", "Date", HOUR_LATER}, 0, 5},
    {{"Age", "-5"}, 0, CACHE_CONTROL_MAX_SECONDS},
    {{"Age", "5.0"}, 0, CACHE_CONTROL_MAX_SECONDS},
    {{"Age", "old"}, 0, CACHE_CONTROL_MAX_SECONDS},
    {{"Age", "0, 0"}, 0, CACHE_CONTROL_MAX_SECONDS},
    {{"Age", "0;a=1"}, 0, CACHE_CONTROL_MAX_SECONDS},
    {{"Age", "0", "Age", "0"}, 0, CACHE_CONTROL_MAX_SECONDS},
    {{"Age", "99999999999999999999"}, 7, CACHE_CONTROL_MAX_SECONDS},
};

Test(cache_rules, finds_the_age_of_a_reply)
{
    for (size_t i = 0; i < ROWS(age_rows); i++) {
        struct field fields[FIELDS / 2];
        struct cache_facts facts;
        size_t count = read_fields(fields, age_rows[i].fields);
        svc__cache_rules_read(&facts, 200, fields, count, NOW);
        cr_expect_eq(svc__cache_rules_age(&facts, NOW, age_rows[i].delay), age_rows[i].age,
                     "row %zu", i);
    }
}

struct use_row {
    const char *reply, *request;
    int64_t age;
    enum cache_use use;
    bool on_error;
};

static const struct use_row use_rows[] = {
    {"max-age=60", "", 0, CACHE_FRESH, true},
    {"max-age=60", "", 59, CACHE_FRESH, true},
    {"max-age=60", "", 60, CACHE_VALIDATE, false},
    {"max-age=60", "no-cache", 0, CACHE_VALIDATE_ASKED, false},
    {"max-age=60", "max-age=10", 10, CACHE_FRESH, true},
    {"max-age=60", "max-age=10", 11, CACHE_VALIDATE_ASKED, true},
    {"max-age=60", "max-age=0", 1, CACHE_VALIDATE_ASKED, true},
    {"max-age=60", "min-fresh=50", 10, CACHE_FRESH, true},
    {"max-age=60", "min-fresh=50", 11, CACHE_VALIDATE_ASKED, true},
    {"max-age=60", "max-stale=10", 70, CACHE_STALE, false},
    {"max-age=60", "max-stale=10", 71, CACHE_VALIDATE, false},
    {"max-age=60", "max-stale", 100000, CACHE_STALE, false},
    {"max-age=60", "max-stale, max-age=80", 81, CACHE_VALIDATE_ASKED, false},
    {"max-age=60, must-revalidate", "max-stale", 61, CACHE_VALIDATE, false},
    {"max-age=60, proxy-revalidate", "max-stale", 61, CACHE_VALIDATE, false},
    {"s-maxage=60", "max-stale", 61, CACHE_VALIDATE, false},
    {"max-age=60, no-cache", "max-stale", 0, CACHE_VALIDATE, false},
    {"max-age=60, stale-while-revalidate=10", "", 70, CACHE_STALE_VALIDATING, false},
    {"max-age=60, stale-while-revalidate=10", "", 71, CACHE_VALIDATE, false},
    {"max-age=60, stale-while-revalidate=10", "min-fresh=1", 65, CACHE_VALIDATE_ASKED, false},
    {"max-age=60, stale-while-revalidate=10, must-revalidate", "", 61, CACHE_VALIDATE, false},
    {"max-age=60, stale-if-error=10", "", 70, CACHE_VALIDATE, true},
    {"max-age=60, stale-if-error=10", "", 71, CACHE_VALIDATE, false},
    {"max-age=60", "stale-if-error=10", 70, CACHE_VALIDATE, true},
    {"max-age=60", "stale-if-error=10", 71, CACHE_VALIDATE, false},
    {"max-age=60, must-revalidate", "stale-if-error=10", 61, CACHE_VALIDATE, false},
    {"max-age=60, stale-if-error=10", "no-cache", 61, CACHE_VALIDATE_ASKED, false},
    {"max-age=60", "", CACHE_CONTROL_MAX_SECONDS, CACHE_VALIDATE, false},
};

Test(cache_rules, decides_what_a_request_may_have)
{
    static const struct cache_policy policy = {.heuristic_most = 0};
    for (size_t i = 0; i < ROWS(use_rows); i++) {
        const struct use_row *row = &use_rows[i];
        const struct field fields[] = {{svc__bytes_z(CC), svc__bytes_z(row->reply)},
                                       {svc__bytes_z("ETag"), svc__bytes_z("\"1\"")}};
        struct cache_facts facts;
        struct cache_terms terms;
        struct cache_control wish = svc__cache_control_none();
        svc__cache_control_parse(svc__bytes_z(row->request), &wish);
        svc__cache_rules_read(&facts, 200, fields, 2, NOW);
        cr_assert(svc__cache_rules_store(&facts, &policy, false, &terms), "row %zu", i);
        cr_expect_eq(svc__cache_rules_use(&terms, &wish, row->age), row->use, "row %zu", i);
        cr_expect_eq(svc__cache_rules_use_on_error(&terms, &wish, row->age), row->on_error,
                     "row %zu", i);
    }
}
