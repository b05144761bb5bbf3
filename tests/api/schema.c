/* Tables of fields: every mistake is told at start, by file and line, and keeps the app from it. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct inner {
    int64_t n;
};

enum state { OPEN = 1 };

struct outer {
    const char *text, *other;
    int64_t whole;
    uint64_t natural;
    double real;
    bool flag;
    enum state state;
    struct inner inner;
    json_t *json;
    const char **texts;
    size_t text_count;
    struct outer *children;
    size_t child_count;
    svc_presence presence;
};

static const svc_choice states[] = {{"open", OPEN}, {NULL, 0}}, none[] = {{NULL, 0}},
                        twice[] = {{"open", 1}, {"open", 2}, {NULL, 0}};

static const svc_field inner_fields[] = {SVC_FIELD_INT64(struct inner, n), SVC_FIELD_END};
static const svc_field bad_inner_fields[] = {SVC_FIELD_INT64(struct inner, n, .min = 1),
                                             SVC_FIELD_END};

/* Found within itself by value, as no struct can be: its only member is said to be as large as all.
 */
static const svc_field endless_fields[] = {SVC_FIELD_OBJECT(struct inner, n, endless_fields),
                                           SVC_FIELD_END};

#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123"

/* A table of one field, or two, and what is told of it. */
static const struct row {
    svc_field fields[3];
    const char *what;
    size_t size; /* of the struct; 0: as it is */
    unsigned flags;
} rows[] = {
    {{SVC_FIELD_TEXT(struct outer, text, .min_length = 3, .max_length = 2), SVC_FIELD_END},
     "field \"text\": min_length is over max_length",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .pattern = "a"), SVC_FIELD_END},
     "needs a max_length",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .pattern = "a", .max_length = 4097), SVC_FIELD_END},
     "needs a max_length",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .pattern = "(a", .max_length = 9), SVC_FIELD_END},
     "field \"text\": bad pattern: ",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .pattern = "(a)\\1", .max_length = 9), SVC_FIELD_END},
     "no back-references",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .pattern = "\\\\\\1", .max_length = 9), SVC_FIELD_END},
     "no back-references",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .fallback_text = "abc", .max_length = 2), SVC_FIELD_END},
     "the fallback must have at most 2 characters",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .fallback_text = "B", .max_length = 2, .pattern = "[a]"),
      SVC_FIELD_END},
     "the fallback must match [a]",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .required = true, .fallback_text = "a"), SVC_FIELD_END},
     "needs no fallback",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .min = 1, .max = 2), SVC_FIELD_END},
     "for whole numbers",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .max_double = 2), SVC_FIELD_END}, "for doubles", 0, 0},
    {{SVC_FIELD_TEXT(struct outer, text, .fallback = 2), SVC_FIELD_END}, "fallback is for", 0, 0},
    {{SVC_FIELD_TEXT(struct outer, text, .fallback_double = 2), SVC_FIELD_END},
     "fallback_double is for",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .max_count = 2), SVC_FIELD_END}, "for arrays", 0, 0},
    {{SVC_FIELD_TEXT(struct outer, text, .name = ""), SVC_FIELD_END}, "UTF-8 of 1 to 128", 0, 0},
    {{SVC_FIELD_TEXT(struct outer, text, .name = "\xff"), SVC_FIELD_END},
     "UTF-8 of 1 to 128",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text, .name = LONG_NAME LONG_NAME "x"), SVC_FIELD_END},
     "UTF-8 of 1 to 128",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text), SVC_FIELD_TEXT(struct outer, other, .name = "text"),
      SVC_FIELD_END},
     "the name is there twice",
     0,
     0},
    {{SVC_FIELD_INT64(struct outer, whole, .min = 1), SVC_FIELD_END}, "min is over max", 0, 0},
    {{SVC_FIELD_INT64(struct outer, whole, .min = 1, .max = 5, .fallback = 6), SVC_FIELD_END},
     "the fallback must be a whole number from 1 to 5",
     0,
     0},
    {{SVC_FIELD_INT64(struct outer, whole, .max_length = 5), SVC_FIELD_END}, "for texts", 0, 0},
    {{SVC_FIELD_UINT64(struct outer, natural, .min = -1, .max = 5), SVC_FIELD_END},
     "min is negative",
     0,
     0},
    {{SVC_FIELD_UINT64(struct outer, natural, .fallback = -1), SVC_FIELD_END},
     "the fallback must be a whole number from 0 to",
     0,
     0},
    {{SVC_FIELD_DOUBLE(struct outer, real, .min_double = 1), SVC_FIELD_END},
     "min_double is over max_double",
     0,
     0},
    {{SVC_FIELD_DOUBLE(struct outer, real, .max_double = INFINITY), SVC_FIELD_END},
     "not finite",
     0,
     0},
    {{SVC_FIELD_DOUBLE(struct outer, real, .min_double = NAN), SVC_FIELD_END}, "not finite", 0, 0},
    {{SVC_FIELD_DOUBLE(struct outer, real, .max_double = 1, .fallback_double = 1.5), SVC_FIELD_END},
     "the fallback must be a number from 0 to 1",
     0,
     0},
    {{SVC_FIELD_BOOL(struct outer, flag, .fallback = 2), SVC_FIELD_END},
     "the fallback must be true or false",
     0,
     0},
    {{SVC_FIELD_ENUM(struct outer, state, states, .fallback = 2), SVC_FIELD_END},
     "the fallback must be open",
     0,
     0},
    {{SVC_FIELD_ENUM(struct outer, state, none), SVC_FIELD_END}, "1 to 256 choices", 0, 0},
    {{SVC_FIELD_ENUM(struct outer, state, NULL), SVC_FIELD_END}, "1 to 256 choices", 0, 0},
    {{SVC_FIELD_ENUM(struct outer, state, twice), SVC_FIELD_END}, "a choice is there twice", 0, 0},
    {{SVC_FIELD_TEXTS(struct outer, texts, text_count, .min_count = 3, .max_count = 2),
      SVC_FIELD_END},
     "min_count is over max_count",
     0,
     0},
    {{SVC_FIELD_TEXTS(struct outer, texts, text_count, .min_count = 1001), SVC_FIELD_END},
     "min_count is over max_count",
     0,
     0},
    {{SVC_FIELD_TEXTS(struct outer, texts, text_count, .max_count = 100001), SVC_FIELD_END},
     "max_count is over 100000",
     0,
     0},
    {{SVC_FIELD_TEXTS(struct outer, texts, text_count, .fallback_text = "a"), SVC_FIELD_END},
     "for single texts",
     0,
     0},
    {{SVC_FIELD_OBJECT(struct outer, inner, NULL), SVC_FIELD_END}, "needs a table", 0, 0},
    {{SVC_FIELD_OBJECT(struct outer, inner, bad_inner_fields), SVC_FIELD_END},
     "field \"n\": min is over max",
     0,
     0},
    {{SVC_FIELD_OBJECTS(struct outer, children, child_count, bad_inner_fields), SVC_FIELD_END},
     "field \"n\": min is over max",
     0,
     0},
    {{SVC_FIELD_OBJECT(struct outer, inner, endless_fields), SVC_FIELD_END}, "within itself", 0, 0},
    {{SVC_FIELD_OBJECT(struct outer, inner, inner_fields), SVC_FIELD_END},
     "a form has no objects",
     0,
     SVC_SCHEMA_FORM},
    {{SVC_FIELD_JSON(struct outer, json), SVC_FIELD_END},
     "a form has no objects",
     0,
     SVC_SCHEMA_FORM},
    {{SVC_FIELD_TEXT(struct outer, other), SVC_FIELD_END},
     "not within the struct",
     offsetof(struct outer, other) + 1,
     0},
    {{SVC_FIELD_TEXTS(struct outer, texts, text_count), SVC_FIELD_END},
     "not within the struct",
     offsetof(struct outer, text_count),
     0},
    {{SVC_FIELD_TEXT(struct outer, text, SVC_FIELD_PRESENCE(struct outer, presence)),
      SVC_FIELD_END},
     "not within the struct",
     offsetof(struct outer, presence),
     0},
    {{{.type = SVC_TYPE_TEXT, .member = "text"}, SVC_FIELD_END}, "the SVC_FIELD macros", 0, 0},
    {{{SVC__FIELD_LAST, .type = (svc_field_type)77, .member = "text"}, SVC_FIELD_END},
     "no such type",
     0,
     0},
    {{SVC_FIELD_TEXT(struct outer, text), SVC_FIELD_END}, "invalid argument", 0, 1u << 7},
};

