/* Calls of other services, by libcurl: each is a span of the request's trace, has the request's
 * time left, and ends when the request is cancelled. */
#ifndef SEARCH_CLIENT_H
#define SEARCH_CLIENT_H

#include <svc.h>

/* Connections that are kept from call to call. Any thread. */
struct client;

/* NULL when out of memory. */
struct client *client_new(void);

/* Accepts NULL. No call may be under way. */
void client_free(struct client *client);

struct answer {
    int status;
    char *body; /* NUL-terminated; freed by answer_clear */
    size_t len;
};

/*
 * Asks another service with a GET, and waits: for workers. `name` is that of the call's span, one
 * of few, such as "GET /notes/{id}". 0, with the answer, whatever its status; SVC_ECANCELLED when
 * the request's time is over or nobody waits for its answer; SVC_ESYSTEM when the service cannot be
 * asked; SVC_ETOOBIG; or SVC_ENOMEM. `answer` is to be cleared in any case.
 */
int client_get(struct client *client, svc_request *req, const char *name, const char *url,
               struct answer *answer);

void answer_clear(struct answer *answer);

#endif
