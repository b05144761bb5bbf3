/* Items of the access log's line: which are taken, in which order, and at most how many. */
#include "libsvc/exchange/access_items.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <svc/errors.h>

#include "tests/support/hand.h"

static struct exchange *x;
static svc_kv items[ACCESS_ITEMS];

static void open_exchange(void)
{
    hand_open();
    hand.config.access_log = true;
    x = hand_exchange();
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_access_items, .init = open_exchange, .fini = close_exchange);

static int add(const svc_kv *item)
{
    return svc_request_log_items(&x->request, (const svc_kv[]){*item, SVC_KV_END});
}

static int add_int(const char *key, int64_t value)
{
    const svc_kv item = svc_kv_int(key, value);
    return add(&item);
}

static size_t count(void)
{
    return svc__access_items_of(&x->request, items);
}

Test(exchange_access_items, the_last_of_a_key_stands_where_the_first_came)
{
    add_int("a", 1);
    add_int("b", 2);
    add_int("a", 3);
    add_int("A", 4);
    cr_assert_eq(count(), 3);
    cr_expect_str_eq(items[0].key, "a");
    cr_expect_eq(items[0].value.number, 3);
    cr_expect_str_eq(items[1].key, "b");
    cr_expect_str_eq(items[2].key, "A");
}

Test(exchange_access_items, are_copies)
{
    char key[] = "key", text[] = "text";
    const svc_kv item = svc_kv_bytes(key, text, 4);
    cr_assert_eq(add(&item), 0);
    memset(key, 'z', 3);
    memset(text, 'z', 4);
    cr_assert_eq(count(), 1);
    cr_expect_str_eq(items[0].key, "key");
    cr_expect_str_eq(items[0].value.text, "text");
}

Test(exchange_access_items, a_key_that_the_line_has_or_cannot_have_is_refused)
{
    char longest[ACCESS_ITEM_KEY + 2];
    memset(longest, 'k', sizeof longest);
    longest[ACCESS_ITEM_KEY + 1] = '\0';
    const char *const bad[] = {"",         "a b",         "a\"",   "status",
                               "trace_id", "duration_us", longest, "\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(add_int(bad[i], 1), SVC_EINVAL, "%s", bad[i]);
    longest[ACCESS_ITEM_KEY] = '\0';
    cr_expect_eq(add_int(longest, 1), 0);
    cr_expect_eq(add_int("Status", 1), 0);
    const svc_kv unknown = {.key = "a", .kind = 99};
    cr_expect_eq(add(&unknown), SVC_EINVAL);
    cr_expect_eq(count(), 2);
}

Test(exchange_access_items, of_one_call_all_are_taken_or_none)
{
    const svc_kv some[] = {svc_kv_int("a", 1), svc_kv_int("status", 2), SVC_KV_END};
    cr_expect_eq(svc_request_log_items(&x->request, some), SVC_EINVAL);
    cr_expect_eq(count(), 0);
    cr_expect_eq(svc_request_log_items(&x->request, NULL), 0);
    cr_expect_eq(svc_request_log_items(&x->request, &(const svc_kv)SVC_KV_END), 0);
    hand_exhaust(&x->arena);
    cr_expect_eq(add_int("a", 1), SVC_ENOMEM);
    cr_expect_eq(count(), 0);
}

Test(exchange_access_items, their_number_is_limited_with_those_that_are_replaced)
{
    for (int i = 0; i < ACCESS_ITEMS; i++)
        cr_assert_eq(add_int("same", i), 0);
    cr_expect_eq(add_int("same", 77), SVC_ETOOBIG);
    cr_assert_eq(count(), 1);
    cr_expect_eq(items[0].value.number, ACCESS_ITEMS - 1);
}

Test(exchange_access_items, the_most_of_them_are_found_in_order)
{
    char key[16];
    for (int i = 0; i < ACCESS_ITEMS; i++) {
        snprintf(key, sizeof key, "k%d", i);
        cr_assert_eq(add_int(key, i), 0);
    }
    cr_assert_eq(count(), ACCESS_ITEMS);
    for (int i = 0; i < ACCESS_ITEMS; i++)
        cr_expect_eq(items[i].value.number, i);
}

Test(exchange_access_items, their_bytes_are_limited_to_the_byte)
{
    static char text[ACCESS_ITEM_BYTES];
    memset(text, 't', sizeof text);
    const svc_kv over = svc_kv_bytes("k", text, ACCESS_ITEM_BYTES),
                 huge = svc_kv_bytes("k", text, SIZE_MAX),
                 most = svc_kv_bytes("k", text, ACCESS_ITEM_BYTES - 1);
    cr_expect_eq(add(&over), SVC_ETOOBIG);
    cr_expect_eq(add(&huge), SVC_ETOOBIG);
    cr_expect_eq(add(&most), 0);
    cr_expect_eq(add_int("a", 1), SVC_ETOOBIG);
    cr_assert_eq(count(), 1);
    cr_expect_eq(items[0].len, ACCESS_ITEM_BYTES - 1);
}

Test(exchange_access_items, nothing_is_kept_where_there_is_no_such_log)
{
    hand.config.access_log = false;
    cr_expect_eq(add_int("a", 1), 0);
    cr_expect_eq(add_int("status", 1), SVC_EINVAL, "but mistakes are told");
    cr_expect_eq(count(), 0);
}
