/* A redis-server of the test's own, on a unix socket in a folder of its own and, if asked for, on a
 * free port of 127.0.0.1. It ends with the test. */
#ifndef TESTS_REDIS_REDIS_PROCESS_H
#define TESTS_REDIS_REDIS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { REDIS_WAIT_MS = 60000 }; /* of each wait; only tests that fail reach it */

/* Parameters of a URL, by which a busy machine ends no call. */
#define REDIS_PATIENCE "timeout_ms=60000&connect_timeout_ms=60000"

struct redis_process {
    pid_t pid; /* 0: it does not run */
    char folder[64], socket[96];
    char url[192]; /* has REDIS_PATIENCE */
    int port;      /* 0: none */
    int port_fd;   /* keeps the port for it */
};

/* Whether there is a redis-server to be started. */
bool redis_process_is_there(void);

/* Makes the folder, and takes a port if `tcp`; starts nothing. Ends the test if it fails. */
void redis_process_prepare(struct redis_process *redis, bool tcp);

/* Starts it, with further arguments, NULL-terminated, or NULL, and waits until it serves. */
void redis_process_start(struct redis_process *redis, const char *const *arguments);

/* Stops it until SIGCONT, and waits until it stands. */
void redis_process_stop(struct redis_process *redis);

/* Ends it at once, if it runs. */
void redis_process_kill(struct redis_process *redis);

/* Ends it and removes the folder. */
void redis_process_remove(struct redis_process *redis);

/* Sends a line, which is a command, and writes what is replied, up to `space`, without the last
 * line end. False if it cannot be asked. */
bool redis_process_ask(const struct redis_process *redis, const char *line, char *reply,
                       size_t space);

/* Whether the reply to a line begins with `wanted`. */
bool redis_process_says(const struct redis_process *redis, const char *line, const char *wanted);

/* Milliseconds on a clock that goes forward, and a short sleep between two looks at a condition. */
unsigned long redis_process_ms(void);
void redis_process_rest(void);

#endif
