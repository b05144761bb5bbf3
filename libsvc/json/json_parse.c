/* Builds jansson's tree beside the scan of the text. */
#include "libsvc/json/json_parse.h"

#include <jansson.h>

#include <svc/errors.h>

#include "libsvc/base/json_scan.h"
#include "libsvc/base/num.h"
#include "libsvc/json/json_tree.h"

/* A tree under way. The scratch buffer holds the name of the member that comes next, with its NUL,
 * and behind it a string with its escapes decoded. */
struct parse {
    struct json_scan scan;
    struct buf *scratch;
    json_t *root;
    json_t **levels; /* the open ones, borrowed from the root */
    bool no_memory;
};

static json_t *innermost(const struct parse *p)
{
    return p->levels[p->scan.depth - 1];
}

/* Takes a value to its place on a level; "none" is one that memory was not there for. */
static void add_value(struct parse *p, json_t *level, json_t *value)
{
    int error = value ? 0 : -1;
    if (value && !level)
        p->root = value;
    else if (value && json_is_array(level))
        error = json_array_append_new(level, value);
    else if (value)
        error = json_object_set_new_nocheck(level, p->scratch->data, value);
    p->no_memory = p->no_memory || error;
}

static void add_scalar(struct parse *p, json_t *value)
{
    add_value(p, p->scan.depth > 0 ? innermost(p) : NULL, value);
}

static void add_level(struct parse *p, json_t *value)
{
    size_t depth = p->scan.depth;
    add_value(p, depth > 1 ? p->levels[depth - 2] : NULL, value);
    p->levels[depth - 1] = value;
}

/* The name or string that was read last, decoded. With escapes it is written behind the bytes of
 * the scratch buffer, whose length does not change. */
static struct bytes take_text(struct parse *p)
{
    struct bytes text = p->scan.text;
    if (!p->scan.escaped)
        return text;
    char *to = svc__buf_reserve(p->scratch, text.len);
    p->no_memory = p->no_memory || !to;
    if (!to)
        return svc__bytes(NULL, 0);
    text = svc__bytes(to, svc__json_scan_unescape(to, text));
    if (memchr(text.data, '\0', text.len))
        svc__json_scan_refuse(&p->scan, "\\u0000 is not taken: strings of C end there");
    return text;
}

static void add_string(struct parse *p)
{
    struct bytes text = take_text(p);
    if (!p->no_memory && !p->scan.reason)
        add_scalar(p, json_stringn_nocheck(text.data ? text.data : "", text.len));
}

static void take_name(struct parse *p)
{
    svc__buf_clear(p->scratch);
    struct bytes text = take_text(p);
    if (text.data == p->scratch->data)
        p->scratch->len = text.len;
    else
        svc__buf_bytes(p->scratch, text);
    svc__buf_putc(p->scratch, '\0');
    if (svc__buf_error(p->scratch))
        p->no_memory = true;
    else if (json_object_get(innermost(p), p->scratch->data))
        svc__json_scan_refuse(&p->scan, "a duplicate name");
}

/* Behind a number that ends with the text there may be anything. */
static int read_real(struct parse *p, double *real)
{
    struct bytes text = p->scan.text;
    if (p->scan.at < p->scan.end)
        return svc__num_double(text, real);
    svc__buf_clear(p->scratch);
    svc__buf_bytes(p->scratch, text);
    svc__buf_putc(p->scratch, '\0');
    p->no_memory = svc__buf_error(p->scratch) != 0;
    return p->no_memory ? 0 : svc__num_double(svc__bytes(p->scratch->data, text.len), real);
}

static void add_number(struct parse *p)
{
    int64_t whole;
    double real;
    bool is_whole = p->scan.whole;
    int error = is_whole ? svc__num_i64(p->scan.text, &whole) : read_real(p, &real);
    if (error)
        svc__json_scan_refuse(&p->scan, is_whole ? "a whole number has more than 64 bits"
                                                 : "a number is too large, or too long");
    else if (!p->no_memory)
        add_scalar(p, is_whole ? json_integer(whole) : json_real(real));
}

static void add_token(struct parse *p, enum json_token token)
{
    switch (token) {
    case JSON_TOKEN_OBJECT:
        add_level(p, json_object());
        break;
    case JSON_TOKEN_ARRAY:
        add_level(p, json_array());
        break;
    case JSON_TOKEN_NAME:
        take_name(p);
        break;
    case JSON_TOKEN_STRING:
        add_string(p);
        break;
    case JSON_TOKEN_NUMBER:
        add_number(p);
        break;
    case JSON_TOKEN_TRUE:
    case JSON_TOKEN_FALSE:
        add_scalar(p, json_boolean(token == JSON_TOKEN_TRUE));
        break;
    case JSON_TOKEN_NULL:
        add_scalar(p, json_null());
        break;
    case JSON_TOKEN_CLOSE:
    case JSON_TOKEN_DONE:
    case JSON_TOKEN_FAULT:
        break;
    }
}

json_t *svc__json_parse(struct bytes text, unsigned max_depth, struct arena *arena,
                        struct buf *scratch, struct json_fault *fault)
{
    enum json_token token;
    struct parse p = {.scratch = scratch,
                      .levels = svc__arena_alloc(arena, max_depth * sizeof *p.levels)};
    p.no_memory = !p.levels;
    svc__buf_clear(scratch);
    svc__json_scan_begin(&p.scan, text, max_depth);
    do {
        token = p.no_memory ? JSON_TOKEN_FAULT : svc__json_scan_next(&p.scan);
        add_token(&p, token);
    } while (token > JSON_TOKEN_DONE);
    if (token == JSON_TOKEN_DONE && !p.no_memory)
        return p.root;
    svc__json_tree_free(p.root);
    *fault = (struct json_fault){.reason = p.no_memory ? NULL : p.scan.reason};
    svc__json_scan_place(&p.scan, &fault->line, &fault->column);
    return NULL;
}
