#include <criterion/criterion.h>
#include <inttypes.h>

#include <svc/errors.h>

#include "libsvc/proto/budget.h"
#include "tests/unit/proto/vectors.h"

struct row {
    struct bytes text;
    uint64_t ms;
};

static void expect_read(int (*parse)(struct bytes text, uint64_t *ms), const struct row *rows,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t ms = 7;
        cr_expect_eq(parse(rows[i].text, &ms), 0, "%.*s", SHOW(rows[i].text));
        cr_expect_eq(ms, rows[i].ms, "%.*s gave %" PRIu64, SHOW(rows[i].text), ms);
    }
}

static void expect_refused(int (*parse)(struct bytes text, uint64_t *ms), const struct bytes *rows,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t ms = 7;
        cr_expect_eq(parse(rows[i], &ms), SVC_ESYNTAX, "%.*s", SHOW(rows[i]));
        cr_expect_eq(ms, 7, "%.*s", SHOW(rows[i]));
    }
}

Test(proto_budget, grpc_timeouts_are_read_in_every_unit_and_rounded_up)
{
    static const struct row rows[] = {
        {LITERAL("0n"), 0},
        {LITERAL("0H"), 0},
        {LITERAL("1n"), 1},
        {LITERAL("1000000n"), 1},
        {LITERAL("1000001n"), 2},
        {LITERAL("99999999n"), 100},
        {LITERAL("1u"), 1},
        {LITERAL("1500u"), 2},
        {LITERAL("100000u"), 100},
        {LITERAL("1m"), 1},
        {LITERAL("00000250m"), 250},
        {LITERAL("1S"), 1000},
        {LITERAL("2M"), 120000},
        {LITERAL("3H"), 10800000},
        {LITERAL("99999999H"), UINT64_C(359999996400000)},
    };
    expect_read(svc__budget_parse_grpc, rows, ROWS(rows));
}

Test(proto_budget, what_is_no_grpc_timeout_is_refused)
{
    static const struct bytes rows[] = {
        {NULL, 0},       LITERAL(""),    LITERAL("1"),     LITERAL("S"),     LITERAL("123456789m"),
        LITERAL("1s"),   LITERAL("1h"),  LITERAL("1ms"),   LITERAL("1 m"),   LITERAL(" 1m"),
        LITERAL("1m "),  LITERAL("-1m"), LITERAL("+1m"),   LITERAL("1.5S"),  LITERAL("1m\0"),
        LITERAL("0x1m"), LITERAL("1mm"), LITERAL("1m,1m"), LITERAL("\xb2m"), LITERAL("000000001m"),
    };
    expect_refused(svc__budget_parse_grpc, rows, ROWS(rows));
}

Test(proto_budget, request_timeouts_are_milliseconds_unless_they_say_seconds)
{
    static const struct row rows[] = {
        {LITERAL("0"), 0},
        {LITERAL("0s"), 0},
        {LITERAL("250"), 250},
        {LITERAL("250ms"), 250},
        {LITERAL("2s"), 2000},
        {LITERAL("0030"), 30},
        {LITERAL("99999999"), 99999999},
        {LITERAL("99999999s"), UINT64_C(99999999000)},
    };
    expect_read(svc__budget_parse, rows, ROWS(rows));
}

Test(proto_budget, what_is_no_request_timeout_is_refused)
{
    static const struct bytes rows[] = {
        {NULL, 0},      LITERAL(""),     LITERAL("ms"),   LITERAL("s"),    LITERAL("100000000"),
        LITERAL("1m"),  LITERAL("1S"),   LITERAL("1MS"),  LITERAL("1 s"),  LITERAL("1 "),
        LITERAL("-1"),  LITERAL("+1"),   LITERAL("1.5s"), LITERAL("1e3"),  LITERAL("1,2"),
        LITERAL("1\0"), LITERAL("0x10"), LITERAL("1us"),  LITERAL("soon"), LITERAL("000000001"),
    };
    expect_refused(svc__budget_parse, rows, ROWS(rows));
}
