/* Errors that the server replies, by their first word. */
#ifndef SVC_REDIS_REDIS_FAULT_H
#define SVC_REDIS_REDIS_FAULT_H

#include <stdbool.h>

/* The verdict of a reply. */
enum redis_verdict {
    REDIS_DONE,  /* `op->error` is set */
    REDIS_AGAIN, /* the server does not have the script: the command is to be sent whole */
    REDIS_RENEW  /* as DONE, and a new connection may lead to a better server */
};

struct redis_fault {
    const char *word;
    int error; /* of the operation */
    enum redis_verdict verdict;
    bool logged;
};

/* Finds an error; never NULL: one that is not known is malformed. Pure. */
const struct redis_fault *svc__redis_fault_find(const char *text);

#endif
