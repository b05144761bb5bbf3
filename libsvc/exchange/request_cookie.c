/* Cookies of a request: read when they are first asked for, since most handlers never do. */
#include <string.h>

#include <svc/cookie.h>
#include <svc/errors.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/proto/cookie.h"

/* The pairs of all Cookie fields, in their order. */
struct walk {
    const struct field *field;
    struct bytes rest; /* of the field */
};

static bool take_pair(const svc_request *req, struct walk *walk, struct param *pair)
{
    while (!svc__cookie_take(&walk->rest, &pair->name, &pair->value)) {
        walk->field = svc__fields_each(&req->fields, walk->field, FIELD_COOKIE);
        if (!walk->field)
            return false;
        walk->rest = walk->field->value;
    }
    return true;
}

/* Appends a text at `*at` with a NUL behind it, and moves `*at` on. */
static struct bytes append_text(char **at, struct bytes text)
{
    struct bytes copy = {*at, text.len};
    memcpy(*at, text.data, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

static int copy_pairs(struct exchange *x, size_t count, size_t bytes)
{
    svc_request *req = &x->request;
    struct walk walk = {NULL, {NULL, 0}};
    struct param *pairs = svc__arena_alloc(&x->arena, count * sizeof *pairs);
    char *at = svc__arena_alloc(&x->arena, bytes);
    if (!pairs || !at)
        return SVC_ENOMEM;
    for (size_t i = 0; i < count && take_pair(req, &walk, &pairs[i]); i++) {
        pairs[i].name = append_text(&at, pairs[i].name);
        pairs[i].value = append_text(&at, pairs[i].value);
        pairs[i].has_value = true;
    }
    req->cookies = pairs;
    req->cookie_count = count;
    return 0;
}

/* The size of the request's head bounds both sums. */
static void parse_cookies(const svc_request *req)
{
    struct exchange *x = svc__exchange_of(req);
    struct walk walk = {NULL, {NULL, 0}};
    struct param pair;
    size_t count = 0, bytes = 0;
    if (req->cookies_parsed)
        return;
    for (; take_pair(req, &walk, &pair); count++)
        bytes += pair.name.len + pair.value.len + 2;
    x->request.cookies_parsed = count == 0 || !copy_pairs(x, count, bytes);
}

const char *svc_request_cookie_nth(const svc_request *req, const char *name, size_t n)
{
    struct bytes wanted = svc__bytes_z(name);
    for (size_t i = 0; i < svc_request_cookie_count(req); i++)
        if (svc__bytes_eq(req->cookies[i].name, wanted) && n-- == 0)
            return req->cookies[i].value.data;
    return NULL;
}

const char *svc_request_cookie(const svc_request *req, const char *name)
{
    return svc_request_cookie_nth(req, name, 0);
}

size_t svc_request_cookie_count(const svc_request *req)
{
    if (!req)
        return 0;
    parse_cookies(req);
    return req->cookie_count;
}

int svc_request_cookie_at(const svc_request *req, size_t index, const char **name,
                          const char **value)
{
    if (index >= svc_request_cookie_count(req))
        return SVC_ENOTFOUND;
    *name = req->cookies[index].name.data;
    *value = req->cookies[index].value.data;
    return 0;
}
