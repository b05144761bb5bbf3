/* The kinds of settings: each function has one case for each kind. */
#include "libsvc/settings/setting.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "libsvc/base/num.h"

static void *member(const svc_setting *setting, void *values)
{
    return (char *)values + setting->offset;
}

static const void *value_at(const svc_setting *setting, const void *values)
{
    return (const char *)values + setting->offset;
}

/* ---- Lists of words */

static size_t count_words(const char *choices)
{
    struct bytes rest = svc__bytes_z(choices);
    size_t count = 0;
    for (; rest.data; count++)
        svc__bytes_cut(&rest, ' ');
    return count;
}

static struct bytes word_at(const char *choices, size_t place)
{
    struct bytes rest = svc__bytes_z(choices), word = {0};
    for (size_t i = 0; i <= place; i++)
        word = svc__bytes_cut(&rest, ' ');
    return word;
}

/* Whether no word of a list is empty or occurs twice. */
static bool words_valid(const char *choices)
{
    struct bytes rest = svc__bytes_z(choices);
    for (size_t i = 0; rest.data; i++) {
        struct bytes word = svc__bytes_cut(&rest, ' ');
        if (word.len == 0 || svc__bytes_find_word(choices, word) != i)
            return false;
    }
    return choices != NULL;
}

/* "error, warn, info or debug" */
static void put_words(const char *choices, struct buf *out)
{
    struct bytes rest = svc__bytes_z(choices);
    size_t count = count_words(choices);
    for (size_t i = 0; i < count; i++) {
        svc__buf_puts(out, i == 0 ? "" : i + 1 == count ? " or " : ", ");
        svc__buf_bytes(out, svc__bytes_cut(&rest, ' '));
    }
}

/* ---- Rows of a table */

/* The number of values of a setting that is an int. */
static uint64_t value_count(const svc_setting *setting)
{
    return setting->kind == SVC_SETTING_KIND_FLAG ? 2 : count_words(setting->choices);
}

static bool number_possible(const svc_setting *setting, uint64_t number)
{
    if (setting->kind == SVC_SETTING_KIND_NUMBER)
        return number >= setting->min && number <= setting->max;
    return setting->kind == SVC_SETTING_KIND_STRING || number < value_count(setting);
}

static bool name_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    size_t len = strlen(name);
    return name[0] >= 'a' && name[0] <= 'z' && len <= SETTING_NAME_MAX &&
           strspn(name, allowed) == len;
}

const char *svc__setting_fault(const svc_setting *setting)
{
    if ((unsigned)setting->kind > SVC_SETTING_KIND_CHOICE)
        return "an unknown kind";
    if (!name_valid(setting->name))
        return "a name begins with a lower-case letter, has those, digits and '_', and 60 at most";
    if (!setting->text)
        return "a setting needs a text";
    if (setting->kind == SVC_SETTING_KIND_NUMBER && (setting->min > setting->max || !setting->unit))
        return "a number needs a range and a unit";
    if (setting->kind == SVC_SETTING_KIND_CHOICE && !words_valid(setting->choices))
        return "a choice needs different words with a space between each two";
    if (setting->required)
        return setting->string ? "a required setting has no default" : NULL;
    return number_possible(setting, setting->number) ? NULL : "the default is out of the range";
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

void svc__setting_variable(char out[static SETTING_VARIABLE_SIZE], const svc_setting *setting,
                           const char *prefix)
{
    size_t len = strlen(prefix);
    memcpy(out, prefix, len);
    out[len++] = '_';
    for (const char *at = setting->name; *at; at++)
        out[len++] = upper(*at);
    out[len] = '\0';
}

bool svc__setting_named(const svc_setting *setting, const char *prefix, struct bytes variable)
{
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, setting, prefix);
    return svc__bytes_eq_z(variable, name);
}

/* ---- Values */

void svc__setting_reset(const svc_setting *setting, void *values)
{
    if (setting->kind == SVC_SETTING_KIND_STRING)
        *(const char **)member(setting, values) = setting->string;
    else if (setting->kind == SVC_SETTING_KIND_NUMBER)
        *(uint64_t *)member(setting, values) = setting->number;
    else
        *(int *)member(setting, values) = (int)setting->number;
}

void svc__setting_copy(const svc_setting *setting, const void *from, void *to)
{
    if (setting->kind == SVC_SETTING_KIND_STRING)
        *(const char **)member(setting, to) = *(const char *const *)value_at(setting, from);
    else if (setting->kind == SVC_SETTING_KIND_NUMBER)
        *(uint64_t *)member(setting, to) = *(const uint64_t *)value_at(setting, from);
    else
        *(int *)member(setting, to) = *(const int *)value_at(setting, from);
}

