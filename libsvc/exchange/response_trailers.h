/* The trailer fields of a reply, from the side of its home. */
#ifndef SVC_EXCHANGE_RESPONSE_TRAILERS_H
#define SVC_EXCHANGE_RESPONSE_TRAILERS_H

#include "libsvc/exchange/exchange.h"

/* A function that gives trailer fields, in a list of a response's. */
struct trailers_asked {
    svc_trailers_fn *fn;
    void *arg;
    struct trailers_asked *next;
};

/* Appends the functions of `from` to those of `to`, which uses the memory of `from` from now on. */
void svc__response_trailers_move(svc_response *to, svc_response *from);

/*
 * Asks for the trailer fields of a reply whose body has ended: once, and only if
 * svc__exchange_reply_trails is true. Returns a response that has these fields and nothing else,
 * and lives as long as the exchange. NULL: a function has failed, which is logged, and the reply
 * must be cut. The home's thread.
 */
const svc_response *svc__response_trailers_ask(struct exchange *x);

#endif
