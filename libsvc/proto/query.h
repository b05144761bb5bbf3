/* Parameters of a query string or a form: application/x-www-form-urlencoded. */
#ifndef SVC_PROTO_QUERY_H
#define SVC_PROTO_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/bytes.h"

/* A decoded parameter. Both texts are NUL-terminated; svc__query_valid checks their bytes. */
struct param {
    struct bytes name, value;
    bool has_value; /* a '=' was there */
};

/*
 * Whether no byte of `raw` is NUL, escaped or not, and, when `utf8`, each name and each value is
 * UTF-8 once decoded. The escapes of `raw` must be valid: the target parser refuses others, and a
 * form must be checked by svc__uri_escapes_valid first. Allocates nothing. Any thread.
 */
bool svc__query_valid(struct bytes raw, bool utf8);

/*
 * Parses `raw` by the rules of the WHATWG URL standard: pieces between '&', empty ones skipped,
 * name and value parted by the first '=', '+' a space, %xx decoded. `*out` is an array of `*count`
 * parameters in their order; the array and the texts belong to `arena`, and `raw` is not needed any
 * more. The array is NULL when there are no parameters. No text is refused: svc__query_valid does
 * so before.
 *
 * 0, SVC_ETOOBIG for more than `max_params`, SVC_ENOMEM. `*out` and `*count` are written only on
 * success. Runs in the thread that owns the arena.
 */
int svc__query_parse(struct arena *arena, struct bytes raw, size_t max_params, struct param **out,
                     size_t *count);

#endif
