/* A form that was read: its fields, by whichever parser. */
#ifndef SVC_FORM_FORM_H
#define SVC_FORM_FORM_H

#include <svc/form.h>

#include "libsvc/proto/query.h"

struct svc_form {
    svc_request *req;
    struct param *fields; /* in the arena of the request */
    size_t count;
};

#endif
