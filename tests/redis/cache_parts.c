/* The cache of gets without a server: what is kept when replies and announcements cross. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/redis/redis_cache.h"
#include "libsvc/redis/redis_time.h"
#include "libsvc/storage/store.h"
#include "libsvc/storage/store_call.h"

#define KEY "test:key"
#define TAIL "\0v1:12345678"

enum { VALUE_MAX = 100000, NO_TTL = -1, NO_KEY = -2 };

static struct redis_cache cache;
static struct redis_commands commands;
static struct redis_link link = {.out.ceiling = 65536};
static struct svc_store store = {.place.own.max_value = VALUE_MAX};

static void trust(void)
{
    atomic_store(&cache.trusted_ms, svc__redis_time_ms() + 3600000);
}

static void open_cache(void)
{
    cr_assert_eq(svc__redis_command_init(&commands, VALUE_MAX, 0), 0);
    cr_assert_eq(svc__redis_cache_init(&cache, NULL, 1 << 20, VALUE_MAX), 0);
    trust();
}

static void close_cache(void)
{
    svc__redis_text_free(&link.out);
    svc__redis_cache_free(&cache);
}

TestSuite(redis_cache, .init = open_cache, .fini = close_cache);

static struct store_call get_of(const char *key)
{
    return (struct store_call){.op = {.size = sizeof(svc_sys_store_op),
                                      .kind = SVC_SYS_STORE_GET,
                                      .key = key,
                                      .key_len = strlen(key)},
                               .store = &store};
}

/* Begins a get; whether it is sent. */
static bool begin_get(struct store_call *call)
{
    return !svc__redis_cache_answer(&cache, &call->op) &&
           svc__redis_cache_write(&cache, &commands, &link, &call->op, false);
}

static void free_get(struct store_call *call)
{
    svc__redis_cache_end(&cache, &call->op);
    free(call->own);
}

/* The replies to a get that was sent: its time to live, and its value with a tail. */
static void end_get(struct store_call *call, int64_t ttl_ms, const void *data, size_t len)
{
    const struct redis_reply reply = {.kind = REDIS_NUMBER, .number = ttl_ms};
    if (svc__redis_cache_asks_ttl(&call->op))
        svc__redis_cache_take_ttl(&call->op, &reply);
    svc__redis_cache_take(&call->op, data, len);
    free_get(call);
}

static void end_with_one(struct store_call *call)
{
    end_get(call, NO_TTL, "one" TAIL, 15);
}

/* Whether a get is answered without the server, with that text (NULL: that there is none). */
static bool is_kept(const char *key, const char *text)
{
    struct store_call call = get_of(key);
    bool kept = svc__redis_cache_answer(&cache, &call.op);
    if (kept && text)
        kept = !call.op.error && call.op.len == strlen(text) &&
               !memcmp(call.op.data, text, call.op.len) &&
               call.op.version == UINT64_C(0x3132333435363738);
    else if (kept)
        kept = call.op.error == SVC_ENOTFOUND;
    free_get(&call);
    return kept;
}

Test(redis_cache, a_reply_is_kept_with_its_version)
{
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    cr_expect(link.out.len > 4 && !memcmp(link.out.data, "*2\r\n$4\r\nPTTL\r\n", 14));
    end_with_one(&call);
    cr_expect(is_kept(KEY, "one"));
    cr_expect_not(is_kept("test:other", "one"));
}

Test(redis_cache, a_missing_key_is_kept)
{
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_get(&call, NO_KEY, "", 0);
    cr_expect(is_kept(KEY, NULL));
}

Test(redis_cache, an_announcement_before_the_reply_is_not_lost)
{
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    svc__redis_cache_drop(&cache, KEY, strlen(KEY));
    end_with_one(&call);
    cr_expect_not(is_kept(KEY, "one"));
}

/* Also where another get has begun since then, whose reply comes later. */
Test(redis_cache, a_reply_does_not_take_the_placeholder_of_a_later_get)
{
    struct store_call early = get_of(KEY), late = get_of(KEY);
    cr_expect(begin_get(&early));
    svc__redis_cache_drop(&cache, KEY, strlen(KEY));
    cr_expect(begin_get(&late));
    end_get(&early, NO_TTL, "old" TAIL, 15);
    cr_expect_not(is_kept(KEY, "old"));
    end_with_one(&late);
    cr_expect(is_kept(KEY, "one"));
}

/* Else no reply would be kept where gets of a key come faster than replies. */
Test(redis_cache, gets_that_overlap_share_a_placeholder)
{
    struct store_call first = get_of(KEY), second = get_of(KEY);
    cr_expect(begin_get(&first));
    cr_expect(begin_get(&second));
    end_with_one(&first);
    cr_expect(is_kept(KEY, "one"));
    end_with_one(&second);
    cr_expect(is_kept(KEY, "one"));
}

