/* Binds parameters, which are texts: of a query, a form or a path. */
#ifndef SVC_BIND_BIND_TEXT_H
#define SVC_BIND_BIND_TEXT_H

#include "libsvc/bind/binding.h"
#include "libsvc/proto/query.h"

/* Binds parameters to the binding's struct, which points into their values, and collects
 * violations. The schema has no nested fields. */
void svc__bind_text(struct binding *b, const struct param *params, size_t count);

#endif
