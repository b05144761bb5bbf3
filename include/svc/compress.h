/*
 * Compression of replies: a layer that gives each body the content coding that its client likes best, where
 * that saves something. docs/compression.md has its place in the stack, what it costs, and when compression
 * gives secrets away (BREACH).
 *
 * gzip and deflate are built in, if zlib was found; libsvc-compress (svc/zstd_brotli.h) adds zstd and br.
 */
#ifndef SVC_COMPRESS_H
#define SVC_COMPRESS_H

#include <svc/middleware.h>

SVC_BEGIN_DECLS

/* How a layer compresses. Begin with SVC_COMPRESS_INIT. */
typedef struct svc_compress {
    size_t size; /* set by SVC_COMPRESS_INIT */

    /* The codings to use, best first, for clients that like several equally: "br, gzip". NULL: all that the app
     * has, in the order zstd, br, gzip, deflate. */
    const char *codings;

    /* Media types to compress beside those that the library knows as compressible (text of all kinds, JSON,
     * XML, JavaScript, WebAssembly, SVG and the like): "application/x-ours, model/\*". NULL: none. */
    const char *types;

    /* Shorter bodies are sent as they are. Bytes. */
    size_t min_bytes;

    /* The level of each coding, as far as it has that one: gzip and deflate have 1 to 9, br 1 to 11, zstd 1 to
     * 19. 0: each coding's own, 6, 4 and 3. */
    int level;

    /* If not 0, the level falls as the event loop comes late to its work, down to the quickest at so many
     * milliseconds. */
    unsigned busy_ms;

    /* Memory for the compressed forms of replies that may repeat, for all threads together: bodies of up to
     * 128 KiB in memory, and files of that size. Bytes; 0: none are kept. */
    size_t cache_bytes;
} svc_compress;

#define SVC_COMPRESS_INIT                                                                          \
    {                                                                                              \
        sizeof(svc_compress), NULL, NULL, 1024, 0, 0, 8388608                                      \
    }

/*
 * Makes a layer that compresses replies, for svc_app_use, svc_group_use or a route. The coding is the one of the
 * highest weight in Accept-Encoding (RFC 9110 12.5.3); of several the first of `codings`. A client that refuses
 * identity (`identity;q=0`) gets any body compressed; one that refuses everything gets the body as it is: the
 * layer answers no 406. These replies stay as they are:
 *
 * - bodies that are short, or of a type that does not shrink, or that have not shrunk by a 16th;
 * - replies with Content-Encoding, Content-Range, a digest of their bytes (RFC 9530), or no-transform in
 *   Cache-Control, which a handler sets for a reply that must not be compressed;
 * - replies to requests with Range, so that the part is one of the body as it is.
 *
 * A reply that could have been compressed has Accept-Encoding in Vary. One that is has a weak ETag in place of a
 * strong one: `If-None-Match` finds it, and If-Match does not (RFC 9110 13.1.1). Bodies in memory and files of up
 * to 128 KiB are compressed at once, and have a Content-Length; larger ones, sources, pipes and writers are
 * compressed as they are sent. Whenever a stream has no more bytes for the moment, the client gets all that were
 * written. A reply to HEAD has the fields that GET would have.
 *
 * `options` are copied; NULL stands for SVC_COMPRESS_INIT. The layer is owned by the app. NULL, also kept as a
 * set-up error, for bad options or when out of memory. Codings that the app does not have are reported when it
 * starts. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_compress_new(svc_app *app, const svc_compress *options);

SVC_END_DECLS

#endif
