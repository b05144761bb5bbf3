#include <criterion/criterion.h>

#include "libsvc/proto/fields.h"
#include "libsvc/proto/token.h"
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

Test(proto_fields, only_letters_have_two_cases)
{
    static const struct field odd[] = {{LITERAL("a^b"), LITERAL("")}, {LITERAL("a@"), LITERAL("")}};
    cr_expect_null(svc__fields_find(odd, ROWS(odd), BYTES("a~b")));
    cr_expect_null(svc__fields_find(odd, ROWS(odd), BYTES("a`")));
}

static size_t draw(unsigned *state, unsigned limit)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) % limit;
}

enum { NAME_MAX_BYTES = 24, LIST_MAX = 12 };

/* A known name in any case, one that is nearly known, or another. */
static struct bytes draw_name(unsigned *state, char text[NAME_MAX_BYTES])
{
    static const struct bytes others[] = {LITERAL("X-Tag"), LITERAL("a"), LITERAL("bad name"),
                                          LITERAL("Hosts"), LITERAL("Ccccce")};
    size_t number = draw(state, FIELD_NAME_COUNT);
    struct bytes name = number == FIELD_OTHER ? others[draw(state, ROWS(others))]
                                              : svc__field_name_text((enum field_name)number);
    memcpy(text, name.data, name.len);
    for (size_t i = 0; i < name.len; i++)
        if (draw(state, 3) == 0 && text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 32);
    if (draw(state, 8) == 0)
        text[draw(state, (unsigned)name.len)] ^= (char)(1u << draw(state, 8));
    return svc__bytes(text, name.len);
}

static void check_read(const struct fields *fields, struct bytes name)
{
    const struct field *field = NULL, *want;
    do {
        want = svc__fields_next(fields->list, fields->count, field, name);
        field = svc__fields_named(fields, field, name);
        cr_assert_eq(field, want, "%.*s", SHOW(name));
    } while (field);
}

static void check_known(const struct fields *fields, enum field_name number)
{
    struct bytes name = svc__field_name_text(number);
    const struct field *first = svc__fields_find(fields->list, fields->count, name);
    bool repeats = first && svc__fields_next(fields->list, fields->count, first, name);
    cr_assert_eq(svc__fields_has(fields, number), first != NULL);
    cr_assert_eq(svc__fields_repeats(fields, number), repeats);
    cr_assert_eq(svc__fields_first(fields, number), first);
    cr_assert_eq(svc__fields_value(fields, number).data, first ? first->value.data : NULL);
    check_read(fields, name);
}

Test(proto_fields, what_is_read_once_is_what_a_search_finds)
{
    static const struct bytes values[] = {LITERAL(""), LITERAL("v"), LITERAL("a\nb")};
    unsigned state = 1;
    for (size_t run = 0; run < 20000; run++) {
        char texts[LIST_MAX][NAME_MAX_BYTES];
        struct field drawn[LIST_MAX];
        struct fields fields;
        bool bad_name = false, bad_value = false;
        size_t count = draw(&state, LIST_MAX + 1);
        for (size_t i = 0; i < count; i++) {
            drawn[i] = (struct field){draw_name(&state, texts[i]),
                                      values[draw(&state, 9) == 0 ? 2 : draw(&state, 2)]};
            bad_name |= !svc__token_valid(drawn[i].name);
            bad_value |= drawn[i].value.len == 3;
        }
        svc__fields_read(&fields, drawn, count);
        cr_assert_eq(fields.count, count);
        cr_assert_eq(fields.bad_name, bad_name);
        cr_assert_eq(fields.bad_value, bad_value);
        for (int number = FIELD_OTHER + 1; number < FIELD_NAME_COUNT; number++)
            check_known(&fields, (enum field_name)number);
        for (size_t i = 0; i < count; i++)
            check_read(&fields, drawn[i].name);
        check_read(&fields, BYTES("absent"));
    }
}
