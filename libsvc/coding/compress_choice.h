/* Whether a reply is compressed, and by which coding. */
#ifndef SVC_CODING_COMPRESS_CHOICE_H
#define SVC_CODING_COMPRESS_CHOICE_H

#include "libsvc/coding/compress_layer.h"
#include "libsvc/exchange/exchange.h"

struct compress_choice {
    struct coder *coder; /* NULL: it stays as it is */
    bool forced;         /* the client refuses the body as it is */
    bool varies;         /* another client could have got it in another form */
};

/* Decides by the request's fields and the reply's, and by the length of its body. */
struct compress_choice svc__compress_choice_make(struct compress_layer *layer,
                                                 const svc_request *req, const svc_response *res);

#endif
