/* Several processes of one service that share a store, which ends with the test. */
#ifndef TESTS_SHARED_INSTANCES_H
#define TESTS_SHARED_INSTANCES_H

#include <stddef.h>

#include "tests/support/process.h"

enum { INSTANCES = 3 };

extern struct process *instances[INSTANCES];

/* A store, and the server that it needs. */
enum instances_store { ON_MEMORY, ON_REDIS, ON_MEMCACHED };

/*
 * Starts the server of a store, and instances of `program`, as of process_program; on memory only
 * one. `setting`, which may be NULL, is one more of the program. They wait for the server as long
 * as tests wait. The test is skipped where the server is not installed.
 */
void instances_start(enum instances_store store, const char *program, const char *setting);

/* The number that redis-server replies to a line; -1 if it is none. */
long instances_ask_redis(const char *line);

/* Ends redis-server at once. */
void instances_kill_redis(void);

/* Kills an instance. */
void instances_kill(size_t index);

/* Ends the server, and the instances that were not killed, which must end well. */
void instances_end(void);

#endif