Test(redis_cache, an_announcement_drops_what_is_kept)
{
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_with_one(&call);
    svc__redis_cache_drop(&cache, KEY, strlen(KEY));
    cr_expect_not(is_kept(KEY, "one"));
}

Test(redis_cache, all_is_dropped_and_replies_that_are_under_way_are_too)
{
    struct store_call call = get_of(KEY), other = get_of("test:other");
    cr_expect(begin_get(&call));
    end_with_one(&call);
    cr_expect(begin_get(&other));
    svc__redis_cache_drop_all(&cache, REDIS_DROP_FLUSHED);
    end_with_one(&other);
    cr_expect_not(is_kept(KEY, "one"));
    cr_expect_not(is_kept("test:other", "one"));
}

Test(redis_cache, a_write_drops_its_key_when_it_begins_and_when_it_ends)
{
    struct store_call call = get_of(KEY), write = get_of(KEY);
    write.op.kind = SVC_SYS_STORE_SET;
    cr_expect(begin_get(&call));
    end_with_one(&call);
    cr_expect_not(svc__redis_cache_answer(&cache, &write.op));
    cr_expect_not(is_kept(KEY, "one"));
    call = get_of(KEY);
    cr_expect(begin_get(&call)); /* the server carries it out before the write */
    svc__redis_cache_end(&cache, &write.op);
    end_with_one(&call);
    cr_expect_not(is_kept(KEY, "one"));
}

Test(redis_cache, without_trust_nothing_is_used_and_nothing_kept)
{
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_with_one(&call);
    atomic_store(&cache.trusted_ms, svc__redis_time_ms());
    cr_expect_not(is_kept(KEY, "one"));
    call = get_of("test:other");
    cr_expect(begin_get(&call));
    cr_expect_not(svc__redis_cache_asks_ttl(&call.op));
    end_with_one(&call);
    trust();
    cr_expect(is_kept(KEY, "one"));
    cr_expect_not(is_kept("test:other", "one"));
}

Test(redis_cache, replies_of_an_older_connection_are_not_kept)
{
    struct store_call call = get_of(KEY);
    atomic_store(&cache.age, 1);
    cr_expect(begin_get(&call));
    end_with_one(&call);
    cr_expect_not(is_kept(KEY, "one"));
}

Test(redis_cache, a_value_ends_with_its_time_to_live)
{
    struct store_call call = get_of(KEY);
    unsigned long until = svc__redis_time_ms() + 60000;
    cr_expect(begin_get(&call));
    end_get(&call, 0, "one" TAIL, 15);
    cr_expect_not(is_kept(KEY, "one"));
    call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_get(&call, 20, "one" TAIL, 15);
    while (is_kept(KEY, "one"))
        cr_assert_lt(svc__redis_time_ms(), until);
}

/* A key that has come or gone between both commands, and a time to live that was not replied. */
Test(redis_cache, replies_that_contradict_each_other_are_not_kept)
{
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_get(&call, NO_KEY, "one" TAIL, 15);
    cr_expect_not(is_kept(KEY, "one"));
    call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_get(&call, 1000, "", 0);
    cr_expect_not(is_kept(KEY, NULL));
    call = get_of(KEY);
    cr_expect(begin_get(&call));
    svc__redis_cache_take(&call.op, "one" TAIL, 15);
    free_get(&call);
    cr_expect_not(is_kept(KEY, "one"));
}

Test(redis_cache, it_stays_within_its_bytes_and_leaves_large_values_out)
{
    static char large[(1 << 20) / 64 + 1];
    svc_sys_store_stats stats = {.size = sizeof stats};
    struct store_call call = get_of(KEY);
    cr_expect(begin_get(&call));
    end_get(&call, NO_TTL, large, sizeof large);
    cr_expect_not(is_kept(KEY, large));
    for (int i = 0; i < 3000; i++) {
        char key[32];
        snprintf(key, sizeof key, "test:%d", i);
        call = get_of(key);
        link.out.len = 0;
        cr_assert(begin_get(&call));
        end_get(&call, NO_TTL, large, 1000);
        svc_sys_memory_read_stats(cache.memory, &stats);
        cr_assert_leq(stats.bytes, 1 << 20);
    }
    cr_expect_gt(stats.evicted, 0);
    cr_expect_gt(stats.entries, 500);
}

Test(redis_cache, a_command_that_does_not_fit_leaves_no_part)
{
    struct store_call call = get_of(KEY);
    svc__redis_text_free(&link.out);
    link.out.ceiling = 40; /* room for the first command alone */
    cr_expect_not(begin_get(&call));
    cr_expect_eq(call.op.error, SVC_ENOMEM);
    cr_expect_eq(link.out.len, 0);
    free_get(&call);
}
