/* Looks status codes up by a switch, which is generated from the list in the header. */
#include "libsvc/proto/status.h"

#include <stddef.h>

const char *svc__status_text(int status)
{
    switch (status) {
#define STATUS_CASE(code, text)                                                                    \
    case code:                                                                                     \
        return text;
        STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    default:
        return NULL;
    }
}

bool svc__status_bodiless(int status)
{
    return (status >= 100 && status < 200) || status == 204 || status == 304;
}
