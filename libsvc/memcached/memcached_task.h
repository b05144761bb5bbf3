/*
 * An operation on its way through the protocol, without a socket: which command it sends next, and
 * what it makes of the reply. Most need one command; a limit, and a number that grows by much,
 * read, decide and write, and begin again when somebody else has written in between.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_TASK_H
#define SVC_MEMCACHED_MEMCACHED_TASK_H

#include <svc/sys/store.h>

#include "libsvc/memcached/memcached_limit.h"
#include "libsvc/memcached/memcached_reply.h"

/* How often a limit or number is decided on before the operation gives up. */
enum { MEMCACHED_TRIES = 200 };

/* Which command is next, or under way. */
enum memcached_stage {
    MEMCACHED_FIRST, /* the only one of most kinds */
    MEMCACHED_WRITE, /* behind a read, if nobody was faster */
    MEMCACHED_UNDO   /* a number has become too large */
};

struct memcached_task {
    svc_sys_store_op *op; /* NULL: nobody waits for it any more */
    struct memcached_task *next;
    int kind; /* of the operation */
    enum memcached_stage stage;
    uint64_t opaque; /* which marks the reply to the command that is under way */
    unsigned tries;
    uint64_t cas; /* of the state or number that was read; 0: there is none */
    uint64_t by;  /* INCREMENT */
    bool failed;  /* `op->error` is set already: the value that comes is thrown away */
    struct memcached_limit
        state; /* a limit's, or a number: that was read, and then that is written */
};

/* Commands to be sent. All zero at first. */
struct memcached_output {
    char *bytes;
    size_t len, room;
    size_t sent; /* of `len` */
};

/* What has come of a reply. Errors are negative: the link has to be closed, and the reply was not
 * meant for the task, or cannot be understood. */
enum { MEMCACHED_DONE, MEMCACHED_AGAIN };

/* Begins with an operation. */
void svc__memcached_task_init(struct memcached_task *task, svc_sys_store_op *op);

/*
 * Appends the task's next command. `identity` are 16 bits, not 0, that no other server, and not the
 * same one once it was started again, is likely to have: versions contain them. 0, or SVC_ENOMEM:
 * nothing is appended.
 */
int svc__memcached_task_encode(struct memcached_task *task, struct memcached_output *output,
                               uint64_t opaque, uint64_t identity);

/* Memory for the value that follows: as the sink's `place`. */
char *svc__memcached_task_place(struct memcached_task *task, const struct memcached_reply *reply,
                                size_t *skip);

/* Takes a reply. MEMCACHED_DONE: `op->error` is set. MEMCACHED_AGAIN: another command is to be
 * sent. */
int svc__memcached_task_take(struct memcached_task *task, const struct memcached_reply *reply,
                             uint64_t identity);

/* Whether nothing has been written for the operation, so that it can begin anew on another server;
 * then it does so by its next command. */
bool svc__memcached_task_restart(struct memcached_task *task);

/* The error of an operation whose command was sent, and whose reply does not come for `reason`. A
 * write that has perhaps happened is SVC_ETIMEDOUT. Pure. */
int svc__memcached_task_loss(const struct memcached_task *task, int reason);

#endif
