/* Vary: names in one field, each once, and `*` in place of all. */
#include "libsvc/exchange/vary.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/cache.h>

#include "tests/support/hand.h"

static struct exchange *x;
static svc_response *res;

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    res = &x->response;
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_vary, .init = open_exchange, .fini = close_exchange);

static void expect_vary(const char *value)
{
    cr_expect_eq(svc_response_header_count(res), 1);
    cr_expect_str_eq(svc_response_header(res, "Vary"), value);
}

static void merge(const char *names)
{
    cr_assert_eq(svc__vary_merge(res, svc__bytes_z(names)), 0);
}

Test(exchange_vary, a_list_has_a_name_and_nothing_but_names)
{
    static const char *const good[] = {"Accept", "a,b", " a , b ", ",a,,", "*", "a, *"};
    static const char *const bad[] = {"", ",", " , ", "a b", "a;q=1", "a\r\n", "a, b c", "(a)"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(svc__vary_valid(svc__bytes_z(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(svc__vary_valid(svc__bytes_z(bad[i])), "%s", bad[i]);
    cr_expect_not(svc__vary_valid(svc__bytes(NULL, 0)));
}

Test(exchange_vary, names_are_merged_once_in_any_case)
{
    merge("Accept");
    expect_vary("Accept");
    merge("accept");
    expect_vary("Accept");
    merge("Cookie, ACCEPT");
    expect_vary("Accept, Cookie");
    merge("Cook");
    expect_vary("Accept, Cookie, Cook");
}

Test(exchange_vary, all_stands_for_each_and_replaces_them)
{
    merge("Accept, Cookie");
    merge("Host, *");
    expect_vary("*");
    merge("Accept");
    expect_vary("*");
    cr_expect_eq(svc_response_add_vary(res, "Cookie, Host"), 0);
    expect_vary("*");
}

Test(exchange_vary, several_fields_become_one)
{
    svc_response_add_header(res, "Vary", "Accept , Cookie");
    svc_response_add_header(res, "vary", "Host,accept");
    merge("Accept, Host");
    cr_expect_eq(svc_response_header_count(res), 2, "that is said already");
    merge("Origin");
    expect_vary("Accept, Cookie, Host, Origin");
}

Test(exchange_vary, a_program_s_names_are_copied_and_checked)
{
    char names[] = "Accept,Accept ,Cookie";
    cr_expect_eq(svc_response_add_vary(NULL, names), SVC_ENOMEM);
    cr_expect_eq(svc_response_add_vary(res, "a b"), SVC_EINVAL);
    cr_expect_eq(svc_response_add_vary(res, NULL), SVC_EINVAL);
    cr_expect_eq(svc_response_header_count(res), 0);
    cr_expect_eq(svc_response_add_vary(res, names), 0);
    memset(names, 'z', sizeof names - 1);
    expect_vary("Accept, Cookie");
}

Test(exchange_vary, without_memory_it_stays_as_it_was)
{
    merge("Accept");
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__vary_merge(res, svc__bytes_z("Cookie")), SVC_ENOMEM);
    expect_vary("Accept");
    cr_expect_eq(svc_response_add_vary(res, "*"), 0, "that needs none");
    expect_vary("*");
}
