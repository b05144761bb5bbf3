/*
 * The census: what is in flight on the loops of a service, asked of the loops themselves, since
 * only a loop's thread may look at its connections. Each loop answers between two events; one that
 * is held by a handler is late, and is not waited for beyond the time limit.
 */
#ifndef SVC_SERVER_CENSUS_H
#define SVC_SERVER_CENSUS_H

#include "libsvc/server/server.h"

enum {
    CENSUS_MS = 250,      /* for which a loop may take to answer before it is late */
    CENSUS_FLIGHTS = 100, /* that are described, of all loops together: the oldest */
    CENSUS_METHOD = 24,   /* bytes of texts, a NUL included; longer ones are cut */
    CENSUS_ID = 129
};

/* A request in flight. */
struct census_flight {
    const char *server;  /* as its loop's */
    size_t loop;         /* the index of its loop */
    const char *pattern; /* of its route; "": none, or none yet */
    const char *phase;   /* a word; static */
    uint64_t started_ns; /* of svc__clock_ns */
    char method[CENSUS_METHOD], id[CENSUS_ID], peer[INET6_ADDRSTRLEN];
};

/* A loop, and what it has answered; of one that is late, the last three members are not known. */
struct census_loop {
    const char *server; /* "service", "admin routes" or "admin pages" */
    size_t index;
    bool late;
    uint64_t held_ms; /* for so long it has not looked for events */
    const char
        *holds; /* the pattern of the route whose handler runs on it; "": none, or not known */
    unsigned connections;
    size_t in_flight;
    size_t listed;
    struct census_flight *list;
};

struct census_answer {
    size_t loop_count;
    const struct census_loop *loops;
    size_t in_flight; /* on all loops that have answered */
    size_t listed;
    const struct census_flight *const *list; /* the oldest of them first */
};

struct census;

/* A census without loops; NULL when out of memory. */
struct census *svc__census_new(void);

/* Adds the loops of a server, which are made; it must live longer, and `name` is static. 0 or
 * SVC_ENOMEM. Before anybody asks. */
int svc__census_add(struct census *census, const char *name, const struct server *server);

/* Calls `visit` for each listener of the servers. A NULL census has none. Any thread. */
void svc__census_visit_listeners(const struct census *census,
                                 void (*visit)(void *arg, const char *server,
                                               const struct listener *listener),
                                 void *arg);

/*
 * Asks all loops, waits until each has answered or is late, and calls `take` once, with what is
 * valid during that call. A loop is late CENSUS_MS after it was first asked, until it answers.
 * Any thread but a loop's, also several; a NULL census has no loops.
 */
void svc__census_ask(struct census *census,
                     void (*take)(void *arg, const struct census_answer *answer), void *arg);

/* Frees a census, whose loops have ended. Accepts NULL. */
void svc__census_free(struct census *census);

#endif
