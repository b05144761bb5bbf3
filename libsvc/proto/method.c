/* Finds methods by name without a search structure: nine comparisons of length and bytes. */
#include "libsvc/proto/method.h"

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
