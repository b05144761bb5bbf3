/*
 * The layout of a tree in memory: one block of cells, which plant.c fills and tree.c reads. A node,
 * the table of its literal children, the patterns that end at it and all nodes below it follow each
 * other there, so that a path down the tree touches few cache lines. A thing in the block is
 * referred to by the index of its first cell.
 */
#ifndef SVC_ROUTE_TREE_INTERNAL_H
#define SVC_ROUTE_TREE_INTERNAL_H

#include <endian.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum {
    TREE_CELL = 8, /* bytes */
    TREE_WORD = 8  /* bytes of a text that are compared as one number */
};

#define TREE_NONE UINT32_MAX   /* in an entry: no pattern, no method */
#define TREE_EMPTY UINT16_MAX  /* the length in a slot that is empty: no literal is so long */
#define TREE_UNKNOWN_METHOD 0u /* the index of a method that no pattern has */

/* A text in a table and its target. A text of up to a word is compared without a load from other
 * memory. */
struct slot {
    uint64_t head; /* svc__tree_head of the text */
    uint32_t to;   /* a node; for a method its index */
    uint16_t len;
    uint16_t more; /* whether a text whose place is here or before lies behind this slot */
};

/*
 * A table of texts. The place of a text is given by some bits of its hash. The bits are chosen when
 * the tree is planted, so that, if possible, each text lies at its place and a search is one
 * comparison.
 */
struct table {
    uint32_t slots; /* the first; 0: an empty one */
    uint32_t mask;  /* the number of slots, a power of two, less one */
    uint32_t shift;
};

/*
 * A place in the tree. The root's literal children are hosts, and its wild child is for every host.
 * All other levels are segments.
 */
struct node {
    struct table literals;
    uint32_t wild; /* node behind a wildcard; 0: none */
    uint32_t tail; /* run that takes the rest behind this, 0: none */
    uint32_t leaf; /* run that ends here, or one without patterns */
    uint32_t end;  /* run that ends in {$} behind this, or one without patterns */
    uint32_t text; /* the literal that leads here, when it is longer than a word */
};

/* A pattern for one method. */
struct entry {
    uint32_t method;   /* TREE_NONE: the entry is empty */
    uint32_t pattern;  /* TREE_NONE: there is none */
    uint32_t captures; /* the first */
    uint16_t capture_count;
    uint16_t more; /* as in a slot */
};

/* The patterns of one place: a table like those of texts, with the index of a method for hash. */
struct run {
    uint32_t mask;
    uint32_t unused;
    struct entry any; /* for every method */
    struct entry entries[];
};

/* A named wildcard. */
struct capture {
    struct bytes name;
    uint32_t depth; /* of its segment */
    bool multi;
};

struct tree {
    char *cells;
    struct bytes *methods; /* sorted, from 1; HEAD among them when GET is */
    struct table by_name;  /* the same, to find their indices */
    uint32_t method_count;
    uint32_t root;
    uint32_t every_host; /* the node behind the root for every host, 0: none */
    bool any_method, hosted;
};

static inline void *svc__tree_at(const struct tree *tree, uint32_t cell)
{
    return tree->cells + (size_t)cell * TREE_CELL;
}

/* Eight bytes at `data`, the first one lowest, whatever the machine. */
static inline uint64_t svc__tree_load(const char *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return le64toh(word);
}

static inline uint64_t svc__tree_load4(const char *data)
{
    uint32_t word;
    memcpy(&word, data, sizeof word);
    return le32toh(word);
}

/* The first bytes of a text as a number, with zeros behind a short one. Two loads may overlap: both
 * have the same bytes there. */
static inline uint64_t svc__tree_head(struct bytes text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    if (text.len >= TREE_WORD)
        return svc__tree_load(text.data);
    if (text.len >= 4)
        return svc__tree_load4(text.data) | svc__tree_load4(text.data + text.len - 4)
                                                << (8 * (text.len - 4));
    if (text.len == 0)
        return 0;
    return at[0] | (uint64_t)at[text.len / 2] << (8 * (text.len / 2)) |
           (uint64_t)at[text.len - 1] << (8 * (text.len - 1));
}

/* Goes on with the hash of a text, which begins as 0, by its next word. */
static inline uint64_t svc__tree_mix(uint64_t hash, uint64_t word)
{
    return ((hash ^ (hash >> 32)) ^ word) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Only registered texts are stored, so a client cannot cause collisions. */
static inline uint64_t svc__tree_hash(struct bytes text)
{
    uint64_t hash = svc__tree_mix(0, svc__tree_head(text));
    for (size_t at = TREE_WORD; at < text.len; at += TREE_WORD) {
        size_t from = at + TREE_WORD <= text.len ? at : text.len - TREE_WORD; /* may overlap */
        hash = svc__tree_mix(hash, svc__tree_load(text.data + from));
    }
    return hash;
}

/* The place of a text in a table. */
static inline uint32_t svc__tree_home(const struct table *table, uint64_t hash)
{
    return (uint32_t)(hash >> table->shift) & table->mask;
}

#endif
