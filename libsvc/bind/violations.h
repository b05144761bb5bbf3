/* Violations of a schema by a request's values: collected up to a limit, then answered all at once.
 */
#ifndef SVC_BIND_VIOLATIONS_H
#define SVC_BIND_VIOLATIONS_H

#include <svc/bind.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/bytes.h"

enum {
    VIOLATIONS_MAX = 100,
    VIOLATIONS_BYTES = 65536 /* of all pointers and names together */
};

/* A place in a document, from the inside out. */
struct violation_path {
    const struct violation_path
        *up;          /* NULL: the document itself, and the other members have no meaning */
    const char *name; /* NULL: an element, named by its index */
    size_t index;
};

/* Begin with an arena and zeros. Its violations live as long as the arena. */
struct violations {
    struct arena *arena;
    svc_violation *list; /* room for VIOLATIONS_MAX, made for the first */
    size_t count;        /* listed */
    size_t more;         /* beyond the ceiling */
    size_t bytes;
    bool no_memory;
};

/* Adds a violation at a place of a document. `detail` must live until the answer is made. */
void svc__violations_add(struct violations *v, const struct violation_path *path,
                         const char *detail);

/* The same for a parameter of a query or form. A name that no schema can have is cut. */
void svc__violations_add_parameter(struct violations *v, struct bytes name, const char *detail);

/* Answers 422 with the collected violations. 0, SVC_ENOMEM or SVC_ETOOBIG. */
int svc__violations_answer(svc_response *res, const struct violations *v);

#endif
