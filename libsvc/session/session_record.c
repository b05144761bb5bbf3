/* The values of a session, as one text. */
#include "libsvc/session/session_record.h"

#include <string.h>
#include <svc/errors.h>
#include <svc/session.h>

enum { FORM = 1, TIME_BYTES = 8, SKEW_S = 60 };

static uint64_t read_time(const char *at)
{
    uint64_t time_s = 0;
    for (int i = 0; i < TIME_BYTES; i++)
        time_s = time_s << 8 | (unsigned char)at[i];
    return time_s;
}

static void write_time(char *at, uint64_t time_s)
{
    for (int i = 0; i < TIME_BYTES; i++)
        at[i] = (char)(time_s >> (8 * (TIME_BYTES - 1 - i)));
}

/* The string behind `at`, or behind the NUL of the string at `at`. */
static const char *behind(const char *at)
{
    return at + strlen(at) + 1;
}

/* Whether the text is pairs of strings, each with its NUL, whose names are good. */
static bool are_values(const char *at, const char *end)
{
    while (at < end) {
        const char *value = memchr(at, '\0', (size_t)(end - at));
        if (!value || !svc__session_record_is_name(at) || ++value == end)
            return false;
        const char *next = memchr(value, '\0', (size_t)(end - value));
        if (!next)
            return false;
        at = next + 1;
    }
    return true;
}

int svc__session_record_read(const char *text, size_t len, struct session_record *record)
{
    if (len < SESSION_HEAD_BYTES || text[0] != FORM ||
        !are_values(text + SESSION_HEAD_BYTES, text + len))
        return SVC_ESYNTAX;
    record->begun_s = read_time(text + 1);
    record->used_s = read_time(text + 1 + TIME_BYTES);
    record->values = text + SESSION_HEAD_BYTES;
    record->len = len - SESSION_HEAD_BYTES;
    return 0;
}

size_t svc__session_record_write(const struct session_record *record, char *out)
{
    out[0] = FORM;
    write_time(out + 1, record->begun_s);
    write_time(out + 1 + TIME_BYTES, record->used_s);
    if (record->len > 0)
        memcpy(out + SESSION_HEAD_BYTES, record->values, record->len);
    return SESSION_HEAD_BYTES + record->len;
}

/* Whether `time_s` is less than `limit_s` ago, and not in the future. */
static bool is_within(uint64_t time_s, uint64_t now_s, uint64_t limit_s)
{
    return time_s > now_s ? time_s - now_s <= SKEW_S : now_s - time_s < limit_s;
}

bool svc__session_record_lives(const struct session_record *record, uint64_t now_s, uint64_t idle_s,
                               uint64_t absolute_s)
{
    return is_within(record->used_s, now_s, idle_s) &&
           is_within(record->begun_s, now_s, absolute_s);
}

bool svc__session_record_is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len = name ? strspn(name, allowed) : 0;
    return len > 0 && len <= SVC_SESSION_NAME_BYTES && !name[len];
}

/* The pair of a name; NULL: there is none. */
static const char *find_pair(const struct session_record *record, const char *name)
{
    if (record->len == 0) /* and perhaps no memory */
        return NULL;
    const char *at = record->values, *end = at + record->len;
    while (at < end && strcmp(at, name) != 0)
        at = behind(behind(at));
    return at < end ? at : NULL;
}

const char *svc__session_record_find(const struct session_record *record, const char *name)
{
    const char *pair = find_pair(record, name);
    return pair ? behind(pair) : NULL;
}

size_t svc__session_record_changed_len(const struct session_record *record, const char *name,
                                       const char *value)
{
    const char *pair = find_pair(record, name);
    size_t len = record->len;
    if (pair)
        len -= (size_t)(behind(behind(pair)) - pair);
    return value ? len + strlen(name) + strlen(value) + 2 : len;
}

void svc__session_record_change(const struct session_record *record, const char *name,
                                const char *value, char *out)
{
    const char *pair = find_pair(record, name);
    size_t before = pair ? (size_t)(pair - record->values) : record->len;
    size_t after = pair ? (size_t)(record->values + record->len - behind(behind(pair))) : 0;
    if (before > 0)
        memcpy(out, record->values, before);
    if (after > 0)
        memcpy(out + before, behind(behind(pair)), after);
    out += before + after;
    if (!value)
        return;
    memcpy(out, name, strlen(name) + 1);
    memcpy(out + strlen(name) + 1, value, strlen(value) + 1);
}
