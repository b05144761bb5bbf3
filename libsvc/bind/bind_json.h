/* Binds a JSON document. */
#ifndef SVC_BIND_BIND_JSON_H
#define SVC_BIND_BIND_JSON_H

#include "libsvc/bind/binding.h"

struct json_t;

/*
 * Binds a document to the binding's struct and collects violations, without recursion. The struct
 * points to strings and JSON in the document, which must live as long.
 */
void svc__bind_json(struct binding *b, struct json_t *document);

/* Binds the body of a request, read by svc_request_json. False when that call has answered. */
bool svc__bind_json_body(struct binding *b, svc_request *req, svc_response *res);

#endif
