/* Checks a text by reading its tokens to the end. */
#include "libsvc/base/json_check.h"

#include "libsvc/base/json_scan.h"

_Static_assert((int)JSON_CHECK_DEPTH <= (int)JSON_SCAN_DEPTH, "what is checked is read");

bool svc__json_check(struct bytes text, unsigned max_depth)
{
    struct json_scan scan;
    enum json_token token;
    svc__json_scan_begin(&scan, text, max_depth);
    do {
        token = svc__json_scan_next(&scan);
    } while (token > JSON_TOKEN_DONE);
    return token == JSON_TOKEN_DONE;
}
