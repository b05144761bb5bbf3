/* Making a tree from patterns. */
#ifndef SVC_ROUTE_PLANT_H
#define SVC_ROUTE_PLANT_H

#include "libsvc/route/tree.h"

/* What svc__tree_build promises. One allocation holds the tree. */
struct tree *svc__plant_tree(const struct pattern *const *patterns, size_t count);

#endif
