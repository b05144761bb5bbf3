/*
 * JSON requests and answers as jansson's values. A program that makes such a value or takes one apart
 * includes <jansson.h>, whose json_t is the struct below. This header does not include it: jansson's names
 * collide with those of other JSON libraries (json-c has a type json_object), and a program in C or C++ that
 * uses one of them, or a generator of bindings, needs libsvc's headers alone.
 */
#ifndef SVC_JSON_H
#define SVC_JSON_H

#include <svc/json_writer.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

struct json_t; /* jansson's json_t */

/*
 * The request's body as JSON, parsed once. On failure this sets the answer and returns NULL, and the
 * handler returns 0: 415 when the Content-Type is not JSON or the body has a content coding that no layer
 * has decoded; 400 with line, column and reason for bad syntax, repeated keys, nesting deeper than
 * max_json_depth, whole numbers of more than 64 bits, the escape \u0000 (C strings end there), or no body;
 * 503 when out of memory. Deep nesting needs no deep stack: neither here nor when the library writes or
 * frees the tree. Jansson's own functions recurse, json_dumps with 304 bytes of stack per level. Borrowed
 * until the exchange ends; json_incref keeps it longer. For the thread that runs the handler. Since: 0.1
 */
SVC_API struct json_t *svc_request_json(svc_request *req, svc_response *res) SVC_MUST_CHECK;

/*
 * Answers with JSON built by jansson's pack format (json_pack). 0, SVC_EINVAL for a bad format or a
 * value that is not UTF-8 (when the handler returns this code, jansson's reason is logged), or
 * SVC_ENOMEM. For the thread that runs the handler. Since: 0.1
 */
SVC_API int svc_response_json(svc_response *res, int status, const char *format, ...);

/*
 * Answers with a JSON document. Its reference is taken, also on failure. Errors as for
 * svc_json_put_jansson. For the thread that runs the handler. Since: 0.1
 */
SVC_API int svc_response_json_take(svc_response *res, int status, struct json_t *json);

/*
 * Writes a jansson value, which is borrowed for the call; numbers and texts look as those of the other
 * svc_json_put_ calls. The writer fails with SVC_EINVAL when the value is NULL, contains itself or contains
 * text that is not UTF-8, and with SVC_ETOOBIG when it nests deeper than 2048 levels (jansson's own limit).
 * Deep nesting needs no deep stack. Otherwise as the other svc_json_put_ calls. Since: 0.1
 */
SVC_API void svc_json_put_jansson(svc_json_writer *w, const char *key, const struct json_t *json);

/*
 * Answers with problem details (RFC 9457) that have further members: `members` is an object such as
 * {"errors": […]}, whose reference is taken, also on failure. Its members type, title, status and detail
 * replace the default ones. Otherwise as svc_response_problem. Since: 0.1
 */
SVC_API int svc_response_problem_take(svc_response *res, int status, const char *detail,
                                      struct json_t *members);

SVC_END_DECLS

#endif
