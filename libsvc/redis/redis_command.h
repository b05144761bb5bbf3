/* The operations of a store as commands, and the replies to them as results. */
#ifndef SVC_REDIS_REDIS_COMMAND_H
#define SVC_REDIS_REDIS_COMMAND_H

#include <stdatomic.h>
#include <svc/sys/number.h>
#include <svc/sys/store.h>

#include "libsvc/redis/redis_fault.h"
#include "libsvc/redis/redis_reply.h"
#include "libsvc/redis/redis_script.h"
#include "libsvc/redis/redis_text.h"

/* What all commands of a store need. */
struct redis_commands {
    struct redis_scripts scripts;
    size_t max_value;
    uint64_t seed; /* random, of versions */
    /* '@' and the database: channels are common to all of them. */
    char place[1 + SVC_SYS_INT_LEN];
    _Atomic uint64_t drawn;
};

/* Prepares a table, for a database. 0, or SVC_ESYSTEM without random numbers. */
int svc__redis_command_init(struct redis_commands *commands, size_t max_value, uint64_t db);

/* Appends the command of an operation, `whole` with the text of its script. False when it did not
 * fit: then `op->error` is set and nothing is appended. */
bool svc__redis_command_write(struct redis_commands *commands, struct redis_text *text,
                              svc_sys_store_op *op, bool whole);

/* Appends SUBSCRIBE for the channel of a key. */
void svc__redis_command_subscribe(const struct redis_commands *commands, struct redis_text *text,
                                  const char *key, size_t key_len);

/* Takes the value of a GET, as a redis_take; `arg` is the operation. Sets its error. */
void svc__redis_command_take(void *arg, const char *data, size_t len);

/* Sets the results of an operation. `*fault` is the server's error if it is worth a line in the
 * log, else NULL; it borrows from the reply. */
enum redis_verdict svc__redis_command_read(svc_sys_store_op *op, const struct redis_reply *reply,
                                           const char **fault);

#endif
