/* The trailer fields of a reply, as its home asks for them. */
#ifndef SVC_EXCHANGE_RESPONSE_TRAILERS_H
#define SVC_EXCHANGE_RESPONSE_TRAILERS_H

#include "libsvc/exchange/exchange.h"

/* A function that is asked for trailer fields. */
struct trailers_asked {
    svc_trailers_fn *fn;
    void *arg;
    struct trailers_asked *next;
};

/* Has those of `from` asked behind those of `to`, which uses the memory of `from` from now on. */
void svc__response_trailers_move(svc_response *to, svc_response *from);

/* Makes the body of a decided reply a source, whatever it was: one that trailers follow is read
 * piece by piece. For a reply of which svc__exchange_reply_trails is true. 0 or SVC_ENOMEM. */
int svc__response_trailers_begin(struct exchange *x);

/*
 * Asks for the trailer fields of a reply, whose body has ended: once, where
 * svc__exchange_reply_trails. The fields are those of a response that has nothing else, and live as
 * long as the exchange; NULL, which is logged: the reply must be cut. The home's thread.
 */
const svc_response *svc__response_trailers_ask(struct exchange *x);

#endif
