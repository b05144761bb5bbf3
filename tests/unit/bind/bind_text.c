/* Parameters that are texts, in any order and number, meet their fields. */
#include "libsvc/bind/bind_text.h"

#include "tests/support/hand.h"
#include "tests/unit/bind/support.h"

struct form {
    int64_t n;
    const char *text;
    int64_t *list;
    size_t list_count;
    svc_presence presence;
};

static svc_schema schema = {.root = &hand_table};
static struct arena arena;
static struct binding b;
static struct form blank = {.n = 5}, out;
static struct schema_field *list, *n, *text;

static void open_binding(void)
{
    svc__arena_init(&arena, NULL, 1 << 20);
    hand_table.size = sizeof(struct form);
    hand_table.blank = (char *)&blank;
    n = hand_field("n", SVC_TYPE_INT64, offsetof(struct form, n), 8);
    n->rule.presence = offsetof(struct form, presence) + 1;
    list = hand_field("list", SVC_TYPE_INT64, offsetof(struct form, list), 8);
    list->rule.count_at = offsetof(struct form, list_count) + 1;
    list->rule.max_count = 3;
    text = hand_field("text", SVC_TYPE_TEXT, offsetof(struct form, text), 8);
}

static void close_binding(void)
{
    svc__arena_reset(&arena);
}

TestSuite(bind_text, .init = open_binding, .fini = close_binding);

/* Binds names and values in turn, up to a NULL; whether all is well. */
static bool bind_texts(const char *const *texts)
{
    struct param params[16];
    size_t count = 0;
    for (; texts[2 * count]; count++)
        params[count] = (struct param){svc__bytes_z(texts[2 * count]),
                                       svc__bytes_z(texts[2 * count + 1]), true};
    out = (struct form){.n = 77};
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    svc__bind_text(&b, params, count);
    return svc__binding_end(&b, &out);
}

#define BIND(...) bind_texts((const char *const[]){__VA_ARGS__, NULL})

/* What is wrong, as "parameter detail". */
static void expect_wrong(size_t at, const char *parameter, const char *detail)
{
    cr_assert_gt(b.violations.count, at, "%s %s", parameter, detail);
    cr_expect_str_eq(b.violations.list[at].parameter, parameter);
    cr_expect_str_eq(b.violations.list[at].detail, detail);
}

Test(bind_text, values_reach_their_members_in_any_order)
{
    cr_assert(BIND("text", "t", "list", "3", "n", "-4", "list", "1", "list", "2"));
    cr_expect_eq(out.n, -4);
    cr_expect_str_eq(out.text, "t");
    cr_assert_eq(out.list_count, 3);
    cr_expect(out.list[0] == 3 && out.list[1] == 1 && out.list[2] == 2, "in the order of arrival");
    cr_expect_eq(out.presence, SVC_PRESENT);
}

Test(bind_text, what_is_absent_stays_as_the_schema_has_it)
{
    cr_assert(bind_texts((const char *const[]){NULL}));
    cr_expect_eq(out.n, 5);
    cr_expect_eq(out.presence, SVC_ABSENT);
    cr_expect_eq(out.list, NULL);
}

Test(bind_text, what_is_wrong_is_told_of_every_parameter)
{
    hand_require(text);
    cr_expect_not(BIND("n", "x", "list", "1", "other", "2", "list", "y"));
    cr_expect_eq(b.violations.count, 4);
    expect_wrong(0, "n", "is wrong");
    expect_wrong(1, "list", "is wrong");
    expect_wrong(2, "other", "is not known");
    expect_wrong(3, "text", "is required");
    cr_expect_eq(out.n, 77);
}

Test(bind_text, a_single_value_is_there_once)
{
    cr_expect_not(BIND("n", "1", "n", "1", "n", "2"));
    cr_expect_eq(b.violations.count, 1, "that is told once");
    expect_wrong(0, "n", "must be there once");
}

Test(bind_text, an_array_s_count_is_judged_before_its_elements)
{
    cr_expect_not(BIND("list", "x", "list", "y", "list", "z", "list", "0"));
    cr_expect_eq(b.violations.count, 1);
    expect_wrong(0, "list", "has a wrong count");
    list->rule.min_count = 2;
    cr_expect_not(BIND("list", "1"));
    expect_wrong(0, "list", "has a wrong count");
}

Test(bind_text, an_array_s_name_may_have_brackets_behind_it)
{
    cr_assert(BIND("list[]", "3", "n", "1", "list", "1", "list[]", "2"));
    cr_assert_eq(out.list_count, 3);
    cr_expect(out.list[0] == 3 && out.list[1] == 1 && out.list[2] == 2, "in the order of arrival");
    cr_expect_not(BIND("n[]", "1", "[]", "2", "list[]", "x", "list[0]", "3"));
    cr_expect_eq(b.violations.count, 4);
    expect_wrong(0, "n[]", "is not known");
    expect_wrong(1, "[]", "is not known");
    expect_wrong(2, "list", "is wrong");
    expect_wrong(3, "list[0]", "is not known");
}

Test(bind_text, a_field_named_with_brackets_comes_first)
{
    hand_field("list[]", SVC_TYPE_INT64, offsetof(struct form, n), 8);
    cr_assert(BIND("list[]", "3", "list", "1"));
    cr_expect_eq(out.n, 3);
    cr_expect_eq(out.list_count, 1);
}

Test(bind_text, an_empty_value_is_null_where_that_is_allowed_and_no_text_is)
{
    cr_expect_not(BIND("n", ""));
    expect_wrong(0, "n", "is wrong");
    n->rule.nullable = text->rule.nullable = true;
    hand_require(n);
    cr_assert(BIND("n", "", "text", ""));
    cr_expect_eq(out.presence, SVC_NULL);
    cr_expect_eq(out.n, 5);
    cr_expect_str_eq(out.text, "");
}

Test(bind_text, a_lenient_schema_passes_over_what_it_does_not_know)
{
    schema.flags = SVC_SCHEMA_LENIENT;
    cr_expect(BIND("other", "1", "n", "2", "N", "3"));
    cr_expect_eq(out.n, 2, "names have a case");
}

Test(bind_text, without_memory_nothing_is_bound)
{
    const struct param params[] = {{svc__bytes_z("list"), svc__bytes_z("1"), true}};
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    hand_exhaust(&arena);
    svc__bind_text(&b, params, 1);
    cr_expect(b.violations.no_memory);
    cr_expect_eq(b.violations.count, 0);
    cr_expect_not(svc__binding_end(&b, &out));
}
