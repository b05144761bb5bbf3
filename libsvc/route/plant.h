/* Makes a tree from patterns. */
#ifndef SVC_ROUTE_PLANT_H
#define SVC_ROUTE_PLANT_H

#include "libsvc/route/tree.h"

/* Builds a tree, in one allocation, of patterns that do not conflict and whose text and segments
 * live at least as long; `count` may be 0. The caller owns it. NULL when out of memory. */
struct tree *svc__plant_tree(const struct pattern *const *patterns, size_t count);

#endif