const char *svc__setting_string(const svc_setting *setting, const void *values)
{
    const char *text = *(const char *const *)value_at(setting, values);
    return text ? text : "";
}

/* The value of any setting that is no text; a negative one becomes larger than every range. */
static uint64_t number_of(const svc_setting *setting, const void *values)
{
    if (setting->kind == SVC_SETTING_KIND_NUMBER)
        return *(const uint64_t *)value_at(setting, values);
    int value = *(const int *)value_at(setting, values);
    return value < 0 ? UINT64_MAX : (uint64_t)value;
}

bool svc__setting_is_default(const svc_setting *setting, const void *values)
{
    if (setting->kind != SVC_SETTING_KIND_STRING)
        return number_of(setting, values) == setting->number;
    return !strcmp(svc__setting_string(setting, values), setting->string ? setting->string : "");
}

bool svc__setting_in_range(const svc_setting *setting, const void *values)
{
    return setting->kind == SVC_SETTING_KIND_STRING ||
           number_possible(setting, number_of(setting, values));
}

static int parse_string(struct bytes text, const char **out, struct arena *memory)
{
    const char *copy = svc__arena_strndup(memory, text.data, text.len);
    if (copy)
        *out = copy;
    return copy ? 0 : SVC_ENOMEM;
}

static int parse_number(const svc_setting *setting, struct bytes text, uint64_t *out)
{
    uint64_t number;
    int error = svc__num_u64(text, setting->max, &number);
    if (!error && number < setting->min)
        error = SVC_ETOOBIG;
    if (!error)
        *out = number;
    return error;
}

static int parse_flag(struct bytes text, int *out)
{
    size_t off = svc__bytes_find_word("0 false off no", text),
           on = svc__bytes_find_word("1 true on yes", text);
    if (off == SIZE_MAX && on == SIZE_MAX)
        return SVC_ESYNTAX;
    *out = on != SIZE_MAX;
    return 0;
}

static int parse_choice(const svc_setting *setting, struct bytes text, int *out)
{
    size_t place = svc__bytes_find_word(setting->choices, text);
    if (place > INT_MAX)
        return SVC_ESYNTAX;
    *out = (int)place;
    return 0;
}

int svc__setting_parse(const svc_setting *setting, struct bytes text, void *values,
                       struct arena *memory)
{
    void *out = member(setting, values);
    switch (setting->kind) {
    case SVC_SETTING_KIND_STRING:
        return parse_string(text, out, memory);
    case SVC_SETTING_KIND_NUMBER:
        return parse_number(setting, text, out);
    case SVC_SETTING_KIND_FLAG:
        return parse_flag(text, out);
    case SVC_SETTING_KIND_CHOICE:
        return parse_choice(setting, text, out);
    }
    return SVC_EINVAL;
}

/* ---- Texts */

/* The word of a value that is in the range. */
static void put_word(const svc_setting *setting, size_t value, struct buf *out)
{
    if (setting->kind == SVC_SETTING_KIND_FLAG)
        svc__buf_puts(out, value ? "on" : "off");
    else
        svc__buf_bytes(out, word_at(setting->choices, value));
}

void svc__setting_value(const svc_setting *setting, const void *values, struct buf *out)
{
    if (setting->kind == SVC_SETTING_KIND_STRING)
        svc__buf_puts(out, svc__setting_string(setting, values));
    else if (setting->kind == SVC_SETTING_KIND_NUMBER)
        svc__buf_u64(out, number_of(setting, values));
    else if (svc__setting_in_range(setting, values))
        put_word(setting, (size_t)number_of(setting, values), out);
    else
        svc__buf_printf(out, "%d", *(const int *)value_at(setting, values));
}

void svc__setting_default(const svc_setting *setting, struct buf *out)
{
    if (setting->kind == SVC_SETTING_KIND_STRING)
        svc__buf_puts(out, setting->string ? setting->string : "");
    else if (setting->kind == SVC_SETTING_KIND_NUMBER)
        svc__buf_printf(out, "%" PRIu64 "%s%s", setting->number, *setting->unit ? " " : "",
                        setting->unit);
    else
        put_word(setting, (size_t)setting->number, out);
}

void svc__setting_range(const svc_setting *setting, struct buf *out)
{
    if (setting->kind == SVC_SETTING_KIND_NUMBER)
        svc__buf_printf(out, "%" PRIu64 " to %" PRIu64, setting->min, setting->max);
    else if (setting->kind == SVC_SETTING_KIND_FLAG)
        svc__buf_puts(out, "on or off");
    else if (setting->kind == SVC_SETTING_KIND_CHOICE)
        put_words(setting->choices, out);
}
