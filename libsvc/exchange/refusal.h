/* What the library answers by itself from more than one place: a status and its detail, which are
 * two arguments. */
#ifndef SVC_EXCHANGE_REFUSAL_H
#define SVC_EXCHANGE_REFUSAL_H

#define REFUSAL_NO_MEMORY 503, "out of memory"
#define REFUSAL_STOPPING 503, "the service is stopping"
#define REFUSAL_BODY_OVER 413, "the request body is over the limit"

#endif
