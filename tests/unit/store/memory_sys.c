#include <svc/sys/memory.h>

#include <criterion/criterion.h>
#include <string.h>

enum { VALUE_MAX = 100 };

static svc_sys_memory *memory;

static void open_table(void)
{
    cr_assert_eq(svc_sys_memory_new(65536, VALUE_MAX, &memory), 0);
}

static void close_table(void)
{
    svc_sys_memory_free(memory);
}

TestSuite(store_memory_sys, .init = open_table, .fini = close_table);

struct found {
    char text[VALUE_MAX + 1];
    uint64_t version;
};

static void take_value(void *arg, const void *data, size_t len, uint64_t version)
{
    struct found *found = arg;
    memcpy(found->text, data, len);
    found->text[len] = '\0';
    found->version = version;
}

static int set(const char *text, uint64_t *version)
{
    return svc_sys_memory_set(memory, "key", 3, text, strlen(text), 0, version);
}

Test(store_memory_sys, a_value_is_found_with_its_version_until_it_is_deleted)
{
    struct found found;
    uint64_t version = 0;
    cr_expect_eq(svc_sys_memory_get(memory, "key", 3, take_value, &found), SVC_ENOTFOUND);
    cr_expect_eq(set("one", &version), 0);
    cr_expect_eq(svc_sys_memory_get(memory, "key", 3, take_value, &found), 0);
    cr_expect_str_eq(found.text, "one");
    cr_expect(version != 0 && found.version == version);
    cr_expect_eq(svc_sys_memory_delete(memory, "key", 3), 0);
    cr_expect_eq(svc_sys_memory_delete(memory, "key", 3), SVC_ENOTFOUND);
}

Test(store_memory_sys, a_version_is_replaced_and_another_one_is_not)
{
    struct found found;
    uint64_t first = 0, second = 0;
    cr_assert_eq(set("one", &first), 0);
    uint64_t version = first;
    cr_assert_eq(set("two", &version), 0);
    second = version;
    version = first;
    cr_expect_eq(set("three", &version), SVC_ECONFLICT);
    cr_expect_eq(version, first);
    cr_expect_eq(svc_sys_memory_get(memory, "key", 3, take_value, &found), 0);
    cr_expect_str_eq(found.text, "two");
    cr_expect_eq(found.version, second);
    cr_assert_eq(svc_sys_memory_delete(memory, "key", 3), 0);
    cr_expect_eq(set("four", &second), SVC_ENOTFOUND);
}

Test(store_memory_sys, bad_arguments_are_refused)
{
    static const char long_key[256] = "k";
    char large[VALUE_MAX + 1] = "";
    uint64_t version = 0;
    cr_expect_eq(svc_sys_memory_new(65536, 1 << 20, &memory), SVC_ETOOBIG);
    cr_expect_eq(svc_sys_memory_set(memory, "key", 3, large, sizeof large, 0, &version),
                 SVC_ETOOBIG);
    cr_expect_eq(svc_sys_memory_set(memory, long_key, 256, "", 0, 0, &version), SVC_EINVAL);
    cr_expect_eq(svc_sys_memory_set(memory, "", 0, "", 0, 0, &version), SVC_EINVAL);
    cr_expect_eq(svc_sys_memory_set(memory, "key", 3, NULL, 1, 0, &version), SVC_EINVAL);
    cr_expect_eq(svc_sys_memory_set(memory, "key", 3, "", 0, 0, NULL), SVC_EINVAL);
    cr_expect_eq(svc_sys_memory_get(memory, "key", 3, NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_sys_memory_delete(memory, NULL, 1), SVC_EINVAL);
}

Test(store_memory_sys, the_table_is_counted)
{
    uint64_t version = 0;
    svc_sys_store_stats stats = {.size = sizeof stats};
    cr_assert_eq(set("one", &version), 0);
    svc_sys_memory_read_stats(memory, &stats);
    cr_expect_eq(stats.entries, 1);
    cr_expect(stats.bytes > 0 && stats.bytes <= 65536);
    svc_sys_memory_read_stats(memory, NULL);
}
