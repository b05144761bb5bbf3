/* The handler of files. */
#ifndef SVC_FILES_FILES_SERVE_H
#define SVC_FILES_FILES_SERVE_H

#include <svc/types.h>

/* Serves a folder: the route's arg is a struct folder, and its last wildcard has the path. */
int svc__files_serve(svc_request *req, svc_response *res);

#endif
