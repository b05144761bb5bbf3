/* JSON written piece by piece into the memory that becomes a response's body. */
#include "libsvc/json/json_writer.h"

#include <math.h>
#include <stdlib.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/double.h"
#include "libsvc/base/json_check.h"
#include "libsvc/base/json_text.h"
#include "libsvc/base/num.h"
#include "libsvc/exchange/response_internal.h"

enum { PUNCTUATION = 4 /* the comma before a key, its quotes and its colon */ };

struct svc_json_writer {
    struct buf buf;   /* its error is the writer's */
    uint64_t objects; /* a bit for each open level: whether it is an object; the innermost lowest */
    unsigned depth;   /* open levels */
    bool follows;     /* a value stands before the next one on its level */
    svc_response *res; /* NULL: the writer answers nothing */
    int status;
};

/* ---- Values */

void svc__json_writer_fail(svc_json_writer *w, int error)
{
    if (w && !w->buf.error)
        w->buf.error = error;
}

/* Whether a value may stand here: one in all on the outermost level, one with a key in an object,
 * one without in an array. */
static bool may_follow(const svc_json_writer *w, const char *key)
{
    bool keyed = w->objects & 1;
    return keyed == (key != NULL) && (w->depth > 0 || !w->follows);
}

/* Writes the rest of a key that `to` ends with. */
static char *finish_key(svc_json_writer *w, char *to, struct bytes rest, size_t room)
{
    w->buf.len = (size_t)(to - w->buf.data);
    svc__buf_json_inside(&w->buf, rest);
    svc__buf_append(&w->buf, "\":", 2);
    return svc__buf_reserve(&w->buf, room);
}

/*
 * Writes comma and key. Returns the place of the value, with `room` bytes for it; the bytes up to
 * there count once end_value has set the end. NULL when the writer has failed.
 */
static inline char *begin_value(svc_json_writer *w, const char *key, size_t room)
{
    if (!w)
        return NULL;
    if (!may_follow(w, key)) {
        svc__json_writer_fail(w, SVC_ESTATE);
        return NULL;
    }
    struct bytes name = svc__bytes_z(key);
    char *to = svc__buf_reserve(&w->buf, name.len + PUNCTUATION + room);
    if (!to)
        return NULL;
    if (w->follows)
        *to++ = ',';
    if (!key)
        return to;
    *to++ = '"';
    to += svc__json_text_write(to, name.len, &name);
    if (name.len > 0)
        return finish_key(w, to, name, room);
    *to++ = '"';
    *to++ = ':';
    return to;
}

static inline void end_value(svc_json_writer *w, const char *end)
{
    w->buf.len = (size_t)(end - w->buf.data);
    w->follows = true;
}

/* A value that needs no more than to be copied. */
static void put_value(svc_json_writer *w, const char *key, const char *value, size_t len)
{
    char *to = begin_value(w, key, len);
    if (!to)
        return;
    memcpy(to, value, len);
    end_value(w, to + len);
}

struct buf *svc__json_writer_value(svc_json_writer *w, const char *key)
{
    char *to = begin_value(w, key, 0);
    if (!to)
        return NULL;
    end_value(w, to);
    return &w->buf;
}

/* Whether these bytes can be written at all. Sizes that are added to `len` then do not overflow. */
static bool may_take(svc_json_writer *w, const char *data, size_t len)
{
    if (!w)
        return false;
    if (!data && len > 0)
        svc__json_writer_fail(w, SVC_EINVAL);
    else if (len > w->buf.ceiling)
        svc__json_writer_fail(w, SVC_ETOOBIG);
    return !w->buf.error;
}

void svc_json_put_text_n(svc_json_writer *w, const char *key, const char *text, size_t len)
{
    if (!may_take(w, text, len))
        return;
    char *to = begin_value(w, key, len + 2);
    if (!to)
        return;
    *to++ = '"';
    struct bytes rest = svc__bytes(text, len);
    size_t space = w->buf.cap - (size_t)(to - w->buf.data) - 1; /* without the last quote */
    to += svc__json_text_write(to, space, &rest);
    end_value(w, to);
    if (rest.len > 0)
        svc__buf_json_inside(&w->buf, rest);
    svc__buf_putc(&w->buf, '"');
}

void svc_json_put_text(svc_json_writer *w, const char *key, const char *text)
{
    if (text)
        svc_json_put_text_n(w, key, text, strlen(text));
    else
        svc_json_put_null(w, key);
}

void svc_json_put_i64(svc_json_writer *w, const char *key, int64_t number)
{
    char *to = begin_value(w, key, NUM_I64_LEN);
    if (to)
        end_value(w, to + svc__num_format_i64(to, number));
}

void svc_json_put_u64(svc_json_writer *w, const char *key, uint64_t number)
{
    char *to = begin_value(w, key, NUM_U64_LEN);
    if (to)
        end_value(w, to + svc__num_format_u64(to, number));
}

