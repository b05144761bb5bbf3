/* What the tests of idempotency keys share: a service that makes payments, and its clients. */
#ifndef TESTS_API_IDEMPOTENCY_STAGE_H
#define TESTS_API_IDEMPOTENCY_STAGE_H

#include <svc.h>

extern svc_app *payments_app;
extern svc_group *payments_group;
extern int handled;     /* payments that were made */
extern int next_status; /* of a payment, or the error of its handler */

/* Before and after each test. */
void open_payments(void);
void close_payments(void);

svc_handler pay;

/* Options by which the field Authorization names the caller. */
svc_idempotency by_authorization(void);

/* Adds the routes of payments, under the middleware of these options, or of the ones above. */
void add_payments(const svc_idempotency *keys);
void open_default(void);

/* A request; a NULL `key` or `caller` is no field, a NULL body none. The caller frees the reply. */
svc_reply *send_to(const char *method, const char *target, const char *caller, const char *key,
                   const char *body);
svc_reply *post(const char *caller, const char *key, const char *body);

/* Compares the status, and a part of the body; frees the reply. */
void expect_reply(svc_reply *reply, int status, const char *text);

/* The requests that were counted by this result. */
double results(const char *result);

#endif
