/* What a document can hold that no text of JSON brings in, and what it must not write. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/bind/bind_json.h"

struct item {
    const char *text;
    int64_t n;
};

struct list {
    const char *text;
    int64_t n;
    struct item *items;
    size_t item_count;
};

static const svc_field item_fields[] = {
    SVC_FIELD_TEXT(struct item, text, .max_length = 2),
    SVC_FIELD_INT64(struct item, n, .fallback = 7),
    SVC_FIELD_END,
};

static const svc_field list_fields[] = {
    SVC_FIELD_TEXT(struct list, text),
    SVC_FIELD_INT64(struct list, n, .min = 1, .max = 3),
    SVC_FIELD_OBJECTS(struct list, items, item_count, item_fields),
    SVC_FIELD_END,
};

/* A binding of `json`, whose reference is taken, to `out`; how many violations there are. */
static size_t bind(struct arena *arena, json_t *json, struct list *out, const char **detail)
{
    svc_app *app = svc_app_new("bind");
    const svc_schema *schema = svc_schema_new(app, list_fields, sizeof(struct list), 0);
    struct binding b;
    cr_assert(json && schema);
    cr_assert_eq(svc__binding_begin(&b, schema, arena), 0);
    svc__bind_json(&b, json);
    bool whole = svc__binding_end(&b, out);
    cr_assert_eq(whole, b.violations.count == 0 && !b.violations.no_memory);
    *detail = b.violations.count       ? svc__arena_strndup(arena, b.violations.list[0].detail,
                                                            strlen(b.violations.list[0].detail))
              : b.violations.no_memory ? "no memory"
                                       : "";
    svc_app_free(app);
    return b.violations.count;
}

Test(core_bind_json, a_text_with_nul_is_no_text_of_c)
{
    struct arena arena;
    struct list list = {.n = 77};
    const char *detail;
    svc__arena_init(&arena, NULL, SIZE_MAX);
    json_t *json = json_pack("{s:s#}", "text", "a\0b", 3);
    cr_expect_eq(bind(&arena, json, &list, &detail), 1);
    cr_expect_str_eq(detail, "must not hold NUL");
    cr_expect(list.n == 77 && !list.text, "nothing is written");
    json_decref(json);
    svc__arena_reset(&arena);
}

Test(core_bind_json, elements_begin_with_their_defaults)
{
    struct arena arena;
    struct list list;
    const char *detail;
    svc__arena_init(&arena, NULL, SIZE_MAX);
    json_t *json = json_pack("{s:[{},{s:i}]}", "items", "n", 3);
    cr_expect_eq(bind(&arena, json, &list, &detail), 0);
    cr_expect_eq(list.item_count, 2);
    cr_expect(list.items[0].n == 7 && !list.items[0].text && list.items[1].n == 3);
    json_decref(json);
    svc__arena_reset(&arena);
}

/* What the arena has no room for is no fault of the document's. */
Test(core_bind_json, memory_that_runs_out_is_no_violation)
{
    struct arena arena;
    struct list list = {.n = 77};
    const char *detail;
    svc__arena_init(&arena, NULL, sizeof(struct list) + 64);
    json_t *json = json_pack("{s:[{},{},{},{},{},{},{},{}],s:i}", "items", "n", 9);
    cr_expect_eq(bind(&arena, json, &list, &detail), 0);
    cr_expect_str_eq(detail, "no memory");
    cr_expect_eq(list.n, 77);
    json_decref(json);
    svc__arena_reset(&arena);
}