void svc_json_put_double(svc_json_writer *w, const char *key, double number)
{
    if (!isfinite(number)) {
        svc__json_writer_fail(w, SVC_EINVAL);
        return;
    }
    char *to = begin_value(w, key, DOUBLE_LEN);
    if (to)
        end_value(w, to + svc__double_format(to, number));
}

void svc_json_put_bool(svc_json_writer *w, const char *key, bool value)
{
    put_value(w, key, value ? "true" : "false", value ? 4 : 5);
}

void svc_json_put_null(svc_json_writer *w, const char *key)
{
    put_value(w, key, "null", 4);
}

void svc_json_put_time_us(svc_json_writer *w, const char *key, int64_t unix_us)
{
    char text[CLOCK_RFC3339_SIZE];
    size_t len = svc__clock_timestamp(text, unix_us);
    if (len > 0)
        svc_json_put_text_n(w, key, text, len);
    else
        svc__json_writer_fail(w, SVC_EINVAL);
}

void svc_json_put_time_s(svc_json_writer *w, const char *key, int64_t unix_s)
{
    int64_t unix_us;
    if (__builtin_mul_overflow(unix_s, 1000000, &unix_us))
        svc__json_writer_fail(w, SVC_EINVAL);
    else
        svc_json_put_time_us(w, key, unix_us);
}

void svc_json_put_raw(svc_json_writer *w, const char *key, const char *json, size_t len)
{
    if (!may_take(w, json, len))
        return;
    if (svc__json_check(svc__bytes(json, len), JSON_CHECK_DEPTH - w->depth))
        put_value(w, key, json, len);
    else
        svc__json_writer_fail(w, SVC_ESYNTAX);
}

/* ---- Levels */

static void open_level(svc_json_writer *w, const char *key, char bracket)
{
    if (w && w->depth == JSON_CHECK_DEPTH)
        svc__json_writer_fail(w, SVC_ETOOBIG);
    char *to = begin_value(w, key, 1);
    if (!to)
        return;
    *to = bracket;
    end_value(w, to + 1);
    w->objects = w->objects << 1 | (bracket == '{');
    w->depth++;
    w->follows = false;
}

void svc_json_open_object(svc_json_writer *w, const char *key)
{
    open_level(w, key, '{');
}

void svc_json_open_array(svc_json_writer *w, const char *key)
{
    open_level(w, key, '[');
}

void svc_json_close(svc_json_writer *w)
{
    if (!w)
        return;
    if (w->depth == 0) {
        svc__json_writer_fail(w, SVC_ESTATE);
        return;
    }
    svc__buf_putc(&w->buf, w->objects & 1 ? '}' : ']');
    w->objects >>= 1;
    w->depth--;
    w->follows = true;
}

/* ---- The writer */

int svc_json_writer_error(const svc_json_writer *w)
{
    return w ? svc__buf_error(&w->buf) : SVC_ENOMEM;
}

/* Whether there is one value and nothing open. The error when there is not. */
static int check_whole(svc_json_writer *w)
{
    if (w && (w->depth > 0 || !w->follows))
        svc__json_writer_fail(w, SVC_ESTATE);
    return svc_json_writer_error(w);
}

static void release(void *arg)
{
    svc_json_writer *w = arg;
    svc__buf_free(&w->buf);
}

svc_json_writer *svc_response_json_begin(svc_response *res, int status)
{
    if (!res)
        return NULL;
    struct arena *arena = &res->exchange->arena;
    res->status = 0; /* nothing has answered until the end is called */
    svc_json_writer *w = svc__arena_zalloc(arena, sizeof *w);
    if (!w || svc__arena_defer(arena, release, w))
        return NULL;
    svc__response_scratch_take(res, &w->buf);
    w->res = res;
    w->status = status;
    return w;
}

int svc_response_json_end(svc_json_writer *w)
{
    int error = check_whole(w);
    if (!w || !w->res)
        return error ? error : SVC_ESTATE;
    if (!error)
        error = svc__response_rendered(w->res, w->status, "application/json", &w->buf);
    svc__response_scratch_give(w->res, &w->buf);
    w->buf.error = error ? error : SVC_ESTATE; /* there is nothing to write to any more */
    return error;
}

svc_json_writer *svc_json_writer_new(size_t max_bytes)
{
    svc_json_writer *w = calloc(1, sizeof *w);
    if (w)
        svc__buf_init(&w->buf, max_bytes);
    return w;
}

const char *svc_json_writer_text(svc_json_writer *w, size_t *len)
{
    if (check_whole(w))
        return NULL;
    svc__buf_terminate(&w->buf);
    if (len)
        *len = w->buf.len;
    return w->buf.data;
}

void svc_json_writer_free(svc_json_writer *w)
{
    if (!w || w->res)
        return; /* that of a response goes with its request */
    release(w);
    free(w);
}
