/* An app with a response cache, and a handler behind it that counts its runs: the tests of the
 * cache say what it replies. */
#ifndef TESTS_API_ORIGIN_H
#define TESTS_API_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <svc.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define CC "Cache-Control"

enum { ORIGIN_HEADERS = 12 };

/* The handler's next reply. */
struct origin {
    int runs, status, error;
    const char *headers[ORIGIN_HEADERS]; /* name, value, …, NULL */
    const char *body;
    const char *if_none_match; /* of the last request */
    bool checks, streams, fails, trails, waits, purges;
    const char *file;
    const char *outer; /* X-Outer, which a layer outside of the cache sets; NULL: it sets none */
    int64_t age;
};

extern struct origin origin;
extern svc_app *origin_app;
extern svc_response_cache *origin_cache;
extern svc_reply *origin_inner; /* of the request that the handler has made meanwhile, by `waits` */

/* The handler. */
int origin_answer(svc_request *req, svc_response *res);

/* Makes the app, whose handler is that of /thing and /other. NULL: default options. */
void origin_make(const svc_response_cache_options *options);
void origin_begin(void);
void origin_end(void);

/* Sets the fields of the next replies: names and values, and NULL behind them. */
void origin_reply_with(const char *name, ...);

/* The reply to a request, to be freed. `headers` are names and values with NULL behind them, or
 * NULL. The second asks by GET for /thing with one field, or none. */
svc_reply *origin_ask_as(const char *method, const char *target, const char *const *headers);
svc_reply *origin_ask(const char *name, const char *value);

/* The value of a reply's field, or "". */
const char *origin_field(const svc_reply *reply, const char *name);

/* Expects a status and a body, or a Cache-Status, and frees the reply. */
#define ORIGIN_EXPECT(reply, wanted, text)                                                         \
    do {                                                                                           \
        svc_reply *got = (reply);                                                                  \
        cr_expect_eq(svc_reply_status(got), (wanted), "%d", svc_reply_status(got));                \
        cr_expect_str_eq(svc_reply_body(got, NULL), (text));                                       \
        svc_reply_free(got);                                                                       \
    } while (0)

void origin_expect_status(svc_reply *reply, const char *text);

/* Purges, asks twice, and expects so many runs of the handler. */
void origin_expect_runs(int runs);

#endif
