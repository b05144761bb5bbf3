/* Finds methods by name without a search structure: nine comparisons of length and bytes for the
 * methods that the library acts on, a binary search for the others, which are rare. */
#include "libsvc/proto/method.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/proto/token.h"

#define METHOD_NAME(name) [METHOD_##name] = #name,
static const char *const names[METHOD_COUNT] = {METHOD_LIST(METHOD_NAME)};
#undef METHOD_NAME

bool svc__method_valid(struct bytes name)
{
    return svc__token_valid(name);
}

enum method svc__method_find(struct bytes name)
{
#define METHOD_MATCH(known)                                                                        \
    if (name.len == sizeof(#known) - 1 && memcmp(name.data, #known, sizeof(#known) - 1) == 0)      \
        return METHOD_##known;
    METHOD_LIST(METHOD_MATCH)
#undef METHOD_MATCH
    return METHOD_OTHER;
}

const char *svc__method_name(enum method method)
{
    return names[method];
}

/* The HTTP Method Registry of the IANA, in its order. */
static const char *const registry[] = {
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
};

static int compare_name(const void *key, const void *entry)
{
    const struct bytes *name = key;
    const char *const *known = entry;
    size_t known_len = strlen(*known), shorter = name->len < known_len ? name->len : known_len;
    int order = memcmp(name->data, *known, shorter);
    return order ? order : (name->len > known_len) - (name->len < known_len);
}

bool svc__method_registered(struct bytes name)
{
    return name.len > 0 && bsearch(&name, registry, sizeof registry / sizeof *registry,
                                   sizeof *registry, compare_name);
}
