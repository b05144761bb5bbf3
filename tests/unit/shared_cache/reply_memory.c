/* Stored replies in memory: found by key and selection, replaced, evicted, purged. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/shared_cache/reply_memory.h"

enum { SMALL = 1 << 20 };

static struct reply_memory *memory;

static void open_memory(void)
{
    memory = svc__reply_memory_new(SMALL);
    cr_assert(memory);
}

static void close_memory(void)
{
    svc__reply_memory_free(memory);
}

TestSuite(reply_memory, .init = open_memory, .fini = close_memory);

static const struct fields no_fields;

static bool put_from(enum reply_origin origin, const struct stored_parts *parts, uint64_t purges)
{
    struct stored_reply *reply = svc__stored_reply_new(parts);
    cr_assert(reply);
    bool stored = svc__reply_memory_put(memory, svc__reply_memory_hash(memory, parts->key), reply,
                                        origin, purges);
    svc__stored_reply_unref(reply);
    return stored;
}

static bool put_as(const struct stored_parts *parts, uint64_t purges)
{
    return put_from(REPLY_OF_HANDLER, parts, purges);
}

static bool put(const char *key, const char *body, const uint64_t *tags, size_t count)
{
    const struct stored_parts parts = {.key = svc__bytes_z(key),
                                       .status = 200,
                                       .body = svc__bytes_z(body),
                                       .tags = tags,
                                       .tag_count = count};
    return put_as(&parts, svc__reply_memory_purges(memory));
}

static bool varied;

static void expect_found(const char *key, const struct fields *request, const char *body)
{
    struct bytes name = svc__bytes_z(key);
    struct stored_reply *found = svc__reply_memory_find(
        memory, svc__reply_memory_hash(memory, name), name, request, &varied);
    cr_expect_eq(found != NULL, body != NULL, "%s", key);
    if (found && body)
        cr_expect(svc__bytes_eq_z(found->parts.body, body), "%s", key);
    svc__stored_reply_unref(found);
}

Test(reply_memory, finds_the_last_reply_of_a_key)
{
    expect_found("a /", &no_fields, NULL);
    cr_assert(put("a /", "1", NULL, 0));
    cr_assert(put("a /other", "2", NULL, 0));
    expect_found("a /", &no_fields, "1");
    cr_assert(put("a /", "3", NULL, 0));
    expect_found("a /", &no_fields, "3");
    expect_found("a /other", &no_fields, "2");
    cr_expect_not(varied);
}

/* Selections as cache_vary.h writes them. */
static bool put_selected(const char *selection, const char *body)
{
    const struct stored_parts parts = {.key = svc__bytes_z("a /"),
                                       .names = svc__bytes_z("foo"),
                                       .selection = svc__bytes_z(selection),
                                       .status = 200,
                                       .body = svc__bytes_z(body)};
    return put_as(&parts, svc__reply_memory_purges(memory));
}

static struct fields request_of(struct field *field, const char *value)
{
    struct fields request;
    *field = (struct field){svc__bytes_z("Foo"), svc__bytes_z(value)};
    svc__fields_read(&request, field, 1);
    return request;
}

Test(reply_memory, keeps_a_reply_for_each_selection)
{
    struct field first, second, third;
    const struct fields one = request_of(&first, "1"), two = request_of(&second, "2"),
                        three = request_of(&third, "3");
    cr_assert(put_selected("=1\n", "one"));
    cr_assert(put_selected("=2\n", "two"));
    expect_found("a /", &one, "one");
    expect_found("a /", &two, "two");
    expect_found("a /", &three, NULL);
    cr_expect(varied);
    cr_assert(put_selected("=1\n", "again"));
    expect_found("a /", &one, "again");
}

Test(reply_memory, keeps_so_many_selections_of_a_key_at_most)
{
    size_t found = 0;
    for (int i = 0; i < 2 * REPLY_MEMORY_VARIANTS; i++) {
        char selection[16];
        snprintf(selection, sizeof selection, "=%d\n", i);
        cr_assert(put_selected(selection, "a body"));
    }
    for (int i = 0; i < 2 * REPLY_MEMORY_VARIANTS; i++) {
        char value[16];
        struct field field;
        struct bytes key = svc__bytes_z("a /");
        snprintf(value, sizeof value, "%d", i);
        const struct fields request = request_of(&field, value);
        struct stored_reply *reply = svc__reply_memory_find(
            memory, svc__reply_memory_hash(memory, key), key, &request, &varied);
        found += reply != NULL;
        svc__stored_reply_unref(reply);
    }
    cr_expect_eq(found, REPLY_MEMORY_VARIANTS, "%zu", found);
}

static void put_numbered(size_t i, const char *body)
{
    char key[32];
    snprintf(key, sizeof key, "a /%zu", i);
    put(key, body, NULL, 0);
}

