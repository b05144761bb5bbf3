/* The list of routes, which development mode puts into its 404. */
#ifndef SVC_JSON_DEVELOPMENT_ROUTES_H
#define SVC_JSON_DEVELOPMENT_ROUTES_H

#include <svc/types.h>

/* Answers 404 with the list of routes, which would help attackers too. */
int svc__development_routes_answer(svc_request *req, svc_response *res);

#endif