static void expect_mistake(const svc_field *fields, size_t size, unsigned flags, const char *what)
{
    svc_app *app = svc_app_new("schema");
    cr_expect_null(svc_schema_new(app, fields, size, flags), "%s", what);
    cr_expect(strstr(svc_app_errors(app), what), "%s: %s", what, svc_app_errors(app));
    cr_expect_null(svc_app_test_get(app, "/"), "an app with mistakes answers nothing");
    svc_app_free(app);
}

Test(schema, each_mistake_is_told)
{
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_mistake(rows[i].fields, rows[i].size ? rows[i].size : sizeof(struct outer),
                       rows[i].flags, rows[i].what);
    expect_mistake(NULL, 8, 0, "svc_schema_new: invalid argument");
    expect_mistake(inner_fields, 0, 0, "svc_schema_new: invalid argument");
}

static const svc_field several[] = {
    SVC_FIELD_TEXT(struct outer, text, .min_length = 3, .max_length = 2, .min = 4),
    SVC_FIELD_BOOL(struct outer, flag, .fallback = 2),
    SVC_FIELD_INT64(struct outer, whole, .name = "text"),
    SVC_FIELD_END,
};

Test(schema, all_mistakes_are_told_at_once_with_file_and_line)
{
    svc_app *app = svc_app_new("schema");
    cr_expect_null(svc_schema_new(app, several, sizeof(struct outer), 0));
    const char *errors = svc_app_errors(app);
    char line[64];
    snprintf(line, sizeof line, "%s:%d: field \"text\": min_length", __FILE__, several[0].line);
    cr_expect(strstr(errors, line), "%s", errors);
    cr_expect(strstr(errors, "min is over max"), "%s", errors);
    cr_expect(strstr(errors, "field \"flag\": the fallback"), "%s", errors);
    cr_expect(strstr(errors, "twice"), "%s", errors);
    svc_app_free(app);
}

