/* One binding under way: nothing reaches the handler's struct before all is well. */
#include "libsvc/bind/binding.h"

#include "tests/support/hand.h"
#include "tests/unit/bind/support.h"

struct form {
    int64_t n, count;
    int64_t *list;
    size_t list_count;
    svc_presence presence;
};

static svc_schema schema = {.root = &hand_table};
static struct arena arena;
static struct binding b;
static struct form blank = {.n = 5}, out = {.n = 77};

static void open_binding(void)
{
    svc__arena_init(&arena, NULL, 1 << 20);
    hand_table.size = sizeof(struct form);
    hand_table.blank = (char *)&blank;
}

static void close_binding(void)
{
    svc__arena_reset(&arena);
}

TestSuite(bind_binding, .init = open_binding, .fini = close_binding);

Test(bind_binding, begins_as_a_document_without_members)
{
    schema.flags = SVC_SCHEMA_LENIENT;
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    cr_expect(b.lenient);
    ((struct form *)(void *)b.image)->count = 9;
    cr_expect_eq(blank.count, 0, "the image is its own");
    cr_expect_eq(out.n, 77);
    cr_expect(svc__binding_end(&b, &out));
    cr_expect_eq(out.n, 5);
    cr_expect_eq(out.count, 9);
}

Test(bind_binding, nothing_is_written_where_anything_was_wrong)
{
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    cr_expect_not(b.lenient);
    b.violations.no_memory = true;
    cr_expect_not(svc__binding_end(&b, &out));
    b.violations.no_memory = false;
    b.violations.more = 1; /* also of what could not be listed */
    cr_expect_not(svc__binding_end(&b, &out));
    b.violations.more = 0;
    svc__violations_add_parameter(&b.violations, svc__bytes_z("a"), "is wrong");
    cr_expect_not(svc__binding_end(&b, &out));
    cr_expect_eq(out.n, 77);
}

Test(bind_binding, without_memory_does_not_begin)
{
    hand_exhaust(&arena);
    cr_expect_eq(svc__binding_begin(&b, &schema, &arena), SVC_ENOMEM);
}

static struct schema_field *add_array(size_t width)
{
    struct schema_field *field =
        hand_field("list", SVC_TYPE_INT64, offsetof(struct form, list), width);
    field->rule.count_at = offsetof(struct form, list_count) + 1;
    return field;
}

Test(bind_binding, an_array_is_set_with_its_count)
{
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    char *elements = svc__binding_array(&b, add_array(8), b.image, 3);
    cr_assert(elements);
    memset(elements, 0, 24);
    cr_assert(svc__binding_end(&b, &out));
    cr_expect_eq((char *)out.list, elements);
    cr_expect_eq(out.list_count, 3);
    cr_expect(svc__binding_array(&b, &hand_fields[0], b.image, 0), "one without elements is there");
}

Test(bind_binding, each_object_of_an_array_begins_as_one_without_members)
{
    int64_t none[2] = {3, 4};
    struct schema_table inner = {.size = sizeof none, .blank = (char *)none};
    struct schema_field *field = add_array(sizeof none);
    field->table = &inner;
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    const int64_t *elements = (void *)svc__binding_array(&b, field, b.image, 3);
    cr_assert(elements);
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(elements[i], none[i % 2]);
}

Test(bind_binding, an_array_that_no_memory_has_is_none)
{
    static const size_t counts[] = {SIZE_MAX, SIZE_MAX / 8 + 2, SIZE_MAX / 8, 1 << 20};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
        cr_expect_eq(svc__binding_array(&b, add_array(8), b.image, counts[i]), NULL, "%zu", i);
        cr_expect(b.violations.no_memory);
        cr_expect_eq(((struct form *)(void *)b.image)->list_count, 0);
    }
}

Test(bind_binding, counts_hold_their_bounds)
{
    struct schema_field *field = add_array(8);
    field->rule.min_count = 2;
    field->rule.max_count = 3;
    cr_expect(svc__binding_count_wrong(field, 1));
    cr_expect_not(svc__binding_count_wrong(field, 2));
    cr_expect_not(svc__binding_count_wrong(field, 3));
    cr_expect(svc__binding_count_wrong(field, 4));
}

Test(bind_binding, presence_is_said_to_fields_that_ask)
{
    struct schema_field *field = hand_field("n", SVC_TYPE_INT64, 0, 8);
    cr_assert_eq(svc__binding_begin(&b, &schema, &arena), 0);
    svc__binding_presence(field, b.image, SVC_NULL);
    cr_expect_eq(memcmp(b.image, &blank, sizeof blank), 0);
    field->rule.presence = offsetof(struct form, presence) + 1;
    svc__binding_presence(field, b.image, SVC_NULL);
    cr_expect_eq(((struct form *)(void *)b.image)->presence, SVC_NULL);
}

/* Those of 256, in any word. */
Test(bind_binding, what_is_missing_is_found_one_by_one)
{
    static const size_t required[] = {0, 1, 63, 64, 127, 200, 255};
    enum { COUNT = sizeof required / sizeof *required };
    struct seen seen = {{0}};
    for (size_t i = 0; i < SCHEMA_FIELDS; i++)
        hand_field("n", SVC_TYPE_INT64, 0, 8);
    for (size_t i = 0; i < COUNT; i++)
        hand_require(&hand_fields[required[i]]);
    for (size_t gone = 0; gone <= COUNT; gone++) {
        size_t index = 0;
        for (size_t i = gone; i < COUNT; i++)
            cr_expect_eq(svc__binding_missing(&hand_table, &seen, &index),
                         &hand_fields[required[i]], "%zu of %zu", i, gone);
        cr_expect_eq(svc__binding_missing(&hand_table, &seen, &index), NULL);
        cr_expect_eq(svc__binding_missing(&hand_table, &seen, &index), NULL, "and none behind");
        if (gone < COUNT)
            svc__binding_see(&seen, required[gone]);
    }
    cr_expect(svc__binding_seen(&seen, 255));
    cr_expect_not(svc__binding_seen(&seen, 254));
}
