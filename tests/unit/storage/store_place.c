#include "libsvc/storage/store_place.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena memory;
static struct store_place place;
static const char *why;

static void open_arena(void)
{
    svc__arena_init(&memory, NULL, 1 << 20);
}

static void close_arena(void)
{
    svc__arena_reset(&memory);
}

TestSuite(storage_store_place, .init = open_arena, .fini = close_arena);

static int take_url(const char *url)
{
    why = NULL;
    return svc__store_place_read(&place, url, "app", &memory, &why);
}

Test(storage_store_place, a_scheme_alone_has_the_defaults)
{
    cr_assert_eq(take_url("memory:"), 0);
    cr_expect_str_eq(place.own.scheme, "memory");
    cr_expect_str_eq(place.own.rest, "");
    cr_expect_str_eq(place.own.name_space, "app");
    cr_expect_eq(place.own.max_value, 1000000);
    cr_expect_eq(place.timeout_ms, 1000);
    cr_expect_eq(place.own.param_count, 0);
}

Test(storage_store_place, parameters_of_the_library_and_of_the_backend_are_told_apart)
{
    cr_assert_eq(take_url("redis+x://u:p:q@h:1/0?db=2&namespace=a:b&max_value=256&timeout_ms=5&x="),
                 0);
    cr_expect_str_eq(place.own.scheme, "redis+x");
    cr_expect_str_eq(place.own.rest, "//u:p:q@h:1/0");
    cr_expect_str_eq(place.own.name_space, "a:b");
    cr_expect_eq(place.own.max_value, 256);
    cr_expect_eq(place.timeout_ms, 5);
    cr_assert_eq(place.own.param_count, 2);
    cr_expect_str_eq(place.own.params[0].name, "db");
    cr_expect_str_eq(place.own.params[0].value, "2");
    cr_expect_str_eq(place.own.params[1].value, "");
}

Test(storage_store_place, what_is_no_url_is_refused_without_a_word_of_it)
{
    static const char *const bad[] = {
        "",
        "secret",
        ":secret",
        "Secret:",
        "1secret:",
        "se cret:",
        "secretsecretsecretsecretsecretse:",
        "memory:?secret",
        "memory:?=secret",
        "memory:?max_value=255",
        "memory:?max_value=67108865",
        "memory:?max_value=secret",
        "memory:?max_value=99999999999999999999999",
        "memory:?timeout_ms=0",
        "memory:?timeout_ms=86400001",
        "memory:?timeout_ms=-1",
        "memory:?namespace=",
        "memory:?namespace=a b",
        "memory:?namespace=secretsecretsecretsecretsecretsecretsecretsecrets"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(take_url(bad[i]), SVC_EINVAL, "%s", bad[i]);
        cr_assert_not_null(why);
        cr_assert_null(strstr(why, "secret"));
    }
}

Test(storage_store_place, parameters_have_a_maximum)
{
    char url[400] = "memory:?";
    for (int i = 0; i < STORE_PARAMS_MAX; i++)
        strcat(url, "a=1&");
    cr_expect_eq(take_url(url), 0);
    cr_expect_eq(place.own.param_count, STORE_PARAMS_MAX);
    strcat(url, "a=1");
    cr_expect_eq(take_url(url), SVC_EINVAL);
}

Test(storage_store_place, a_name_of_an_app_that_is_no_namespace_needs_one)
{
    cr_expect_eq(svc__store_place_read(&place, "memory:", "my app", &memory, &why), SVC_EINVAL);
    cr_expect_eq(svc__store_place_read(&place, "memory:?namespace=x", "my app", &memory, &why), 0);
}

Test(storage_store_place, without_memory_nothing_is_read)
{
    struct arena small;
    svc__arena_init(&small, NULL, 16);
    cr_expect_eq(svc__store_place_read(&place, "memory:?namespace=long", "app", &small, &why),
                 SVC_ENOMEM);
    svc__arena_reset(&small);
}

Test(storage_store_place, keys_have_no_spaces_and_no_control_characters)
{
    for (int c = 0; c < 256; c++) {
        const char key[] = {'a', (char)c, 'b'};
        bool good = c > ' ' && c != 0x7f;
        cr_expect_eq(svc__store_place_is_key(key, 3, 200), good, "%d", c);
    }
    cr_expect_not(svc__store_place_is_key("", 0, 200));
    cr_expect_not(svc__store_place_is_key("abc", 3, 2));
}
