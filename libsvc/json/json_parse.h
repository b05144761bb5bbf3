/* Text to a tree of jansson's, without recursion: how deep a text nests is no matter of the stack.
 */
#ifndef SVC_JSON_JSON_PARSE_H
#define SVC_JSON_JSON_PARSE_H

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"

struct json_t;

/* Why there is no tree. */
struct json_fault {
    const char *reason; /* static; NULL: memory ran out */
    size_t line, column;
};

/*
 * Parses `text`, which is any JSON value with levels nested at most `max_depth` (JSON_SCAN_DEPTH at
 * most) deep. Repeated names, numbers that jansson cannot hold and
 * escapes of NUL are faults. `scratch` is for names and strings, and takes twice as many bytes as
 * the text has; a pointer for each level comes from `arena`. The tree is the caller's, to be freed
 * by svc__json_tree_free. NULL with `fault` set.
 */
struct json_t *svc__json_parse(struct bytes text, unsigned max_depth, struct arena *arena,
                               struct buf *scratch, struct json_fault *fault);

#endif
