/* The meaning of a receiver's answer for a batch, by the protocol's rules. */
#ifndef SVC_OTLP_OTLP_VERDICT_H
#define SVC_OTLP_OTLP_VERDICT_H

#include <stddef.h>

#include <svc/types.h>

enum otlp_verdict {
    OTLP_TAKEN,   /* the receiver has the batch, except for spans that it has rejected */
    OTLP_REFUSED, /* it will never take it */
    OTLP_AGAIN    /* the same batch is to be sent again, later */
};

/* The spans of a batch that were rejected, and why. */
struct otlp_rejection {
    uint64_t count;
    char message[256]; /* "" for none */
};

/*
 * The verdict of an answer with that status, 0 for none, and that body, of which any bytes may have
 * come. Fills `rejection` from the body of one that was taken: `count` is at most `batch`.
 */
enum otlp_verdict svc__otlp_verdict_read(int status, const char *body, size_t len, size_t batch,
                                         struct otlp_rejection *rejection);

#endif
