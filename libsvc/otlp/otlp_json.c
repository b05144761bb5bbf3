/* Spans in JSON. */
#include "libsvc/otlp/otlp_json.h"

#include <math.h>
#include <string.h>

#include <svc/span.h>
#include <svc/sys/number.h>
#include <svc/version.h>

/* Bits of a span's `flags` above those of the trace: whether it is known that the parent, or the
 * span that a link leads to, is another process's, and whether it is. */
enum { KNOWN_REMOTE = 1 << 8, IS_REMOTE = 1 << 9 };

enum { STATUS_ERROR = 2 };

/* No part of a span that has only ids, numbers and constant text is longer. */
enum { FIXED_MOST = 256 };

static const char digits[] = "0123456789abcdef";

/* Each byte as two of them. */
#define ROW(high)                                                                                  \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high \
         "a" high "b" high "c" high "d" high "e" high "f"
#define PAIRS                                                                                      \
    ROW("0")                                                                                       \
    ROW("1")                                                                                       \
    ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7") ROW("8") ROW("9") ROW("a") ROW("b")      \
        ROW("c") ROW("d") ROW("e") ROW("f")

/* The length of the UTF-8 sequence at `at`; without one `*valid` is false, and it is the length of
 * what one U+FFFD replaces: the longest beginning of a sequence, or one byte. */
