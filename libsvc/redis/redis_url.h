/* The place of a server, from the URL of a store. */
#ifndef SVC_REDIS_REDIS_URL_H
#define SVC_REDIS_REDIS_URL_H

#include <svc/sys/store.h>

enum {
    REDIS_HOST_BYTES = 256,
    REDIS_SECRET_BYTES = 1024, /* the longest user or password */
    REDIS_PATH_BYTES = 108,    /* of a unix socket, its NUL included, as the system has it */
    REDIS_DB_MOST = 1000000
};

struct redis_url {
    char host[REDIS_HOST_BYTES]; /* "": a unix socket */
    char port[6];
    char path[REDIS_PATH_BYTES];
    char user[REDIS_SECRET_BYTES + 1], password[REDIS_SECRET_BYTES + 1]; /* "": none */
    const char *password_file; /* NULL: none; borrowed from the place */
    uint64_t db;
    uint64_t connect_timeout_ms;
    uint64_t cache_mb; /* 0: no cache */
};

/*
 * Reads
 *
 *     redis://[user[:password]@]host[:port][/db]
 *     redis+unix:[//[user[:password]@]]/path
 *
 * and the parameters `db`, `password_file`, `connect_timeout_ms` and `cache_mb`. User, password and
 * path may have %XX. 0, or SVC_EINVAL with a reason in `*why`, static and without a secret. Pure.
 */
int svc__redis_url_read(struct redis_url *url, const svc_sys_store_place *place, const char **why);

#endif
