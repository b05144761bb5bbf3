/* Lists of pairs. */
#include "libsvc/otlp/otlp_list.h"

#include <stdbool.h>
#include <string.h>

#include <svc/errors.h>

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* In place; false for a bad escape, or one of a NUL. */
static bool decode_escapes(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text != '%') {
            *to++ = *text;
            continue;
        }
        int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high << 4 | low);
        text += 2;
    }
    *to = '\0';
    return true;
}

static char *trim_text(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t", text[len - 1]))
        text[--len] = '\0';
    return text;
}

int svc__otlp_list_next(struct otlp_list *list)
{
    char *pair;
    do
        pair = strsep(&list->rest, ",");
    while (pair && !*trim_text(pair));
    if (!pair)
        return 0;
    char *value = strchr(pair, '=');
    if (!value)
        return SVC_ESYNTAX;
    *value++ = '\0';
    list->key = trim_text(pair);
    list->value = trim_text(value);
    return *list->key && decode_escapes(list->key) && decode_escapes(list->value) ? 1 : SVC_ESYNTAX;
}
