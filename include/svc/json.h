/* JSON in and out, by jansson. */
#ifndef SVC_JSON_H
#define SVC_JSON_H

#include <jansson.h>

#include <svc/json_writer.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * The request's body as JSON, parsed once. On failure answers and returns NULL, so that a handler
 * only returns: 415 when the Content-Type is not JSON, or the body has a content coding that no layer
 * has decoded, 400 with line, column and reason for bad
 * syntax, repeated keys, nesting deeper than max_json_depth, whole numbers of more than 64 bits, the
 * escape \u0000, where strings of C end, or no body, 503 when memory ran out. Depth needs no stack:
 * neither here nor when the tree is written or freed by the library. Jansson's own functions recurse,
 * json_dumps by 304 bytes for each level. Borrowed until the exchange ends; json_incref keeps it. For
 * the thread that runs the handler. Since: 0.1
 */
SVC_API json_t *svc_request_json(svc_request *req, svc_response *res) SVC_MUST_CHECK;

/*
 * Answers with JSON built by jansson's pack format (json_pack). 0, SVC_EINVAL for a bad format or a
 * value that is not UTF-8, with jansson's reason in the log when the handler returns that, or
 * SVC_ENOMEM. For the thread that runs the handler. Since: 0.1
 */
SVC_API int svc_response_json(svc_response *res, int status, const char *format, ...);

/*
 * Answers with a JSON document, whose reference is taken, also on failure. Errors as for
 * svc_json_put_jansson. For the thread that runs the handler. Since: 0.1
 */
SVC_API int svc_response_json_take(svc_response *res, int status, json_t *json);

/*
 * Writes a value of jansson's, which is borrowed for the call, its numbers and texts as the other
 * svc_json_put_ calls do. The writer fails with SVC_EINVAL when it is NULL, holds itself or text that
 * is not UTF-8, and with SVC_ETOOBIG when it nests deeper than 2048 levels, as many as jansson
 * reads. No depth needs more stack. Otherwise as the other svc_json_put_ calls. Since: 0.1
 */
SVC_API void svc_json_put_jansson(svc_json_writer *w, const char *key, const json_t *json);

/*
 * Answers with problem details (RFC 9457) that carry more members: `members` is an object, whose
 * reference is taken, also on failure, such as {"errors": […]}; type, title, status and detail in
 * it override. Otherwise as svc_response_problem. Since: 0.1
 */
SVC_API int svc_response_problem_take(svc_response *res, int status, const char *detail,
                                      json_t *members);

SVC_END_DECLS

#endif
