/* A body lies behind its head in one piece of memory, so that a response's release finds the head.
 */
#include "libsvc/ops/shared_body.h"

#include <stdlib.h>

#include <svc/response.h>

struct shared_body {
    _Atomic unsigned refs;
    _Atomic size_t *held;
    size_t len;
    char data[];
};

void svc__shared_body_begin(struct buf *b, size_t ceiling)
{
    svc__buf_init(b, sizeof(struct shared_body) + ceiling);
    if (svc__buf_reserve(b, sizeof(struct shared_body)) != NULL)
        b->len = sizeof(struct shared_body);
}

struct bytes svc__shared_body_view(const struct buf *b)
{
    if (b->len < sizeof(struct shared_body))
        return svc__bytes(NULL, 0);
    return svc__bytes(b->data + sizeof(struct shared_body), b->len - sizeof(struct shared_body));
}

struct shared_body *svc__shared_body_make(struct buf *b, _Atomic size_t *held)
{
    if (svc__buf_error(b) != 0) {
        svc__buf_free(b);
        return NULL;
    }
    size_t len = b->len;
    void *memory = realloc(b->data, len); /* the memory beyond it is given back */
    struct shared_body *body = memory != NULL ? memory : (void *)b->data;
    svc__buf_init(b, b->ceiling);
    atomic_init(&body->refs, 1);
    body->held = held;
    body->len = len - sizeof *body;
    atomic_fetch_add_explicit(held, body->len, memory_order_relaxed);
    return body;
}

void svc__shared_body_unref(struct shared_body *body)
{
    if (body == NULL || atomic_fetch_sub(&body->refs, 1) > 1)
        return;
    atomic_fetch_sub_explicit(body->held, body->len, memory_order_relaxed);
    free(body);
}

static void release(void *data)
{
    svc__shared_body_unref((void *)((char *)data - offsetof(struct shared_body, data)));
}

int svc__shared_body_answer(struct shared_body *body, svc_response *res, int status,
                            const char *type)
{
    atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
    return svc_response_take(res, status, type, body->data, body->len, release);
}
