/* The rules of one field: their check, and the texts for values that break them. */
#include "libsvc/bind/schema_field.h"

#include <ctype.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/base/double.h"
#include "libsvc/base/num.h"
#include "libsvc/base/utf8.h"
#include "libsvc/bind/bind_value.h"

enum { MAX_SENTENCE = 1024, MAX_CHOICES = 256 };

static const char *name_of(const svc_field *rule)
{
    return rule->name ? rule->name : rule->member ? rule->member : "";
}

void svc__schema_field_wrong(struct schema_build *build, const svc_field *rule, const char *what)
{
    svc__faults_add(&build->app->faults, rule->file, rule->line, "field \"%.*s\": %s", SCHEMA_NAME,
                    name_of(rule), what);
    if (!build->error)
        build->error = SVC_EINVAL;
}

/* ---- Whether the rules can be kept */

/* A possible mistake in a rule: whether it was made, and its text. */
struct mistake {
    bool made;
    const char *what;
};

static bool report(struct schema_build *build, const svc_field *rule, const struct mistake *list,
                   size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].made)
            continue;
        svc__schema_field_wrong(build, rule, list[i].what);
        good = false;
    }
    return good;
}

#define REPORT(build, rule, list) report((build), (rule), (list), sizeof(list) / sizeof *(list))

static size_t width_of(const svc_field *rule)
{
    switch (rule->type) {
    case SVC_TYPE_TEXT:
        return sizeof(const char *);
    case SVC_TYPE_INT64:
    case SVC_TYPE_UINT64:
        return sizeof(int64_t);
    case SVC_TYPE_DOUBLE:
        return sizeof(double);
    case SVC_TYPE_BOOL:
        return sizeof(bool);
    case SVC_TYPE_ENUM:
        return sizeof(int);
    case SVC_TYPE_OBJECT:
        return rule->object_size;
    case SVC_TYPE_JSON:
        return sizeof(struct json_t *);
    case SVC_TYPE_END:
        break;
    }
    return 0;
}

/* Whether `width` bytes at 1 + an offset lie in the struct; 0 is nowhere, and fits. */
static bool fits(size_t at, size_t width, size_t struct_size)
{
    return at == 0 || (width <= struct_size && at - 1 <= struct_size - width);
}

static bool place_good(struct schema_build *build, const struct schema_field *field,
                       size_t struct_size)
{
    const svc_field *rule = &field->rule;
    size_t width = rule->count_at ? sizeof(void *) : field->width;
    struct bytes name = field->name;
    const struct mistake mistakes[] = {
        {field->width == 0, "there is no such type"},
        {name.len == 0 || name.len > SCHEMA_NAME || !svc__utf8_valid(name),
         "a name is UTF-8 of 1 to 128 bytes"},
        {rule->offset >= struct_size || !fits(1 + rule->offset, width, struct_size) ||
             !fits(rule->count_at, sizeof(size_t), struct_size) ||
             !fits(rule->presence, sizeof(svc_presence), struct_size),
         "the member is not within the struct"},
        {rule->type == SVC_TYPE_OBJECT && !rule->fields, "an object needs a table of its own"},
        {rule->type == SVC_TYPE_JSON && rule->count_at, "JSON is no element of arrays"},
    };
    return REPORT(build, rule, mistakes);
}

/* A rule that has no meaning for its field is a mistake, since the program relies on it. */
static bool rules_apply(struct schema_build *build, const svc_field *rule)
{
    svc_field_type type = (svc_field_type)rule->type;
    bool array = rule->count_at != 0, text = type == SVC_TYPE_TEXT;
    bool whole = type == SVC_TYPE_INT64 || type == SVC_TYPE_UINT64;
    bool counted = whole || type == SVC_TYPE_BOOL || type == SVC_TYPE_ENUM;
    const struct mistake mistakes[] = {
        {!whole && (rule->min || rule->max), "min and max are for whole numbers"},
        {type != SVC_TYPE_DOUBLE && (rule->min_double != 0 || rule->max_double != 0),
         "min_double and max_double are for doubles"},
        {!text && (rule->min_length || rule->max_length || rule->pattern),
         "min_length, max_length and pattern are for texts"},
        {!array && (rule->min_count || rule->max_count), "min_count and max_count are for arrays"},
        {rule->fallback && (array || !counted),
         "fallback is for single whole numbers, bools and enums"},
        {rule->fallback_double != 0 && (array || type != SVC_TYPE_DOUBLE),
         "fallback_double is for single doubles"},
        {rule->fallback_text && (array || !text), "fallback_text is for single texts"},
        {rule->required && (rule->fallback || rule->fallback_double != 0 || rule->fallback_text),
         "a member that is required is never absent: it needs no fallback"},
    };
    return REPORT(build, rule, mistakes);
}

/* A backslash and the character after it are taken together, since a second backslash begins no
 * escape. */