static bool has_numbered(size_t i)
{
    char text[32];
    snprintf(text, sizeof text, "a /%zu", i);
    struct bytes key = svc__bytes_z(text);
    struct stored_reply *found = svc__reply_memory_find(memory, svc__reply_memory_hash(memory, key),
                                                        key, &no_fields, &varied);
    svc__stored_reply_unref(found);
    return found != NULL;
}

/* Ten times what fits, of which ten are read all the time. */
Test(reply_memory, keeps_what_is_read)
{
    static char body[8192];
    memset(body, 'x', sizeof body - 1);
    size_t kept = 0, others = 0;
    for (size_t i = 0; i < 1280; i++) {
        put_numbered(i, body);
        for (size_t j = 0; j < 10 && j <= i; j++)
            has_numbered(j);
    }
    for (size_t i = 0; i < 10; i++)
        kept += has_numbered(i);
    for (size_t i = 10; i < 1280; i++)
        others += has_numbered(i);
    cr_expect_eq(kept, 10);
    cr_expect_leq(others * sizeof body, SMALL);
}

Test(reply_memory, refuses_a_reply_that_no_part_holds)
{
    static char body[SMALL / 8];
    memset(body, 'x', sizeof body - 1);
    cr_expect_not(put("a /", body, NULL, 0));
    expect_found("a /", &no_fields, NULL);
}

Test(reply_memory, purges_by_tag)
{
    const uint64_t one[] = {11, 12}, two[] = {12};
    put("a /1", "1", one, 2);
    put("a /2", "2", two, 1);
    put("a /3", "3", NULL, 0);
    cr_expect_eq(svc__reply_memory_purge(memory, 11), 1);
    expect_found("a /1", &no_fields, NULL);
    expect_found("a /2", &no_fields, "2");
    cr_expect_eq(svc__reply_memory_purge(memory, 12), 1);
    cr_expect_eq(svc__reply_memory_purge(memory, 12), 0);
    cr_expect_eq(svc__reply_memory_purge(memory, REPLY_MEMORY_ALL), 1);
    expect_found("a /3", &no_fields, NULL);
}

Test(reply_memory, does_not_store_a_reply_that_was_purged_on_its_way)
{
    const uint64_t tags[] = {11};
    const struct stored_parts parts = {
        .key = svc__bytes_z("a /"), .status = 200, .tags = tags, .tag_count = 1};
    uint64_t before = svc__reply_memory_purges(memory);
    svc__reply_memory_purge(memory, 12);
    cr_expect(put_as(&parts, before));
    svc__reply_memory_purge(memory, 11);
    cr_expect_not(put_as(&parts, before));
    uint64_t after = svc__reply_memory_purges(memory);
    cr_expect(put_as(&parts, after));
    for (int i = 0; i <= REPLY_MEMORY_PURGES; i++) /* more than are remembered */
        svc__reply_memory_purge(memory, 12);
    cr_expect_not(put_as(&parts, after));
}

/* The store may have given the old reply until it has the purge. */
Test(reply_memory, takes_no_reply_of_the_store_while_its_purge_is_on_the_way_there)
{
    const uint64_t tags[] = {11};
    const struct stored_parts parts = {
        .key = svc__bytes_z("a /"), .status = 200, .tags = tags, .tag_count = 1};
    struct reply_purge other = {.tag = 12}, purge = {.tag = 11}, last = {.tag = 13};
    svc__reply_memory_purge_begin(memory, &other);
    uint64_t before = svc__reply_memory_purges(memory);
    cr_expect(put_from(REPLY_OF_STORE, &parts, before));
    cr_expect_eq(svc__reply_memory_purge_begin(memory, &purge), 1);
    svc__reply_memory_purge_begin(memory, &last);
    uint64_t meanwhile = svc__reply_memory_purges(memory);
    cr_expect_not(put_from(REPLY_OF_STORE, &parts, meanwhile));
    cr_expect(put_from(REPLY_OF_HANDLER, &parts, meanwhile));
    svc__reply_memory_purge_end(memory, &purge);
    cr_expect_not(put_from(REPLY_OF_STORE, &parts, meanwhile));
    cr_expect(put_from(REPLY_OF_STORE, &parts, svc__reply_memory_purges(memory)));
    svc__reply_memory_purge_end(memory, &last);
    svc__reply_memory_purge_end(memory, &other);
}

Test(reply_memory, gives_one_request_at_a_time_the_validation)
{
    put("a /", "1", NULL, 0);
    struct bytes key = svc__bytes_z("a /");
    struct stored_reply *reply = svc__reply_memory_find(memory, svc__reply_memory_hash(memory, key),
                                                        key, &no_fields, &varied);
    cr_assert(reply);
    cr_expect(svc__reply_memory_claim(memory, reply, 1000, 50));
    cr_expect_not(svc__reply_memory_claim(memory, reply, 1050, 50));
    cr_expect(svc__reply_memory_claim(memory, reply, 1051, 50));
    svc__stored_reply_unref(reply);
}
