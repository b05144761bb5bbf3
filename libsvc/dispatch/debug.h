/* What replies tell in development mode, and never else: it is of use to attackers too. */
#ifndef SVC_DISPATCH_DEBUG_H
#define SVC_DISPATCH_DEBUG_H

#include "libsvc/exchange/exchange.h"

/* Why a request failed, as detail of its 500: `who` failed with `error` (0: gave no answer). In the
 * exchange's arena; NULL outside of development mode and without memory. */
const char *svc__debug_failure(struct exchange *x, const char *who, int error);

#endif
