/* A coding as one layer uses it: its levels, and the contexts that wait for a body. */
#ifndef SVC_CODING_CODER_H
#define SVC_CODING_CODER_H

#include <stdbool.h>

#include <svc/sys/coding.h>

#include "libsvc/coding/context_pool.h"

struct coder {
    const svc_sys_coding *coding;
    int level; /* while there is no load */
    struct context_pool usual, light;
};

/* Begins with a coding that encodes; a level of 0 is the coding's own, and others are moved to the
 * nearest that it has. */
void svc__coder_init(struct coder *coder, const svc_sys_coding *coding, int level);

/* Frees the contexts. */
void svc__coder_free(struct coder *coder);

/* The level at a load from 0 to 100, from which on it is the coding's quickest useful one. */
int svc__coder_level(const struct coder *coder, unsigned load);

/* A context that is ready for a body. 0, or SVC_ENOMEM. Any thread. */
int svc__coder_take(struct coder *coder, const svc_sys_coding_aim *aim, void **encoder);

/* Gives it back, wherever the body has ended. Accepts NULL. Any thread. */
void svc__coder_give(struct coder *coder, bool light, void *encoder);

#endif
