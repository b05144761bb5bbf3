/*
 * The content codings zstd (RFC 8878) and br (RFC 7932), for replies (svc/compress.h) and for the bodies of
 * requests. This is a library of its own (libsvc-compress, `pkg-config --libs libsvc-compress`), and <svc.h> does
 * not include this header.
 *
 *     svc_app *app = svc_app_new("notes");
 *     svc_zstd_use(app);
 *     svc_brotli_use(app);
 *     svc_app_use(app, svc_compress_new(app, NULL));
 *
 * Clients that accept all of them get zstd, then br, then gzip; svc_compress.codings sets another order. Windows
 * are at most 8 MiB for zstd (RFC 9659) and 16 MiB for br, in both directions.
 */
#ifndef SVC_ZSTD_BROTLI_H
#define SVC_ZSTD_BROTLI_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Adds zstd to the codings of the app and of apps mounted on it. Levels are 1 to 19, 3 if none is chosen. 0;
 * SVC_ESTATE when the app has it already or has started; SVC_ENOMEM, also for a NULL app. All are kept as set-up
 * errors. Before start only. Since: 0.1
 */
SVC_API int svc_zstd_use(svc_app *app);

/* As svc_zstd_use, for br. Levels are 1 to 11, 4 if none is chosen; those from 10 on are for bodies that are kept
 * for long, since they take a hundred times as long. Since: 0.1 */
SVC_API int svc_brotli_use(svc_app *app);

SVC_END_DECLS

#endif
