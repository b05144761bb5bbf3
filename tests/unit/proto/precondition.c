#include <criterion/criterion.h>

#include "libsvc/proto/precondition.h"
#include "tests/support/conditions.h"
#include "tests/unit/proto/vectors.h"

enum { MAX_FIELDS = 4, NOW = 1795515326 };

static const char letters[] = {[PRECONDITION_NONE] = '-',
                               [PRECONDITION_HOLDS] = 'h',
                               [PRECONDITION_RANGE] = 'r',
                               [PRECONDITION_NOT_MODIFIED] = 'n',
                               [PRECONDITION_FAILED] = 'f'};

static struct validators state_of(const struct condition_state_row *row)
{
    static const struct etag strong = {LITERAL("\"1\""), false}, weak = {LITERAL("\"1\""), true};
    struct validators state = {.exists = !row->absent,
                               .modified = row->dated ? CONDITION_MODIFIED : PRECONDITION_NO_DATE,
                               .date_strong = row->dated,
                               .now = NOW};
    if (row->tag)
        state.tag = row->weak ? weak : strong;
    return state;
}

static size_t fields_of(const struct condition_row *row, struct field *fields)
{
    size_t count = 0;
    for (; row->headers[2 * count]; count++)
        fields[count] = (struct field){svc__bytes_z(row->headers[2 * count]),
                                       svc__bytes_z(row->headers[2 * count + 1])};
    return count;
}

static char outcome(enum method method, const struct field *fields, size_t count,
                    const struct validators *state)
{
    struct fields read;
    svc__fields_read(&read, fields, count);
    return letters[svc__precondition_evaluate(method, &read, state)];
}

Test(proto_precondition, every_row_of_the_precedence)
{
    static const enum method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_PATCH,
                                          METHOD_DELETE};
    for (size_t i = 0; i < condition_count; i++) {
        const struct condition_row *row = &condition_rows[i];
        struct field fields[MAX_FIELDS];
        size_t count = fields_of(row, fields);
        struct validators state = state_of(&condition_states[row->state]);
        for (size_t m = 0; m < CONDITION_METHODS; m++) {
            char seen = outcome(methods[m], fields, count, &state), wanted = row->outcome[m];
            wanted = wanted == 'p' ? '-' : wanted == 'q' ? 'h' : wanted; /* no condition either */
            cr_expect_eq(seen, wanted, "row %zu, %s: %c", i, condition_methods[m], seen);
        }
        char write = row->outcome[2];
        cr_expect_eq(outcome(METHOD_POST, fields, count, &state), write, "row %zu", i);
        cr_expect_eq(outcome(METHOD_OTHER, fields, count, &state), write, "row %zu", i);
        cr_expect_eq(outcome(METHOD_OPTIONS, fields, count, &state), '-', "row %zu", i);
        cr_expect_eq(outcome(METHOD_CONNECT, fields, count, &state), '-', "row %zu", i);
        cr_expect_eq(outcome(METHOD_TRACE, fields, count, &state), '-', "row %zu", i);
    }
}

Test(proto_precondition, an_empty_list_matches_nothing)
{
    static const struct field match = {LITERAL("if-match"), LITERAL("")},
                              none = {LITERAL("if-none-match"), LITERAL("")};
    struct validators state = state_of(&condition_states[STATE_STRONG]);
    cr_expect_eq(outcome(METHOD_GET, &match, 1, &state), 'f');
    cr_expect_eq(outcome(METHOD_PUT, &none, 1, &state), 'h');
}

/* RFC 9110 13.1.5: by date only where it is known to be strong, and then exactly. */
Test(proto_precondition, a_range_by_date)
{
    static const struct {
        struct bytes date;
        bool strong;
        char outcome;
    } rows[] = {
        {LITERAL("Sun, 06 Nov 1994 08:49:37 GMT"), true, 'r'},
        {LITERAL("Sunday, 06-Nov-94 08:49:37 GMT"), true, 'r'},
        {LITERAL("Sun, 06 Nov 1994 08:49:37 GMT"), false, '-'},
        {LITERAL("Sun, 06 Nov 1994 08:49:36 GMT"), true, '-'},
        {LITERAL("Sun, 06 Nov 1994 08:49:38 GMT"), true, '-'},
        {LITERAL("Sun, 06 Nov 1994"), true, '-'},
        {LITERAL(""), true, '-'},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct field fields[] = {{LITERAL("range"), LITERAL("bytes=0-1")},
                                       {LITERAL("IF-RANGE"), rows[i].date}};
        struct validators state = state_of(&condition_states[STATE_DATED]);
        state.date_strong = rows[i].strong;
        cr_expect_eq(outcome(METHOD_GET, fields, 2, &state), rows[i].outcome, "row %zu", i);
        cr_expect_eq(outcome(METHOD_HEAD, fields, 2, &state), '-', "row %zu", i);
    }
}

static bool any(const struct field *fields, size_t count)
{
    struct fields read;
    svc__fields_read(&read, fields, count);
    return svc__precondition_any(&read);
}

Test(proto_precondition, only_its_fields_are_conditions)
{
    static const struct field others[] = {
        {LITERAL("Range"), LITERAL("bytes=0-1")}, {LITERAL("If"), LITERAL("x")},
        {LITERAL("If-"), LITERAL("x")},           {LITERAL("If-Matched"), LITERAL("\"1\"")},
        {LITERAL("Accept"), LITERAL("*")},        {LITERAL("In-None-Match"), LITERAL("\"1\"")}};
    static const struct bytes names[] = {LITERAL("IF-MATCH"), LITERAL("if-none-match"),
                                         LITERAL("If-Modified-Since"),
                                         LITERAL("If-Unmodified-Since"), LITERAL("If-Range")};
    cr_expect_not(any(others, ROWS(others)));
    cr_expect_not(any(NULL, 0));
    for (size_t i = 0; i < ROWS(names); i++) {
        const struct field fields[] = {{LITERAL("Host"), LITERAL("x")}, {names[i], LITERAL("x")}};
        cr_expect(any(fields, ROWS(fields)), "%.*s", SHOW(names[i]));
    }
}
