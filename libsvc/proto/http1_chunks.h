/*
 * Reads the chunks of a body (RFC 9112 7.1) from the bytes as they come, strictly: what a more
 * lenient reader could take for another size or another end is refused.
 */
#ifndef SVC_PROTO_HTTP1_CHUNKS_H
#define SVC_PROTO_HTTP1_CHUNKS_H

#include <stdint.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/http1_head.h"

enum {
    HTTP1_CHUNK_FRAMING = 1024, /* bytes before a chunk's data: its size and extensions */
    /* All extensions may be that much longer than the data: a signature for each large chunk
     * passes, and a body that is mostly extensions does not. */
    HTTP1_CHUNK_EXTENSIONS = 4096
};

/* Where a reading stands; all zeros at first. */
struct http1_chunks {
    int state;
    unsigned framing; /* bytes before this chunk's data so far */
    uint64_t left;    /* bytes of the chunk, as far as they are not taken */
    uint64_t excess;  /* bytes of extensions beyond those that the data allows */
};

/*
 * Takes the next piece of the body's data off `*rest`, with the framing before it. Nothing is
 * copied, and what is taken need not be kept: `*rest` may begin at another address in each call.
 *
 * Returns:
 *   0 with the piece in `*piece`, which points into `*rest`. If it is empty, the last chunk is
 *     taken: svc__http1_head_trailers reads what follows, and this call is not made again.
 *   HTTP1_PART, when all of `*rest` is taken, and is framing.
 *   The status to refuse with, and a static text in `*reason`: 400 malformed framing; 413 a chunk
 *     over INT64_MAX, or extensions that are too long.
 * `*piece` is written only on success. The data, the end and the status depend on the bytes alone,
 * and not on the pieces in which they come. Any thread.
 */
int svc__http1_chunks_next(struct http1_chunks *c, struct bytes *rest, struct bytes *piece,
                           const char **reason);

#endif
