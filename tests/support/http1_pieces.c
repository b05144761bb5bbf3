#include "tests/support/http1_pieces.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/proto/http1_chunks.h"

enum { SPACE = 1 << 20 };

/* Copies the bytes to the end of a block of memory, where no byte more can be read unnoticed. The
 * next copy takes their place. */
static char *copy_bytes(const char *text, size_t len)
{
    static char *block;
    if (!block)
        block = malloc(SPACE);
    if (!block || len > SPACE)
        abort();
    return memcpy(block + SPACE - len, text, len);
}

/* The end of the piece that begins at `at`. */
static size_t find_end(struct pieces pieces, size_t at, size_t len)
{
    size_t step = at ? pieces.step : pieces.first;
    return step && step < len - at ? at + step : len;
}

/* ---- Heads and trailers */

/* A part of `data`, as a place in it; it must have a NUL behind it. */
static struct place find_place(const char *data, size_t len, struct bytes part, bool *kept)
{
    struct place place = {(size_t)(part.data - data), part.len};
    *kept = *kept && place.at < len && place.len < len - place.at && !data[place.at + place.len];
    return place;
}

static void put_fields(const char *data, size_t len, const struct field *fields, size_t count,
                       struct plain_head *out, bool *kept)
{
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        out->fields[i].name = find_place(data, len, fields[i].name, kept);
        out->fields[i].value = find_place(data, len, fields[i].value, kept);
    }
}

static void put_head(const char *data, size_t len, const struct http1_reading *r,
                     const struct head *head, struct plain_head *out, bool *kept)
{
    out->begin = r->begin;
    if (!head->method.len)
        return;
    out->method = find_place(data, len, head->method, kept);
    out->target = find_place(data, len, head->target_raw, kept);
    out->minor = head->minor;
    put_fields(data, len, head->fields, head->count, out, kept);
}

/* Whether a text is as it was but for NULs. */
static bool is_text(const char *data, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] != text[i] && data[i])
            return false;
    return true;
}

/* One call, on a copy of the first `len` bytes. */
static void read_once(struct http1_reading *r, const char *text, size_t len, bool trailers,
                      const struct head_limits *limits, struct plain_head *out)
{
    struct field fields[PLAIN_FIELDS];
    struct head head = {.minor = 7};
    const char *reason = NULL;
    size_t count = 0;
    char *data = copy_bytes(text, len);
    bool kept = true;
    memset(out, 0, sizeof *out);
    memset(fields, 0xa5, sizeof fields);
    out->status = trailers ? svc__http1_head_trailers(r, data, len, limits, fields, &count, &reason)
                           : svc__http1_head_read(r, data, len, limits, fields, &head, &reason);
    if (!out->status)
        out->end = r->line;
    if (out->status == HTTP1_PART)
        kept = !memcmp(data, text, len) && head.minor == 7;
    else if (!trailers)
        put_head(data, len, r, &head, out, &kept);
    else
        put_fields(data, len, fields, count, out, &kept);
    kept = kept && (out->status > 0) == (reason != NULL) && is_text(data, text, len);
    if (!out->status)
        kept = kept && out->end <= len && (trailers || head.bytes == out->end - out->begin) &&
               !memcmp(data + out->end, text + out->end, len - out->end);
    if (!kept)
        out->status = PIECES_BROKEN;
}

static void read_pieces(const char *text, size_t len, struct pieces pieces, bool trailers,
                        const struct head_limits *limits, struct plain_head *out)
{
    struct http1_reading r = {0};
    size_t end = 0;
    do {
        end = find_end(pieces, end, len);
        read_once(&r, text, end, trailers, limits, out);
    } while (out->status == HTTP1_PART && end < len);
}

void pieces_head(const char *text, size_t len, struct pieces pieces,
                 const struct head_limits *limits, struct plain_head *out)
{
    read_pieces(text, len, pieces, false, limits, out);
}

void pieces_trailers(const char *text, size_t len, struct pieces pieces,
                     const struct head_limits *limits, struct plain_head *out)
{
    read_pieces(text, len, pieces, true, limits, out);
}

bool pieces_same_head(const struct plain_head *a, const struct plain_head *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- Chunks */

/* Reads a piece. The status, which is 0 at the end only; `*taken` grows by what was taken. */
static int read_piece(struct http1_chunks *c, struct bytes all, size_t *taken,
                      struct plain_body *out)
{
    struct bytes rest = all;
    for (;;) {
        struct bytes piece = {NULL, 0};
        const char *reason = NULL;
        int status = svc__http1_chunks_next(c, &rest, &piece, &reason);
        if ((status > 0) != (reason != NULL) || rest.data + rest.len != all.data + all.len ||
            (status == HTTP1_PART && rest.len) || (!status && piece.data + piece.len != rest.data))
            return PIECES_BROKEN;
        if (!status && piece.len) {
            memcpy(out->data + out->len, piece.data, piece.len);
            out->len += piece.len;
            continue;
        }
        *taken += all.len - rest.len;
        return status;
    }
}

void pieces_chunks(const char *text, size_t len, struct pieces pieces, struct plain_body *out)
{
    struct http1_chunks c = {0};
    size_t at = 0, taken = 0;
    out->len = out->end = 0;
    do {
        size_t end = find_end(pieces, at, len);
        char *data = copy_bytes(text + at, end - at);
        out->status = read_piece(&c, svc__bytes(data, end - at), &taken, out);
        at = end;
    } while (out->status == HTTP1_PART && at < len);
    if (!out->status)
        out->end = taken;
}

bool pieces_same_body(const struct plain_body *a, const struct plain_body *b)
{
    return a->status == b->status && a->end == b->end && a->len == b->len &&
           memcmp(a->data, b->data, a->len) == 0;
}
