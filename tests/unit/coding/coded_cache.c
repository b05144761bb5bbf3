#include "libsvc/coding/coded_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { CACHE = 1 << 20, SHARD = CACHE / 8 };

static struct coded_body *put(struct coded_cache *cache, unsigned coding, struct bytes origin,
                              const char *coded)
{
    struct coded_key key = svc__coded_cache_key(cache, coding, origin);
    return svc__coded_cache_put(cache, &key, svc__bytes_z(coded));
}

static struct coded_body *find(struct coded_cache *cache, unsigned coding, struct bytes origin)
{
    struct coded_key key = svc__coded_cache_key(cache, coding, origin);
    return svc__coded_cache_find(cache, &key);
}

static bool meet(struct coded_cache *cache, unsigned coding, struct bytes origin)
{
    struct coded_key key = svc__coded_cache_key(cache, coding, origin);
    return svc__coded_cache_meet(cache, &key);
}

static void keep(struct coded_cache *cache, unsigned coding, struct bytes origin, const char *coded)
{
    struct coded_body *body = put(cache, coding, origin, coded);
    cr_assert_not_null(body);
    cr_expect(svc__bytes_eq(svc__bytes(body->data, body->len), svc__bytes_z(coded)));
    svc__coded_cache_release(body->data);
}

/* Whether the cache has that coded body for an origin. */
static bool has(struct coded_cache *cache, unsigned coding, struct bytes origin, const char *coded)
{
    struct coded_body *body = find(cache, coding, origin);
    if (!body)
        return false;
    bool same = svc__bytes_eq(svc__bytes(body->data, body->len), svc__bytes_z(coded));
    svc__coded_cache_release(body->data);
    return same;
}

Test(coding_coded_cache, finds_what_it_was_given_for_that_coding)
{
    struct coded_cache *cache = svc__coded_cache_new(CACHE);
    struct bytes a = svc__bytes_z("a"), b = svc__bytes_z("b");
    cr_expect_null(find(cache, 0, a));
    keep(cache, 0, a, "coded a");
    keep(cache, 1, a, "");
    cr_expect(has(cache, 0, a, "coded a"));
    cr_expect(has(cache, 1, a, ""));
    cr_expect_null(find(cache, 2, a));
    cr_expect_null(find(cache, 0, b));
    keep(cache, 0, a, "anew");
    cr_expect(has(cache, 0, a, "anew"));
    svc__coded_cache_free(cache);
}

Test(coding_coded_cache, compares_all_bytes)
{
    static char one[100000], other[100000];
    struct coded_cache *cache = svc__coded_cache_new(CACHE);
    other[50100] = 1;
    keep(cache, 0, svc__bytes(one, sizeof one), "one");
    cr_expect_not(has(cache, 0, svc__bytes(other, sizeof other), "one"));
    keep(cache, 0, svc__bytes(other, sizeof other), "other");
    cr_expect(has(cache, 0, svc__bytes(other, sizeof other), "other"));
    cr_expect_not(has(cache, 0, svc__bytes(one, sizeof one), "other"));
    svc__coded_cache_free(cache);
}

Test(coding_coded_cache, remembers_what_has_come_without_a_copy)
{
    struct coded_cache *cache = svc__coded_cache_new(CACHE);
    cr_expect_not(meet(cache, 0, svc__bytes_z("a")));
    cr_expect(meet(cache, 0, svc__bytes_z("a")));
    cr_expect_not(meet(cache, 1, svc__bytes_z("a")));
    cr_expect_not(meet(cache, 0, svc__bytes_z("")));
    svc__coded_cache_free(cache);
}

Test(coding_coded_cache, a_body_in_use_outlives_its_entry_and_the_cache)
{
    static char large[SHARD];
    struct coded_cache *cache = svc__coded_cache_new(CACHE);
    struct coded_body *body = put(cache, 0, svc__bytes_z("a"), "coded");
    struct coded_body *too_large = put(cache, 0, svc__bytes(large, sizeof large), "large");
    cr_expect_null(find(cache, 0, svc__bytes(large, sizeof large)));
    svc__coded_cache_free(cache);
    cr_expect(svc__bytes_eq_z(svc__bytes(body->data, body->len), "coded"));
    cr_expect(svc__bytes_eq_z(svc__bytes(too_large->data, too_large->len), "large"));
    svc__coded_cache_release(body->data);
    svc__coded_cache_release(too_large->data);
    svc__coded_cache_free(NULL);
}

/* Bodies that come once displace one another, and not one that is used again and again. */
Test(coding_coded_cache, is_bounded_and_keeps_what_is_used)
{
    enum { BODIES = 1000, LEN = 10000 };
    static char text[LEN];
    struct coded_cache *cache = svc__coded_cache_new(CACHE);
    size_t kept = 0;
    keep(cache, 0, svc__bytes_z("used"), "coded");
    for (int i = 0; i < BODIES; i++) {
        snprintf(text, sizeof text, "%d", i);
        keep(cache, 0, svc__bytes(text, LEN), "x");
        cr_assert(has(cache, 0, svc__bytes_z("used"), "coded"), "%d", i);
    }
    for (int i = 0; i < BODIES; i++) {
        snprintf(text, sizeof text, "%d", i);
        kept += has(cache, 0, svc__bytes(text, LEN), "x");
    }
    cr_expect_leq(kept, CACHE / LEN);
    cr_expect_geq(kept, CACHE / LEN / 2);
    svc__coded_cache_free(cache);
}
