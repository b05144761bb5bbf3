/* Checks one value against the rules of its field. */
#include "libsvc/bind/bind_value.h"

#include <math.h>
#include <string.h>

#include "libsvc/base/num.h"
#include "libsvc/base/utf8.h"

const char svc__bind_value_no_memory[] = "out of memory";

static const char *check_length(const struct schema_field *field, struct bytes text)
{
    const svc_field *rule = &field->rule;
    if (!field->wrong_length)
        return NULL;
    size_t count = svc__utf8_count(text);
    bool good = count >= rule->min_length && (rule->max_length == 0 || count <= rule->max_length);
    return good ? NULL : field->wrong_length;
}

/* A pattern runs only on texts of good length, which bounds the cost of the search. */
static const char *check_pattern(const struct schema_field *field, struct bytes text)
{
    if (!field->pattern)
        return NULL;
    int result = regexec(field->pattern, text.data, 0, NULL, 0);
    if (result == REG_ESPACE)
        return svc__bind_value_no_memory;
    return result ? field->wrong_pattern : NULL;
}

const char *svc__bind_value_text(const struct schema_field *field, void *at, struct bytes text)
{
    const char *wrong = check_length(field, text);
    if (!wrong)
        wrong = check_pattern(field, text);
    if (!wrong)
        memcpy(at, &text.data, sizeof text.data);
    return wrong;
}

static const char *put_uint64(const struct schema_field *field, void *at, uint64_t n)
{
    if (n < (uint64_t)field->rule.min || n > field->greatest)
        return field->wrong;
    memcpy(at, &n, sizeof n);
    return NULL;
}

static const char *put_double(const struct schema_field *field, void *at, double n)
{
    if (!(n >= field->rule.min_double && n <= field->rule.max_double))
        return field->wrong;
    memcpy(at, &n, sizeof n);
    return NULL;
}

const char *svc__bind_value_whole(const struct schema_field *field, void *at, int64_t n)
{
    if (field->rule.type == SVC_TYPE_UINT64)
        return n < 0 ? field->wrong : put_uint64(field, at, (uint64_t)n);
    if (n < field->rule.min || n > field->rule.max)
        return field->wrong;
    memcpy(at, &n, sizeof n);
    return NULL;
}

const char *svc__bind_value_number(const struct schema_field *field, void *at, double n)
{
    const double exact = 9007199254740992; /* 2^53: up to there each whole number is a double */
    if (field->rule.type == SVC_TYPE_DOUBLE)
        return put_double(field, at, n);
    if (!(fabs(n) <= exact) || n != (double)(int64_t)n)
        return field->wrong;
    return svc__bind_value_whole(field, at, (int64_t)n);
}

const char *svc__bind_value_choice(const struct schema_field *field, void *at, struct bytes name)
{
    const svc_choice *choice = field->rule.choices;
    while (choice->name && !svc__bytes_eq_z(name, choice->name))
        choice++;
    if (!choice->name)
        return field->wrong;
    memcpy(at, &choice->value, sizeof choice->value);
    return NULL;
}

/* A checkbox without a value of its own is sent as "on", and one that is off not at all. */
static const char *parse_truth(const struct schema_field *field, void *at, struct bytes text)
{
    bool truth = svc__bytes_eq_z(text, "true") || svc__bytes_eq_z(text, "on");
    if (!truth && !svc__bytes_eq_z(text, "false"))
        return field->wrong;
    memcpy(at, &truth, sizeof truth);
    return NULL;
}

const char *svc__bind_value_parse(const struct schema_field *field, void *at, struct bytes text)
{
    int64_t whole;
    uint64_t count;
    double number;
    switch (field->rule.type) {
    case SVC_TYPE_TEXT:
        return svc__bind_value_text(field, at, text);
    case SVC_TYPE_INT64:
        return svc__num_i64(text, &whole) ? field->wrong : svc__bind_value_whole(field, at, whole);
    case SVC_TYPE_UINT64:
        return svc__num_u64(text, UINT64_MAX, &count) ? field->wrong : put_uint64(field, at, count);
    case SVC_TYPE_DOUBLE:
        return svc__num_double(text, &number) ? field->wrong : put_double(field, at, number);
    case SVC_TYPE_BOOL:
        return parse_truth(field, at, text);
    case SVC_TYPE_ENUM:
        return svc__bind_value_choice(field, at, text);
    case SVC_TYPE_OBJECT:
    case SVC_TYPE_JSON:
    case SVC_TYPE_END:
        break;
    }
    return field->wrong;
}
