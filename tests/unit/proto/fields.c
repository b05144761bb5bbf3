#include <criterion/criterion.h>

#include "libsvc/proto/fields.h"
#include "tests/unit/proto/vectors.h"

static const struct field list[] = {
    {LITERAL("Host"), LITERAL("a")},   {LITERAL("X-Tag"), LITERAL("1")},
    {LITERAL("hose"), LITERAL("b")},   {LITERAL("x-tag"), LITERAL("2")},
    {LITERAL("X-Tags"), LITERAL("3")}, {LITERAL("X-TAG"), LITERAL("")},
};

Test(proto_fields, find_takes_the_first_in_any_case)
{
    cr_expect_eq(svc__fields_find(list, ROWS(list), BYTES("HOST")), &list[0]);
    cr_expect_eq(svc__fields_find(list, ROWS(list), BYTES("x-tAG")), &list[1]);
    cr_expect_eq(svc__fields_find(list, ROWS(list), BYTES("x-tags")), &list[4]);
    cr_expect_null(svc__fields_find(list, ROWS(list), BYTES("x-ta")));
    cr_expect_null(svc__fields_find(list, ROWS(list), BYTES("")));
    cr_expect_null(svc__fields_find(NULL, 0, BYTES("host")));
}

Test(proto_fields, next_walks_repeated_fields_in_order)
{
    const struct field *f = svc__fields_next(list, ROWS(list), NULL, BYTES("x-tag"));
    cr_expect_eq(f, &list[1]);
    f = svc__fields_next(list, ROWS(list), f, BYTES("x-tag"));
    cr_expect_eq(f, &list[3]);
    f = svc__fields_next(list, ROWS(list), f, BYTES("x-tag"));
    cr_expect_eq(f, &list[5]);
    cr_expect_null(svc__fields_next(list, ROWS(list), f, BYTES("x-tag")));
}

Test(proto_fields, count_counts_in_any_case)
{
    cr_expect_eq(svc__fields_count(list, ROWS(list), BYTES("x-Tag")), 3);
    cr_expect_eq(svc__fields_count(list, ROWS(list), BYTES("host")), 1);
    cr_expect_eq(svc__fields_count(list, ROWS(list), BYTES("cookie")), 0);
    cr_expect_eq(svc__fields_count(NULL, 0, BYTES("host")), 0);
}

Test(proto_fields, only_letters_have_two_cases)
{
    static const struct field odd[] = {{LITERAL("a^b"), LITERAL("")}, {LITERAL("a@"), LITERAL("")}};
    cr_expect_null(svc__fields_find(odd, ROWS(odd), BYTES("a~b")));
    cr_expect_null(svc__fields_find(odd, ROWS(odd), BYTES("a`")));
}
