/* Violations of a schema by a request's values: collected up to a limit, then answered all at once.
 */
#include "libsvc/bind/violations.h"

#include <stdio.h>
#include <string.h>

#include "libsvc/base/num.h"
#include "libsvc/bind/schema_table.h"
#include "libsvc/exchange/problem.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/problem_text.h"

/* ---- Collecting */

/* Room for one more violation with `bytes` of text; NULL when there is none, and the violation is
 * only counted. */
static svc_violation *make_room(struct violations *v, size_t bytes)
{
    if (v->count == VIOLATIONS_MAX || bytes > VIOLATIONS_BYTES - v->bytes) {
        v->more++;
        return NULL;
    }
    if (!v->list)
        v->list = svc__arena_alloc(v->arena, VIOLATIONS_MAX * sizeof *v->list);
    if (!v->list) {
        v->no_memory = true;
        return NULL;
    }
    v->bytes += bytes;
    return &v->list[v->count];
}

/* Whether a byte stands for itself in a fragment (RFC 3986 3.5). */
static bool plain(unsigned char c)
{
    static const char others[] = "-._~!$&'()*+,;=:@?";
    return svc__bytes_is_letter((char)c) || svc__bytes_is_digit((char)c) ||
           (c && strchr(others, c));
}

/* Writes one byte of a name: RFC 6901 escapes two characters, and a fragment all bytes that are not
 * plain. */
static size_t escape(char out[static 3], unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    if (c == '~' || c == '/') {
        out[0] = '~';
        out[1] = c == '~' ? '0' : '1';
        return 2;
    }
    if (plain(c)) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '%';
    out[1] = digits[c >> 4];
    out[2] = digits[c & 15];
    return 3;
}

/* Writes "/name" before `end`, where `end` is not NULL, and returns its length: a path is linked
 * from its end, so it is written from there. */
static size_t prepend_name(char *end, struct bytes name)
{
    size_t len = 0;
    while (name.len > 0) {
        char text[3];
        size_t n = escape(text, (unsigned char)name.data[--name.len]);
        len += n;
        if (end)
            memcpy(end - len, text, n);
    }
    len++;
    if (end)
        end[-(ptrdiff_t)len] = '/';
    return len;
}

static size_t prepend_path(char *end, const struct violation_path *path)
{
    size_t len = 0;
    for (; path->up; path = path->up) {
        char digits[NUM_U64_LEN];
        struct bytes name = svc__bytes_z(path->name);
        if (!path->name)
            name = svc__bytes(digits, svc__num_format_u64(digits, path->index));
        len += prepend_name(end ? end - len : NULL, name);
    }
    len++;
    if (end)
        end[-(ptrdiff_t)len] = '#';
    return len;
}

/* Beyond the limit nothing is measured or written. */
static bool full(struct violations *v)
{
    if (v->count < VIOLATIONS_MAX && v->bytes < VIOLATIONS_BYTES)
        return false;
    v->more++;
    return true;
}

void svc__violations_add(struct violations *v, const struct violation_path *path,
                         const char *detail)
{
    if (full(v))
        return;
    size_t len = prepend_path(NULL, path);
    svc_violation *violation = make_room(v, len);
    char *pointer = violation ? svc__arena_alloc(v->arena, len + 1) : NULL;
    if (!pointer) {
        v->no_memory = v->no_memory || violation;
        return;
    }
    prepend_path(pointer + len, path);
    pointer[len] = '\0';
    *violation = (svc_violation){pointer, NULL, detail};
    v->count++;
}

void svc__violations_add_parameter(struct violations *v, struct bytes name, const char *detail)
{
    static const char dots[] = "\xe2\x80\xa6";
    if (full(v))
        return;
    bool cut = name.len > SCHEMA_NAME;
    size_t len = cut ? SCHEMA_NAME : name.len;
    svc_violation *violation = make_room(v, len + sizeof dots);
    char *copy = violation ? svc__arena_alloc(v->arena, len + sizeof dots) : NULL;
    if (!copy) {
        v->no_memory = v->no_memory || violation;
        return;
    }
    memcpy(copy, name.data, len);
    memcpy(copy + len, cut ? dots : "", cut ? sizeof dots : 1);
    *violation = (svc_violation){NULL, copy, detail};
    v->count++;
}

/* ---- Answering */

/* The violations that an answer lists, and the number of those that it only counts. */
struct listing {
    const svc_violation *list;
    size_t count, more;
};

enum { SUMMARY = 128 };

/* Writes the problem's own detail, about all violations together. */
static void summarize(char out[static SUMMARY], const struct listing *listing)
{
    size_t all = listing->count + listing->more;
    int len = snprintf(out, SUMMARY, "%zu %s", all,
                       all == 1 ? "value breaks a rule" : "values break a rule");
    if (listing->more)
        snprintf(out + len, SUMMARY - (size_t)len, "; the first %zu are listed", listing->count);
}

static void render_member(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    svc__buf_puts(out, name);
    svc__buf_json_string(out, svc__bytes_z(value));
}

/* The detail comes first, since it is the only member that is always present. */
static void render_json(struct buf *out, const struct listing *listing)
{
    char summary[SUMMARY];
    summarize(summary, listing);
    svc__problem_text_open(out, &(struct problem_text){.status = 422, .detail = summary});
    svc__buf_puts(out, ",\"errors\":[");
    for (size_t i = 0; i < listing->count; i++) {
        const svc_violation *violation = &listing->list[i];
        render_member(out, i ? ",{\"detail\":" : "{\"detail\":", violation->detail);
        render_member(out, ",\"pointer\":", violation->pointer);
        render_member(out, ",\"parameter\":", violation->parameter);
        svc__buf_putc(out, '}');
    }
    svc__buf_putc(out, ']');
    svc__problem_text_close(out);
}

static void render_text(struct buf *out, const struct listing *listing)
{
    char summary[SUMMARY];
    summarize(summary, listing);
    svc__problem_text_plain(out, 422, summary);
    for (size_t i = 0; i < listing->count; i++) {
        const svc_violation *violation = &listing->list[i];
        const char *where = violation->pointer ? violation->pointer : violation->parameter;
        svc__buf_utf8(out, svc__bytes_z(where));
        svc__buf_puts(out, where ? ": " : "");
        svc__buf_utf8(out, svc__bytes_z(violation->detail));
        svc__buf_puts(out, "\n");
    }
}

static void render(struct buf *out, bool json, const void *listing)
{
    if (json)
        render_json(out, listing);
    else
        render_text(out, listing);
}

static int answer(svc_response *res, const struct listing *listing)
{
    return svc__problem_answer(res, 422, render, listing);
}

int svc__violations_answer(svc_response *res, const struct violations *v)
{
    return answer(res, &(struct listing){v->list, v->count, v->more});
}

int svc_response_violations(svc_response *res, const svc_violation *violations, size_t count)
{
    if (!res)
        return SVC_ENOMEM;
    if (!violations || count == 0)
        return SVC_EINVAL;
    for (size_t i = 0; i < count; i++)
        if (!violations[i].detail)
            return SVC_EINVAL;
    size_t listed = count < VIOLATIONS_MAX ? count : VIOLATIONS_MAX;
    return answer(res, &(struct listing){violations, listed, count - listed});
}
