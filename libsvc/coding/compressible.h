/* Which media types shrink when they are compressed. */
#ifndef SVC_CODING_COMPRESSIBLE_H
#define SVC_CODING_COMPRESSIBLE_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/* Whether a Content-Type is one of a format that compression makes smaller. False for a malformed
 * or unknown one. Any thread. */
bool svc__compressible_known(struct bytes content_type);

/* Whether `list` is media types separated by commas, whose subtype may be `*`. Any thread. */
bool svc__compressible_list_valid(struct bytes list);

/* Whether a Content-Type is in such a list. Any thread. */
bool svc__compressible_listed(struct bytes content_type, struct bytes list);

#endif
