/* How a tree lies in memory: one block of flat arrays, which plant.c fills and tree.c reads. */
#ifndef SVC_ROUTE_TREE_INTERNAL_H
#define SVC_ROUTE_TREE_INTERNAL_H

#include <endian.h>
#include <stdint.h>

#include "libsvc/route/tree.h"

enum {
    TREE_FEW = 8,       /* more literal children than this are in a hash table, fewer in a row */
    TREE_HEAD = 8,      /* bytes of a literal that are compared as one number */
    TREE_ANY_METHOD = 0 /* the method of an entry for every method, and of a method unknown here */
};

/* A literal child, in a row or a hash table. Up to TREE_HEAD bytes it is compared without a look
 * at any other memory. */
struct slot {
    uint64_t head; /* svc__tree_head of its text */
    uint32_t len;
    uint32_t node; /* 0: the slot is empty */
};

/*
 * A place in the tree. Node 0 stands before the host: its literal children are hosts, and its wild
 * child is for every host. All other levels are segments.
 */
struct node {
    uint32_t slots; /* index of the first */
    uint32_t span;  /* how many; of a hash table a power of two */
    bool hashed;    /* whether they are a hash table */
    uint8_t shift;  /* what of a hash is not used in it */
    uint32_t wild;  /* node behind a wildcard; 0: none */
    uint32_t leaf;  /* run of entries that end here, 0: none */
    uint32_t end;   /* run of entries that end in {$} behind this */
    uint32_t tail;  /* run of entries that take the rest behind this */
    uint32_t text;  /* where the literal that leads here goes on behind its head, in `texts` */
};

/* A pattern for one method. Those of one place are a run, the one for every method last. */
struct entry {
    uint32_t method;
    uint32_t pattern;
    uint32_t captures; /* index of the first */
    uint16_t capture_count;
    bool last; /* of its run */
};

/* A named wildcard. */
struct capture {
    struct bytes name;
    uint32_t depth; /* of its segment */
    bool multi;
};

struct method {
    struct bytes name;
    uint64_t head;
};

struct tree {
    struct node *nodes;
    struct slot *slots;
    struct entry *entries; /* the first is unused, so that run 0 is none */
    struct capture *captures;
    struct method *methods; /* sorted, from 1; HEAD among them when GET is */
    char *texts;
    uint32_t method_count;
    bool any_method, hosted;
};

/* Eight bytes at `data`, the first one lowest, whatever the machine. */
static inline uint64_t svc__tree_load(const char *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return le64toh(word);
}

/* The low `n` bytes of a number; `n` is at most 8. */
static inline uint64_t svc__tree_low(uint64_t word, size_t n)
{
    return n < 8 ? word & ((UINT64_C(1) << (8 * n)) - 1) : word;
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
    if (text.len >= TREE_HEAD)
        return svc__tree_load(text.data);
    if (text.len >= 4)
        return svc__tree_load4(text.data) | svc__tree_load4(text.data + text.len - 4)
                                                << (8 * (text.len - 4));
    if (text.len == 0)
        return 0;
    return at[0] | (uint64_t)at[text.len / 2] << (8 * (text.len / 2)) |
           (uint64_t)at[text.len - 1] << (8 * (text.len - 1));
}

/* Only registered texts are stored, so a client cannot choose what collides. */
static inline uint32_t svc__tree_hash(uint64_t head, struct bytes text)
{
    const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t h = (head ^ text.len) * prime;
    for (size_t at = TREE_HEAD; at < text.len; at += 8) {
        size_t from = at + 8 <= text.len ? at : text.len - 8; /* the last word may overlap */
        h = ((h ^ (h >> 32)) ^ svc__tree_load(text.data + from)) * prime;
    }
    return (uint32_t)(h >> 32);
}

/* Where the search for a text begins in a hash table. The high bits are those in which each byte
 * of the text has a part. */
static inline uint32_t svc__tree_home(const struct node *node, uint64_t head, struct bytes text)
{
    return svc__tree_hash(head, text) >> node->shift;
}

#endif
