/* br, by Brotli's library. */
#ifndef SVC_COMPRESS_COMPRESS_BROTLI_H
#define SVC_COMPRESS_COMPRESS_BROTLI_H

#include <svc/sys/coding.h>

extern const svc_sys_coding svc__compress_brotli;

#endif
