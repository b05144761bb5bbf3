/* Parses text to a tree of jansson's, without recursion: a deep text needs no more stack. */
#ifndef SVC_JSON_JSON_PARSE_H
#define SVC_JSON_JSON_PARSE_H

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"

struct json_t;

/* The reason why a text has no tree. */
struct json_fault {
    const char *reason; /* static; NULL: memory ran out */
    size_t line, column;
};

/*
 * Parses `text`, which is any JSON value whose levels nest at most `max_depth` deep (at most
 * JSON_SCAN_DEPTH). Repeated names, numbers that jansson cannot hold and escapes of NUL are faults.
 * `scratch` takes names and strings, up to twice the bytes of the text; a pointer for each level
 * comes from `arena`. Returns a tree that the caller frees by svc__json_tree_free, or NULL with
 * `fault` set.
 */
struct json_t *svc__json_parse(struct bytes text, unsigned max_depth, struct arena *arena,
                               struct buf *scratch, struct json_fault *fault);

#endif