static size_t sequence_length(const unsigned char *at, size_t left, bool *valid)
{
    static const struct {
        unsigned char first, last, low, high; /* of the second byte */
        size_t len;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (*at < rows[i].first || *at > rows[i].last)
            continue;
        size_t n = left > 1 && at[1] >= rows[i].low && at[1] <= rows[i].high ? 2 : 1;
        while (n > 1 && n < rows[i].len && n < left && (at[n] & 0xc0) == 0x80)
            n++;
        *valid = n == rows[i].len;
        return n;
    }
    *valid = false;
    return 1;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Not 0 if one of eight bytes is not plain. A byte's high bit is set by what makes it so: the bit
 * itself, a carry out of 0x7f, or a borrow of the subtraction from a byte that is too small. A byte
 * behind such a one may be taken for another, which changes nothing. */
static uint64_t find_unplain(uint64_t eight)
{
    const uint64_t ones = UINT64_MAX / 255, high = ones * 0x80;
    uint64_t quotes = eight ^ ones * '"', backslashes = eight ^ ones * '\\';
    uint64_t found =
        eight | (eight + ones) | (eight - ones * 0x20) | (quotes - ones) | (backslashes - ones);
    return found & high;
}

static bool is_plain_word(const char *data)
{
    uint64_t eight;
    memcpy(&eight, data, sizeof eight);
    return !find_unplain(eight);
}

/* How many bytes at the beginning are plain. The last word of a text overlaps the one before. */
static size_t plain_length(const char *data, size_t len)
{
    enum { WORD = sizeof(uint64_t) };
    size_t n = 0;
    while (n + WORD <= len && is_plain_word(data + n))
        n += WORD;
    if (n + WORD > len && len >= WORD && is_plain_word(data + len - WORD))
        return len;
    while (n < len && is_plain((unsigned char)data[n]))
        n++;
    return n;
}

/* A character that must not stand in a string as it is. */
static void put_escape(struct otlp_text *text, unsigned char c)
{
    const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    svc__otlp_text_add(text, escape, sizeof escape);
}

/* Any bytes as the inside of a string: each sequence that is no UTF-8 becomes U+FFFD. */
static void put_chars(struct otlp_text *text, const char *data, size_t len)
{
    bool valid;
    const unsigned char *at = (const unsigned char *)data;
    for (size_t i = 0, run; i < len; i += run) {
        run = plain_length(data + i, len - i);
        svc__otlp_text_add(text, data + i, run);
        if (run)
            continue;
        run = at[i] < 0x80 ? 1 : sequence_length(at + i, len - i, &valid);
        if (at[i] < 0x80)
            put_escape(text, at[i]);
        else if (valid)
            svc__otlp_text_add(text, data + i, run);
        else
            svc__otlp_text_put(text, "\xef\xbf\xbd");
    }
}

static void put_string(struct otlp_text *text, const char *z)
{
    svc__otlp_text_put(text, "\"");
    put_chars(text, z, strlen(z));
    svc__otlp_text_put(text, "\"");
}

/* Texts of a known length, where there is room for them. */

static char *write_text(char *at, const char *z)
{
    size_t len = strlen(z);
    memcpy(at, z, len);
    return at + len;
}

static char *write_hex(char *at, const unsigned char *id, size_t n)
{
    static const char pairs[] = PAIRS;
    for (size_t i = 0; i < n; i++)
        memcpy(at + 2 * i, pairs + (size_t)2 * id[i], 2);
    return at + 2 * n;
}

static char *write_int(char *at, int64_t number)
{
    return at + svc_sys_int_format(at, number);
}

static void put_int(struct otlp_text *text, int64_t number)
{
    char decimal[SVC_SYS_INT_LEN];
    svc__otlp_text_add(text, decimal, svc_sys_int_format(decimal, number));
}

/* As the mapping of protocol buffers to JSON has doubles. */
static void put_double(struct otlp_text *text, double real)
{
    char decimal[SVC_SYS_DOUBLE_LEN];
    if (isfinite(real))
        svc__otlp_text_add(text, decimal, svc_sys_double_format(decimal, real));
    else
        svc__otlp_text_put(text, isnan(real) ? "\"NaN\""
                                 : real > 0  ? "\"Infinity\""
                                             : "\"-Infinity\"");
}

/* The protocol has no integer larger than INT64_MAX; such a one is a text. */
static void put_uint(struct otlp_text *text, uint64_t number)
{
    char decimal[SVC_SYS_INT_LEN];
    if (number <= INT64_MAX)
        svc__otlp_text_put(text, "{\"intValue\":\"");
    else
        svc__otlp_text_put(text, "{\"stringValue\":\"");
    svc__otlp_text_add(text, decimal, svc_sys_uint_format(decimal, number));
    svc__otlp_text_put(text, "\"}");
}

static void put_value(struct otlp_text *text, const svc_kv *item)
{
    switch (item->kind) {
    case SVC_KV_INT:
        svc__otlp_text_put(text, "{\"intValue\":\"");
        put_int(text, item->value.number);
        svc__otlp_text_put(text, "\"}");
        break;
    case SVC_KV_UINT:
        put_uint(text, item->value.count);
        break;
    case SVC_KV_DOUBLE:
        svc__otlp_text_put(text, "{\"doubleValue\":");
        put_double(text, item->value.real);
        svc__otlp_text_put(text, "}");
        break;
    case SVC_KV_BOOL:
        svc__otlp_text_put(text,
                           item->value.truth ? "{\"boolValue\":true}" : "{\"boolValue\":false}");
        break;
    default:
        svc__otlp_text_put(text, "{\"stringValue\":\"");
        put_chars(text, item->value.text, item->len);
        svc__otlp_text_put(text, "\"}");
    }
}

static void put_attribute(struct otlp_text *text, const svc_kv *item, bool first)
{
    svc__otlp_text_put(text, first ? "{\"key\":\"" : ",{\"key\":\"");
    put_chars(text, item->key, strlen(item->key));
    svc__otlp_text_put(text, "\",\"value\":");
    put_value(text, item);
    svc__otlp_text_put(text, "}");
}

/* Whether two attributes are written alike. Texts at one place are equal, since both are alive. */
static bool is_same(const svc_kv *a, const svc_kv *b)
{
    if (a->kind != b->kind || a->len != b->len)
        return false;
    if (a->key != b->key && strcmp(a->key, b->key) != 0)
        return false;
    if (a->kind == SVC_KV_STR)
        return !a->len || a->value.text == b->value.text ||
               !memcmp(a->value.text, b->value.text, a->len);
    if (a->kind == SVC_KV_BOOL)
        return a->value.truth == b->value.truth;
    return a->value.count == b->value.count; /* all 64 bits of a number */
}

/* How many attributes from `first` on are written alike in the latest span of the kind. */
static size_t count_same(const struct otlp_json_latest *latest, const svc_sys_span *span,
                         size_t first)
{
    size_t i = first;
    while (i < latest->known && i < span->attribute_count &&
           is_same(&latest->span->attributes[i], &span->attributes[i]))
        i++;
    return i - first;
}

/* Copies attributes from the latest span of the kind, whose places become those of the new one. */
static void copy_same(struct otlp_text *text, size_t *starts, size_t count)
{
    size_t from = *starts, moved = text->len - from;
    svc__otlp_text_repeat(text, from, starts[count] - from);
    for (size_t i = 0; i < count; i++)
        starts[i] += moved;
}

static struct otlp_json_latest *latest_of(struct otlp_json *json, int kind)
{
    return &json->latest[kind > 0 && kind < OTLP_JSON_KINDS ? kind : 0];
}

/* Requests of one service have most attributes in common, so a span is mostly a copy of the one
 * before. */
static void put_span_attributes(struct otlp_json *json, const svc_sys_span *span)
{
    struct otlp_text *text = &json->text;
    struct otlp_json_latest *latest = latest_of(json, span->kind);
    svc__otlp_text_put(text, "\"attributes\":[");
    for (size_t i = 0, same; i < span->attribute_count; i += same ? same : 1) {
        same = count_same(latest, span, i);
        if (same) {
            copy_same(text, &latest->starts[i], same);
            continue;
        }
        if (i <= OTLP_JSON_KNOWN)
            latest->starts[i] = text->len;
        put_attribute(text, &span->attributes[i], i == 0);
    }
    latest->span = span;
    latest->known = OTLP_JSON_KNOWN;
    if (span->attribute_count <= OTLP_JSON_KNOWN) {
        latest->known = span->attribute_count;
        latest->starts[latest->known] = text->len;
    }
    svc__otlp_text_put(text, "]");
}

static void put_left_out(struct otlp_text *text, const char *key, size_t count)
{
    if (!count)
        return;
    svc__otlp_text_put(text, key);
    put_int(text, count < UINT32_MAX ? (int64_t)count : UINT32_MAX);
}

/* Begins an object with the ids of a span, whose last quote is still to come. */
static char *write_ids(char *at, const unsigned char trace_id[static SVC_SYS_TRACE_BYTES],
                       const unsigned char span_id[static SVC_SYS_SPAN_BYTES])
{
    at = write_text(at, "{\"traceId\":\"");
    at = write_hex(at, trace_id, SVC_SYS_TRACE_BYTES);
    at = write_text(at, "\",\"spanId\":\"");
    return write_hex(at, span_id, SVC_SYS_SPAN_BYTES);
}

static void put_links(struct otlp_text *text, const svc_sys_span *span)
{
    for (size_t i = 0; i < span->link_count; i++) {
        const svc_sys_link *link = &span->links[i];
        char *first = svc__otlp_text_reserve(text, FIXED_MOST), *at = first;
        if (!at)
            return;
        at = write_text(at, i ? "," : ",\"links\":[");
        at = write_ids(at, link->trace_id, link->span_id);
        at = write_text(at, "\",\"flags\":");
        at = write_int(at, link->flags | KNOWN_REMOTE | IS_REMOTE);
        at = write_text(at, "}");
        text->len += (size_t)(at - first);
    }
    if (span->link_count)
        svc__otlp_text_put(text, "]");
    put_left_out(text, ",\"droppedLinksCount\":", span->links_left_out);
}

static void put_status(struct otlp_text *text, const svc_sys_span *span)
{
    if (!span->failed)
        return;
    svc__otlp_text_put(text, ",\"status\":{\"code\":");
    put_int(text, STATUS_ERROR);
    if (*span->message) {
        svc__otlp_text_put(text, ",\"message\":");
        put_string(text, span->message);
    }
    svc__otlp_text_put(text, "}");
}

static void put_ids(struct otlp_text *text, const svc_sys_span *span, bool first)
{
    static const unsigned char none[SVC_SYS_SPAN_BYTES];
    char *begin = svc__otlp_text_reserve(text, FIXED_MOST), *at = begin;
    if (!at)
        return;
    at = write_text(at, first ? "" : ",");
    at = write_ids(at, span->trace_id, span->span_id);
    if (memcmp(span->parent_id, none, sizeof none) != 0) {
        at = write_text(at, "\",\"parentSpanId\":\"");
        at = write_hex(at, span->parent_id, sizeof span->parent_id);
    }
    at = write_text(at, "\"");
    text->len += (size_t)(at - begin);
}

static void put_kind_and_times(struct otlp_text *text, const svc_sys_span *span)
{
    char *begin = svc__otlp_text_reserve(text, FIXED_MOST), *at = begin;
    if (!at)
        return;
    at = write_text(at, ",\"kind\":");
    at = write_int(at, span->kind);
    at = write_text(at, ",\"startTimeUnixNano\":\"");
    at = write_int(at, span->started_unix_ns);
    at = write_text(at, "\",\"endTimeUnixNano\":\"");
    at = write_int(at, span->ended_unix_ns);
    at = write_text(at, "\",");
    text->len += (size_t)(at - begin);
}

void svc__otlp_json_span(struct otlp_json *json, const svc_sys_span *span)
{
    struct otlp_text *text = &json->text;
    put_ids(text, span, json->count++ == 0);
    if (*span->state) {
        svc__otlp_text_put(text, ",\"traceState\":");
        put_string(text, span->state);
    }
    svc__otlp_text_put(text, ",\"flags\":");
    put_int(text, span->flags | KNOWN_REMOTE | (span->parent_is_remote ? IS_REMOTE : 0));
    svc__otlp_text_put(text, ",\"name\":");
    put_string(text, span->name);
    put_kind_and_times(text, span);
    put_span_attributes(json, span);
    put_left_out(text, ",\"droppedAttributesCount\":", span->attributes_left_out);
    put_links(text, span);
    put_status(text, span);
    svc__otlp_text_put(text, "}");
}

void svc__otlp_json_begin(struct otlp_json *json, const svc_kv *resource, size_t count)
{
    struct otlp_text *text = &json->text;
    svc__otlp_text_clear(text);
    json->count = 0;
    for (size_t i = 0; i < OTLP_JSON_KINDS; i++)
        json->latest[i].known = 0;
    svc__otlp_text_put(text, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    for (size_t i = 0; i < count; i++)
        put_attribute(text, &resource[i], i == 0);
    svc__otlp_text_put(text, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"libsvc\",\"version\":");
    put_string(text, svc_version());
    svc__otlp_text_put(text, "},\"spans\":[");
}

void svc__otlp_json_end(struct otlp_json *json)
{
    svc__otlp_text_put(&json->text, "]}]}]}");
}
