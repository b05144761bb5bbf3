/* A reply whose head waits for the first byte of its body. */
#ifndef SVC_REPLY_RESPONSE_HOLD_H
#define SVC_REPLY_RESPONSE_HOLD_H

#include "libsvc/exchange/exchange.h"

/* Whether the response has asked for a head that waits, and has a source that it can wait for. */
static inline bool svc__response_hold_wanted(const svc_response *res)
{
    return res->holds_head && res->body.kind == REPLY_SOURCE;
}

/*
 * Puts a source before that of the response. Its first read that does not return SVC_EAGAIN keeps
 * the bytes and returns their number; later reads yield the kept bytes, and then the rest. 0 or
 * SVC_ENOMEM.
 */
int svc__response_hold_begin(svc_response *res);

#endif
