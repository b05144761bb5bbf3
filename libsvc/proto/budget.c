/* Budgets of time: a number and a unit, of two fields that have different units. */
#include "libsvc/proto/budget.h"

#include <svc/errors.h>

#include "libsvc/base/num.h"

#define BUDGET_MAX UINT64_C(99999999)

struct unit {
    const char *name;
    uint64_t ms, per; /* `ms` milliseconds are `per` units */
};

/* The length of the digits before the unit. */
static size_t digits_span(struct bytes text)
{
    size_t n = 0;
    while (n < text.len && svc__bytes_is_digit(text.data[n]))
        n++;
    return n;
}

static int parse(struct bytes text, const struct unit *units, size_t count, uint64_t *ms)
{
    size_t digits = digits_span(text);
    if (digits == 0 || digits > BUDGET_DIGITS)
        return SVC_ESYNTAX;
    struct bytes name = svc__bytes(text.data + digits, text.len - digits);
    for (size_t i = 0; i < count; i++) {
        const struct unit *unit = &units[i];
        uint64_t n;
        if (!svc__bytes_eq_z(name, unit->name))
            continue;
        int error = svc__num_u64(svc__bytes(text.data, digits), BUDGET_MAX, &n);
        if (!error)
            *ms = (n * unit->ms + unit->per - 1) / unit->per;
        return error;
    }
    return SVC_ESYNTAX;
}

int svc__budget_parse_grpc(struct bytes text, uint64_t *ms)
{
    static const struct unit units[] = {{"H", 3600000, 1}, {"M", 60000, 1}, {"S", 1000, 1},
                                        {"m", 1, 1},       {"u", 1, 1000},  {"n", 1, 1000000}};
    return parse(text, units, sizeof units / sizeof *units, ms);
}

int svc__budget_parse(struct bytes text, uint64_t *ms)
{
    static const struct unit units[] = {{"", 1, 1}, {"ms", 1, 1}, {"s", 1000, 1}};
    return parse(text, units, sizeof units / sizeof *units, ms);
}
