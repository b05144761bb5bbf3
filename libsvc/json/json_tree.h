/* Writes and frees trees of jansson's without recursion: a tree may nest deeper than a stack has
 * room for. */
#ifndef SVC_JSON_JSON_TREE_H
#define SVC_JSON_JSON_TREE_H

#include "libsvc/base/buf.h"

struct json_t;

enum { JSON_TREE_DEPTH = 2048 /* levels that are written: as many as jansson's parser reads */ };

/*
 * Writes a tree, which is borrowed for the call, as compact JSON, in the forms of svc_json_put_text
 * and svc_json_put_double. 0; SVC_EINVAL for NULL, for text that is not UTF-8, and for a tree that
 * holds itself; SVC_ETOOBIG for a tree that nests deeper than JSON_TREE_DEPTH; SVC_ENOMEM; or the
 * buffer's error. Any thread.
 */
int svc__json_tree_write(struct buf *out, const struct json_t *json);

/* Makes a string of `text`, with U+FFFD in place of bytes that are not UTF-8. NULL when out of
 * memory. Any thread. */
struct json_t *svc__json_tree_text(const char *text);

/* Drops a reference to a tree, as json_decref. Accepts NULL. Any thread. */
void svc__json_tree_free(struct json_t *json);

#endif
