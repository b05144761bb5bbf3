/* The compression layer as its constructor makes it. */
#ifndef SVC_CODING_COMPRESS_LAYER_H
#define SVC_CODING_COMPRESS_LAYER_H

#include <svc/compress.h>

#include "libsvc/coding/coded_cache.h"
#include "libsvc/coding/coder.h"
#include "libsvc/coding/codings.h"

/* Bodies of up to this size are compressed at once, so that their length is known; larger ones
 * would hold a loop for too long. */
enum { COMPRESS_AT_ONCE = 131072 };

struct compress_layer {
    svc_middleware middleware;
    svc_compress options;             /* with texts of its own */
    struct bytes types;               /* of the options; or "none" */
    struct coder coders[CODINGS_MAX]; /* in the order of preference; known once started */
    size_t coder_count;
    struct coded_cache *cache; /* NULL: none */
};

#endif