static bool has_back_reference(const char *pattern)
{
    for (; pattern && *pattern; pattern++) {
        if (*pattern != '\\')
            continue;
        pattern++;
        if (*pattern == '\0')
            return false;
        if (isdigit((unsigned char)*pattern))
            return true;
    }
    return false;
}

static bool ranges_good(struct schema_build *build, const svc_field *rule)
{
    const struct mistake mistakes[] = {
        {rule->min > rule->max, "min is over max (a range has both)"},
        {rule->type == SVC_TYPE_UINT64 && rule->min < 0, "min is negative"},
        {!isfinite(rule->min_double) || !isfinite(rule->max_double) ||
             rule->min_double > rule->max_double,
         "min_double is over max_double (a range has both), or one of them is not finite"},
        {rule->max_length && rule->min_length > rule->max_length, "min_length is over max_length"},
        {rule->max_count > SCHEMA_MAX_COUNT, "max_count is over 100000"},
        {rule->min_count > (rule->max_count ? rule->max_count : SCHEMA_COUNT),
         "min_count is over max_count"},
        {rule->pattern && (rule->max_length == 0 || rule->max_length > SCHEMA_PATTERN_LENGTH),
         "a pattern needs a max_length of at most 4096"},
        {has_back_reference(rule->pattern), "a pattern has no back-references"},
    };
    return REPORT(build, rule, mistakes);
}

static bool choices_good(struct schema_build *build, const svc_field *rule)
{
    size_t count = 0;
    bool twice = false;
    for (const svc_choice *at = rule->choices; at && at->name && count <= MAX_CHOICES; at++) {
        for (const svc_choice *before = rule->choices; before < at; before++)
            twice = twice || !strcmp(before->name, at->name);
        count++;
    }
    const struct mistake mistakes[] = {
        {rule->type == SVC_TYPE_ENUM && (count < 1 || count > MAX_CHOICES),
         "an enum has 1 to 256 choices"},
        {twice, "a choice is there twice"},
    };
    return REPORT(build, rule, mistakes);
}

/* ---- The texts for values that break a rule */

static const char *keep(struct schema_build *build, const char *sentence, size_t len)
{
    const char *copy = svc__arena_strndup(&build->app->memory, sentence, len);
    if (!copy)
        build->error = SVC_ENOMEM;
    return copy;
}

static const char *say(struct schema_build *build, const char *format, ...) SVC_PRINTF(2, 3);

static const char *say(struct schema_build *build, const char *format, ...)
{
    char sentence[MAX_SENTENCE];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    size_t most = sizeof sentence - 1;
    return keep(build, sentence, (size_t)len < most ? (size_t)len : most);
}

/* "1 to 5 characters", in the singular behind a last number of 1. No maximum is 0. */
static const char *say_count(struct schema_build *build, size_t min, size_t max, const char *one,
                             const char *several)
{
    const char *noun = (max ? max : min) == 1 ? one : several;
    if (max == 0)
        return say(build, "must have at least %zu %s", min, noun);
    if (min == max)
        return say(build, "must have exactly %zu %s", max, noun);
    if (min == 0)
        return say(build, "must have at most %zu %s", max, noun);
    return say(build, "must have %zu to %zu %s", min, max, noun);
}

static const char *say_doubles(struct schema_build *build, double min, double max)
{
    char low[DOUBLE_LEN], high[DOUBLE_LEN];
    int low_len = (int)svc__double_format(low, min);
    int high_len = (int)svc__double_format(high, max);
    return say(build, "must be a number from %.*s to %.*s", low_len, low, high_len, high);
}

static const char *say_choices(struct schema_build *build, const svc_choice *choice)
{
    struct buf list;
    svc__buf_init(&list, MAX_SENTENCE);
    svc__buf_puts(&list, choice[1].name ? "must be one of " : "must be ");
    for (const svc_choice *at = choice; at->name; at++) {
        svc__buf_puts(&list, at == choice ? "" : ", ");
        svc__buf_puts(&list, at->name);
    }
    const char *sentence = svc__buf_error(&list) ? say(build, "must be one of the known values")
                                                 : keep(build, list.data, list.len);
    svc__buf_free(&list);
    return sentence;
}

/* ---- Making a field ready */

static void read_whole(struct schema_build *build, struct schema_field *field)
{
    svc_field *rule = &field->rule;
    bool any = rule->min == 0 && rule->max == 0;
    bool negative = rule->type == SVC_TYPE_INT64;
    if (any) {
        rule->min = negative ? INT64_MIN : 0;
        rule->max = INT64_MAX;
    }
    field->greatest = any && !negative ? UINT64_MAX : (uint64_t)rule->max;
    field->wrong = say(build, "must be a whole number from %" PRId64 " to %" PRIu64, rule->min,
                       field->greatest);
}

