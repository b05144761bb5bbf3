/* gzip and deflate, by zlib. */
#ifndef SVC_CODING_CODING_ZLIB_H
#define SVC_CODING_CODING_ZLIB_H

#include <svc/sys/coding.h>

/*
 * gzip (RFC 1952) and deflate, which is the zlib format (RFC 1950). The decoder of deflate takes
 * bare data of RFC 1951 too, as browsers do, since there have always been servers and clients that
 * send it: the first byte tells the two apart. The count is 0 in a build without zlib.
 */
extern const svc_sys_coding svc__coding_zlib[];
extern const size_t svc__coding_zlib_count;

#endif
