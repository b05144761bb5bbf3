/* What the library does to a response beside what the public calls do. */
#ifndef SVC_EXCHANGE_RESPONSE_INTERNAL_H
#define SVC_EXCHANGE_RESPONSE_INTERNAL_H

#include "libsvc/base/bytes.h"
#include "libsvc/exchange/exchange.h"

/* Back to nothing answered: status, headers and body go. */
void svc__response_reset(svc_response *res);

/* Gives up the body: memory is released, a source closed. */
void svc__response_drop_body(svc_response *res);

/* Sets the Content-Type, which is copied; NULL leaves it as it is. 0, SVC_EINVAL, SVC_ENOMEM,
 * SVC_ETOOBIG. */
int svc__response_put_type(svc_response *res, const char *type);

/* Sets a header field that needs no check, with static or arena text. 0, SVC_ENOMEM, SVC_ETOOBIG.
 */
int svc__response_put(svc_response *res, struct bytes name, struct bytes value);

/* Copies the header fields of `from`, whose text stays where it is. Those of one name stay
 * together, and replace those that were there. 0, SVC_ENOMEM or SVC_ETOOBIG, and `to` is unchanged.
 */
int svc__response_merge_fields(svc_response *to, const svc_response *from);

/* Answers with a refusal that is rendered already, static: problem details, or, for a client that
 * takes none, text. As svc_response_static. */
int svc__response_refusal(svc_response *res, int status, struct bytes problem, struct bytes text);

/* As svc_response_static, with a type that is static and needs no check. */
int svc__response_constant(svc_response *res, int status, const char *type, struct bytes body);

/* Answers with rendered bytes, which are copied: into the arena when they are few. The memory of
 * many becomes the response's instead, and `text` is left empty. `type` is static and needs no
 * check. */
int svc__response_rendered(svc_response *res, int status, const char *type, struct buf *text);

/* The host's scratch buffer, emptied, for rendering; given back with svc__response_scratch_done. */
struct buf *svc__response_scratch(svc_response *res);

/* Keeps the scratch buffer for the next rendering, unless it has grown large. */
void svc__response_scratch_done(svc_response *res);

/* Moves the scratch buffer to `out`, for a rendering during which others may need one: the host is
 * left with an empty one. To be given back with svc__response_scratch_give, or freed. */
void svc__response_scratch_take(svc_response *res, struct buf *out);

/* Gives a buffer back, of which the host keeps the memory where it is worth it. It is then empty.
 */
void svc__response_scratch_give(svc_response *res, struct buf *taken);

#endif
