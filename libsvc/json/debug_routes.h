/* The list of routes that development mode answers with where none matches. */
#ifndef SVC_JSON_DEBUG_ROUTES_H
#define SVC_JSON_DEBUG_ROUTES_H

#include <svc/types.h>

/* Answers 404 with the routes that there are: for attackers it is of use too. */
int svc__debug_routes_answer(svc_request *req, svc_response *res);

#endif
