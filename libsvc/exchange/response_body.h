/* The body of a response: memory, a source, or a part of a file. */
#ifndef SVC_EXCHANGE_RESPONSE_BODY_H
#define SVC_EXCHANGE_RESPONSE_BODY_H

#include <stddef.h>
#include <stdint.h>

#include <svc/response.h>

#include "libsvc/base/shared_fd.h"

enum reply_kind { REPLY_EMPTY, REPLY_MEMORY, REPLY_SOURCE, REPLY_FILE };

struct response_body {
    enum reply_kind kind;
    const char *data;
    size_t len; /* in memory or of the file's part; of a source, the bytes read so far */
    void (*release)(void *data);
    svc_source source;
    int fd;                   /* of a file, owned unless it is shared */
    struct shared_fd *shared; /* whose descriptor that is, by a reference of its own; or NULL */
    uint64_t offset;
};

/* Leaves the body empty: memory is released, a source or a file closed. */
void svc__response_body_drop(struct response_body *body);

#endif
