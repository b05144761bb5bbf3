/*
 * The steps that must be one on the server, in Lua. Each has one key. They are asked for by their
 * hashes, and sent whole when the server does not have them (any more).
 */
#ifndef SVC_REDIS_REDIS_SCRIPT_H
#define SVC_REDIS_REDIS_SCRIPT_H

#include "libsvc/redis/redis_sha1.h"

/*
 * The mark of a value that this library has written: the last 12 of its bytes are the mark and the
 * version. A value without it was written by something else.
 */
#define REDIS_MARK "\0v1:"
enum { REDIS_MARK_BYTES = 4, REDIS_VERSION_BYTES = 8, REDIS_TAIL_BYTES = 12 };

enum redis_script {
    REDIS_SCRIPT_REPLACE,   /* version, digits of version, value, ttl: 0, 2 or the new version */
    REDIS_SCRIPT_DELETE,    /* version, digits of version: 0, 1 or 2 */
    REDIS_SCRIPT_INCREMENT, /* two halves of the number, tail, ttl: digits, 0 or 1 */
    REDIS_SCRIPT_LIMIT,     /* cost, and rate, period_us and burst of each window */
    REDIS_SCRIPT_PUBLISH,   /* as INCREMENT, channel, message: digits, 0 or 1 */
    REDIS_SCRIPTS
};

struct redis_scripts {
    const char *text[REDIS_SCRIPTS];
    char hash[REDIS_SCRIPTS][REDIS_SHA1_DIGITS + 1];
};

/* Fills in all scripts. Pure. */
void svc__redis_script_fill(struct redis_scripts *scripts);

#endif
