/*
 * All patterns as one tree: hosts, then segments, and at the end of each path the methods. Built
 * once at start and read by every thread at once afterwards.
 */
#ifndef SVC_ROUTE_TREE_H
#define SVC_ROUTE_TREE_H

#include "libsvc/route/pattern.h"

struct tree;

/* The match of a request. Views point into the pattern and into the path. */
struct match {
    size_t pattern; /* its index in the array that the tree was built from */
    size_t count;   /* of named wildcards */
    struct {
        struct bytes name, raw; /* raw: still percent-encoded */
        bool multi;
    } params[PATTERN_MAX_PARAMS];
};

enum match_verdict {
    MATCH_FOUND,
    MATCH_NONE,
    MATCH_REDIRECT_SLASH /* a pattern matches the path with a slash behind it */
};

/* Frees a tree. Accepts NULL. */
void svc__tree_free(struct tree *tree);

/*
 * Finds the most specific pattern for a request: a pattern with its host is preferred to one for
 * every host, and one with its method (for HEAD also GET) to one for every method. `path` is
 * escaped and begins with '/'; segments are decoded one by one, so that %2F is data. `host` is
 * without a port. `*out` is written only with MATCH_FOUND. Any other path matches nothing. It
 * allocates nothing and takes no lock; it visits each node of the tree at most twice, with and
 * without the slash of a redirect, whatever the path. Any thread.
 */
enum match_verdict svc__tree_match(const struct tree *tree, struct bytes method, struct bytes host,
                                   struct bytes path, struct match *out);

/*
 * For a request that matched nothing: appends the methods that would match this path, with or
 * without a slash behind it, sorted and separated by ", " (HEAD beside GET). Returns their number.
 * Any thread.
 */
size_t svc__tree_allow(const struct tree *tree, struct bytes host, struct bytes path,
                       struct buf *out);

/* Whether a pattern has this method (GET stands for HEAD too), or one is for every method. Any
 * thread. */
bool svc__tree_knows_method(const struct tree *tree, struct bytes method);

#endif