static void read_double(struct schema_build *build, struct schema_field *field)
{
    svc_field *rule = &field->rule;
    bool any = rule->min_double == 0 && rule->max_double == 0;
    field->wrong =
        any ? "must be a number" : say_doubles(build, rule->min_double, rule->max_double);
    if (any) {
        rule->min_double = -DBL_MAX;
        rule->max_double = DBL_MAX;
    }
}

static void free_pattern(void *pattern)
{
    regfree(pattern);
}

static void compile_pattern(struct schema_build *build, struct schema_field *field)
{
    const svc_field *rule = &field->rule;
    char why[256], what[sizeof why + 32];
    regex_t *pattern = svc__arena_alloc(&build->app->memory, sizeof *pattern);
    int error = pattern ? regcomp(pattern, rule->pattern, REG_EXTENDED | REG_NOSUB) : REG_ESPACE;
    if (error == REG_ESPACE) {
        build->error = SVC_ENOMEM;
        return;
    }
    if (error) {
        regerror(error, pattern, why, sizeof why);
        snprintf(what, sizeof what, "bad pattern: %s", why);
        svc__schema_field_wrong(build, rule, what);
        return;
    }
    if (svc__arena_defer(&build->app->memory, free_pattern, pattern)) {
        regfree(pattern);
        build->error = SVC_ENOMEM;
        return;
    }
    field->pattern = pattern;
    field->wrong_pattern = say(build, "must match %s", rule->pattern);
}

static void read_text(struct schema_build *build, struct schema_field *field)
{
    const svc_field *rule = &field->rule;
    field->wrong = "must be a text";
    if (rule->min_length || rule->max_length)
        field->wrong_length =
            say_count(build, rule->min_length, rule->max_length, "character", "characters");
    if (rule->pattern)
        compile_pattern(build, field);
}

static void read_type(struct schema_build *build, struct schema_field *field)
{
    switch (field->rule.type) {
    case SVC_TYPE_TEXT:
        read_text(build, field);
        break;
    case SVC_TYPE_INT64:
    case SVC_TYPE_UINT64:
        read_whole(build, field);
        break;
    case SVC_TYPE_DOUBLE:
        read_double(build, field);
        break;
    case SVC_TYPE_BOOL:
        field->wrong = "must be true or false";
        break;
    case SVC_TYPE_ENUM:
        field->wrong = say_choices(build, field->rule.choices);
        break;
    case SVC_TYPE_OBJECT:
        field->wrong = "must be an object";
        break;
    case SVC_TYPE_JSON:
    case SVC_TYPE_END:
        break;
    }
}

bool svc__schema_field_read(struct schema_build *build, struct schema_field *field,
                            size_t struct_size)
{
    svc_field *rule = &field->rule;
    int before = build->error;
    field->name = svc__bytes_z(name_of(rule));
    field->width = width_of(rule);
    bool good = place_good(build, field, struct_size);
    good = rules_apply(build, rule) && good;
    good = ranges_good(build, rule) && good;
    good = choices_good(build, rule) && good;
    if (!good)
        return false;
    build->error = 0; /* the following steps may fail on their own */
    read_type(build, field);
    if (rule->count_at) {
        rule->max_count = rule->max_count ? rule->max_count : SCHEMA_COUNT;
        field->wrong_count =
            say_count(build, rule->min_count, rule->max_count, "element", "elements");
    }
    good = !build->error;
    build->error = build->error == SVC_ENOMEM || !before ? build->error : before;
    return good;
}

static bool chosen(const svc_choice *choices, int64_t value)
{
    while (choices->name && choices->value != value)
        choices++;
    return choices->name != NULL;
}

static const char *put_counted(const struct schema_field *field, void *at)
{
    int64_t value = field->rule.fallback;
    bool truth = true;
    int number = (int)value;
    switch (field->rule.type) {
    case SVC_TYPE_BOOL:
        memcpy(at, &truth, sizeof truth);
        return value == 1 ? NULL : field->wrong;
    case SVC_TYPE_ENUM:
        memcpy(at, &number, sizeof number);
        return chosen(field->rule.choices, value) ? NULL : field->wrong;
    default:
        return svc__bind_value_whole(field, at, value);
    }
}

void svc__schema_field_fall_back(struct schema_build *build, const struct schema_field *field,
                                 void *at)
{
    const svc_field *rule = &field->rule;
    const char *wrong = NULL;
    char what[MAX_SENTENCE + 32];
    if (rule->fallback)
        wrong = put_counted(field, at);
    else if (rule->fallback_double != 0)
        wrong = svc__bind_value_number(field, at, rule->fallback_double);
    else if (rule->fallback_text)
        wrong = svc__bind_value_text(field, at, svc__bytes_z(rule->fallback_text));
    if (!wrong)
        return;
    snprintf(what, sizeof what, "the fallback %s", wrong);
    svc__schema_field_wrong(build, rule, what);
}
