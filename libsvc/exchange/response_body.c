/* The body of a response. */
#include "libsvc/exchange/response_body.h"

void svc__response_body_drop(struct response_body *body)
{
    if (body->kind == REPLY_EMPTY)
        return;
    struct response_body dropped = *body;
    *body = (struct response_body){.kind = REPLY_EMPTY};
    if (dropped.kind == REPLY_MEMORY && dropped.release)
        dropped.release((void *)(uintptr_t)dropped.data);
    if (dropped.kind == REPLY_SOURCE && dropped.source.close)
        dropped.source.close(dropped.source.state);
    if (dropped.kind == REPLY_FILE)
        svc__shared_fd_end(dropped.fd, dropped.shared);
}