Test(schema, a_table_has_an_end_and_at_most_256_fields)
{
    struct wide {
        int64_t n[257];
    };
    static char names[257][8];
    static svc_field fields[258];
    for (size_t i = 0; i < 257; i++) {
        sprintf(names[i], "n%zu", i);
        fields[i] = (svc_field){SVC__FIELD_LAST, .type = SVC_TYPE_INT64, .member = names[i],
                                .offset = i * sizeof(int64_t)};
    }
    fields[257] = (svc_field)SVC_FIELD_END;
    expect_mistake(fields, sizeof(struct wide), 0, "at most 256 fields");
    fields[256] = (svc_field)SVC_FIELD_END;
    svc_app *app = svc_app_new("schema");
    cr_expect(svc_schema_new(app, fields, sizeof(struct wide), 0), "%s", svc_app_errors(app));
    svc_app_free(app);
}

/* A struct that knows itself by a pointer and holds another by value, which is known from both. */
static const svc_field tree_fields[] = {
    SVC_FIELD_OBJECT(struct outer, inner, inner_fields),
    SVC_FIELD_OBJECTS(struct outer, children, child_count, tree_fields),
    SVC_FIELD_END,
};

Test(schema, trees_are_no_mistake_but_a_schema_of_a_started_app_is)
{
    svc_app *app = svc_app_new("schema");
    cr_expect(svc_schema_new(app, tree_fields, sizeof(struct outer), 0), "%s", svc_app_errors(app));
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_null(svc_schema_new(app, tree_fields, sizeof(struct outer), 0));
    cr_expect(strstr(svc_app_errors(app), "not possible in this state"));
    svc_app_free(app);
}
