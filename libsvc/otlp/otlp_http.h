/* Requests to the receiver, one at a time, and sleep from which other threads wake. The one file
 * that knows libcurl. */
#ifndef SVC_OTLP_OTLP_HTTP_H
#define SVC_OTLP_OTLP_HTTP_H

#include <stdatomic.h>

#include "libsvc/otlp/otlp_config.h"
#include "libsvc/otlp/otlp_text.h"

/* More of an answer is not read: it only names the refused spans and the reason. */
enum { OTLP_ANSWER_MOST = 64 << 10 };

struct otlp_http;

/* The answer of the receiver. */
struct otlp_answer {
    int status;              /* 0: there was no answer */
    bool is_whole;           /* the body has ended, and is in `body` */
    uint64_t retry_after_ms; /* 0: not said */
    struct otlp_text body;   /* freed by svc__otlp_text_free */
    char error[256];         /* why there was no whole answer; "" otherwise */
};

/* Makes a client; the config is borrowed. NULL when out of memory. */
struct otlp_http *svc__otlp_http_new(const struct otlp_config *config);

/* Accepts NULL. */
void svc__otlp_http_free(struct otlp_http *http);

/* Sleeps until svc__otlp_http_wake, or for so long; it may end early. */
void svc__otlp_http_sleep(struct otlp_http *http, uint64_t ms);

/* Ends a sleep, or the next one, and has svc__otlp_http_post look at its deadline. Any thread. */
void svc__otlp_http_wake(struct otlp_http *http);

/*
 * Posts a body and waits for the answer: at most `timeout_ms`, and until `*deadline_ms` on the
 * clock of svc__otlp_clock_ms, which another thread may bring forward; 0 is none. Fills `answer`.
 */
void svc__otlp_http_post(struct otlp_http *http, const struct otlp_text *body, uint64_t timeout_ms,
                         const _Atomic uint64_t *deadline_ms, struct otlp_answer *answer);

/* Milliseconds on a clock that only goes forward, and is not 0. Any thread. */
uint64_t svc__otlp_clock_ms(void);

#endif
