/* The library's own calls on a response, beside the public ones. */
#ifndef SVC_EXCHANGE_RESPONSE_INTERNAL_H
#define SVC_EXCHANGE_RESPONSE_INTERNAL_H

#include "libsvc/base/bytes.h"
#include "libsvc/exchange/exchange.h"

/* The first field of that name, in any case; NULL: there is none. */
static inline const struct field *svc__response_find(const svc_response *res, struct bytes name)
{
    return svc__fields_find(res->fields, res->field_count, name);
}

/* Removes status, header fields and body: nothing has answered then. */
void svc__response_reset(svc_response *res);

/* Drops the body: memory is released, a source closed. */
void svc__response_drop_body(svc_response *res);

/* Sets the Content-Type, which is copied; NULL leaves it as it is. 0, SVC_EINVAL, SVC_ENOMEM,
 * SVC_ETOOBIG. */
int svc__response_put_type(svc_response *res, const char *type);

/* Sets a header field that needs no check, with static or arena text. 0, SVC_ENOMEM, SVC_ETOOBIG.
 */
int svc__response_put(svc_response *res, struct bytes name, struct bytes value);

/* Copies the header fields of `from`, but not their text. They replace those of the same name in
 * `to`; several of one name are all kept. 0, or SVC_ENOMEM or SVC_ETOOBIG: `to` is unchanged then.
 */
int svc__response_merge_fields(svc_response *to, const svc_response *from);

/* Answers with a refusal in static memory: problem details, or text for a client that does not
 * accept them. As svc_response_static. */
int svc__response_refusal(svc_response *res, int status, struct bytes problem, struct bytes text);

/* As svc_response_static, with a type that is static and needs no check. */
int svc__response_constant(svc_response *res, int status, const char *type, struct bytes body);

/* Answers with rendered bytes. Few are copied into the arena; the memory of many becomes the
 * response's, and `text` is left empty. `type` is static and needs no check. */
int svc__response_rendered(svc_response *res, int status, const char *type, struct buf *text);

/* The host's scratch buffer, emptied, for rendering; given back with svc__response_scratch_done. */
struct buf *svc__response_scratch(svc_response *res);

/* Keeps the scratch buffer for the next rendering, unless it has grown large. */
void svc__response_scratch_done(svc_response *res);

/* Moves the scratch buffer to `out`, for a rendering during which others may need one, and leaves
 * the host an empty one. To be given back with svc__response_scratch_give, or freed. */
void svc__response_scratch_take(svc_response *res, struct buf *out);

/* Gives a buffer back, and leaves it empty: the host keeps the larger of its memory and the host's
 * own, unless that is too large to keep. */
void svc__response_scratch_give(svc_response *res, struct buf *taken);

#endif
