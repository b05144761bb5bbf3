/*
 * Messages between tests and tests/e2e/server_life.c: letters on the server's standard input, and
 * lines on its output. They do not use connections, which may be blocked.
 */
#ifndef TESTS_SUPPORT_LIFE_H
#define TESTS_SUPPORT_LIFE_H

#include <stddef.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

/* The letters. */
enum {
    LIFE_RELEASE = 'r', /* every waiting request of GET /hold goes on */
    LIFE_UNBLOCK = 'u', /* one handler of GET /block returns */
    LIFE_HOARD = 'h',   /* opens files until no descriptor is left */
    LIFE_SHARE = 's',   /* closes them */
    LIFE_ANSWER = 'a'   /* a readiness check that hangs answers that it has failed */
};

/*
 * Blocks `count` loops of the server, one after the other, each by a request of GET /block, and
 * returns when their handlers run. The caller owns `clients`; the answers come after life_unblock.
 */
bool life_block(struct process *server, struct client **clients, size_t count);

/* Lets `count` blocked handlers return. */
bool life_unblock(struct process *server, size_t count);

/* Resumes all requests that wait in GET /hold. */
bool life_release(struct process *server);

/* Leaves the server without a free descriptor, until life_share. */
bool life_hoard(struct process *server);
bool life_share(struct process *server);

#endif
