/* zstd, by libzstd. */
#ifndef SVC_COMPRESS_COMPRESS_ZSTD_H
#define SVC_COMPRESS_COMPRESS_ZSTD_H

#include <svc/sys/coding.h>

extern const svc_sys_coding svc__compress_zstd;

#endif
