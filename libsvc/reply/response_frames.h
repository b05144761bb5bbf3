/*
 * Bodies that come in frames: pieces of memory that many replies share, each rendered once. A front
 * that can sends them from where they lie; for all others such a body is a source like any other.
 */
#ifndef SVC_REPLY_RESPONSE_FRAMES_H
#define SVC_REPLY_RESPONSE_FRAMES_H

#include <stdatomic.h>
#include <stdlib.h>

#include "libsvc/exchange/exchange.h"

/*
 * A piece of a body, immutable. Its bytes stand in the framing of a chunk (RFC 9112 7.1): `head`
 * bytes of the chunk's size, `len` of the body, CRLF, and an id with its NUL.
 */
struct frame {
    _Atomic unsigned refs;
    unsigned head;
    size_t len;
    struct frame *next; /* in the queue of one stream; a shared frame is in none */
    char data[];
};

enum { FRAME_END = 2 /* bytes of the CRLF behind a chunk */ };

static inline struct bytes svc__frame_body(const struct frame *frame)
{
    return svc__bytes(frame->data + frame->head, frame->len);
}

static inline struct bytes svc__frame_chunk(const struct frame *frame)
{
    return svc__bytes(frame->data, frame->head + frame->len + FRAME_END);
}

/* NUL-terminated; "" for none. */
static inline const char *svc__frame_id(const struct frame *frame)
{
    return frame->data + frame->head + frame->len + FRAME_END;
}

static inline struct frame *svc__frame_ref(struct frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

/* Accepts NULL. */
static inline void svc__frame_unref(struct frame *frame)
{
    if (frame && atomic_fetch_sub(&frame->refs, 1) == 1)
        free(frame);
}

/* The state of a source that has frames begins with this. For the home's thread. */
struct reply_frames {
    /* The frame to send now, the same until `pass`, which ends the loan: 1. Otherwise as
     * svc_source.read. */
    int (*next)(struct reply_frames *frames, const struct frame **frame);
    void (*pass)(struct reply_frames *frames);
};

/* The frames of the response's body; NULL if it has none, or a layer has wrapped it. */
static inline struct reply_frames *svc__response_frames(const svc_response *res)
{
    bool bare = res->body.kind == REPLY_SOURCE && res->body.source.state == res->frames;
    return bare ? res->frames : NULL;
}

#endif
