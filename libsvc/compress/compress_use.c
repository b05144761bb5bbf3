/* The calls of programs, which hand the codings to the base library. */
#include <svc/zstd_brotli.h>

#include "libsvc/compress/compress_brotli.h"
#include "libsvc/compress/compress_zstd.h"

int svc_zstd_use(svc_app *app)
{
    return svc_sys_app_add_coding(app, &svc__compress_zstd);
}

int svc_brotli_use(svc_app *app)
{
    return svc_sys_app_add_coding(app, &svc__compress_brotli);
}
