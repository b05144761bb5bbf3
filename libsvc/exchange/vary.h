/* Vary: the request's fields on which a response depends. */
#ifndef SVC_EXCHANGE_VARY_H
#define SVC_EXCHANGE_VARY_H

#include <stdbool.h>

#include <svc/response.h>

#include "libsvc/base/bytes.h"

/* Whether `names` is a list of at least one field name, or holds `*`. */
bool svc__vary_valid(struct bytes names);

/* Merges valid names into Vary. `names` is NUL-terminated and outlives the exchange. 0, SVC_ENOMEM,
 * SVC_ETOOBIG. */
int svc__vary_merge(svc_response *res, struct bytes names);

#endif
