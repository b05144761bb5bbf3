/* MD5 (RFC 1321), by which ketama spreads servers and keys. It protects nothing here, and must not:
 * the servers that all clients choose for a key have to be the same. */
#ifndef SVC_MEMCACHED_MEMCACHED_MD5_H
#define SVC_MEMCACHED_MEMCACHED_MD5_H

#include <stddef.h>
#include <stdint.h>

/* The digest of `len` bytes, as four numbers of which each stands least significant byte first in
 * the digest. */
void svc__memcached_md5_sum(const void *data, size_t len, uint32_t digest[4]);

#endif
