/* Answers that the library gives by itself from more than one place: a status and its detail, which
 * are two arguments, or the members of a struct refusal. */
#ifndef SVC_EXCHANGE_REFUSAL_H
#define SVC_EXCHANGE_REFUSAL_H

#define REFUSAL_NO_MEMORY 503, "out of memory"
#define REFUSAL_STOPPING 503, "the service is stopping"
#define REFUSAL_LATE 504, "the request took too long"
#define REFUSAL_CODED 415, "the body has a content coding, and none is taken"
#define REFUSAL_BODY_OVER 413, "the request body is over the limit"

struct refusal {
    int status;
    const char *detail; /* may be NULL */
};

#endif
