/*
 * Finds the pattern for a request in a tree that plant.c has made.
 *
 * Where a segment could be a literal, a wildcard or the start of a tail, they are tried in this
 * order, and the search comes back when one leads nowhere. As patterns in a tree do not conflict,
 * the first one found is the most specific.
 *
 * The search is bounded: a node is reached by one sequence of choices only, which also fixes the
 * place in the path, so a search visits each node once at most, whatever the path. What is still to
 * be tried lies on a stack of fixed size: two entries for each node between the root and where the
 * search is, and a pattern has no more than PATTERN_MAX_SEGMENTS. Each byte of the path is read
 * once to split it, and a visit looks at PATTERN_MAX_LITERAL decoded bytes at most.
 */
#include "libsvc/route/tree.h"

#include <stdlib.h>

#include "libsvc/proto/uri.h"
#include "libsvc/route/plant.h"
#include "libsvc/route/tree_internal.h"

#ifdef __has_attribute
#if __has_attribute(uninitialized)
/* Builds that clear all automatic memory would spend more on a search's than the search takes. */
#define UNCLEARED __attribute__((uninitialized))
#endif
#endif
#ifndef UNCLEARED
#define UNCLEARED
#endif

enum { DEPTHS = PATTERN_MAX_SEGMENTS + 1 };

/* A segment of the path. It begins behind the slash at which the one before ends. */
struct piece {
    uint64_t head; /* svc__tree_head of its text as it stands in the path */
    uint32_t end;
    bool escaped;
};

/* What to try when the search comes back: a node, or the run of a tail. */
struct choice {
    uint32_t what;
    uint16_t depth;
    bool tail;
};

struct search {
    const struct tree *tree;
    struct bytes path;
    uint32_t method;  /* index of the request's, or TREE_ANY_METHOD */
    bool slash;       /* search as if the path had a slash behind it */
    bool exact;       /* the match took no tail that is not empty */
    size_t split;     /* pieces that are known */
    uint64_t methods; /* when collecting: those that would match, as a set */
    struct piece pieces[DEPTHS];
    struct choice choices[2 * DEPTHS];
};

struct tree *svc__tree_build(const struct pattern *const *patterns, size_t count)
{
    return svc__plant_tree(patterns, count);
}

void svc__tree_free(struct tree *tree)
{
    free(tree);
}

/* ---- Splitting the path */

/* Up to eight bytes of the path from `at` on, with zeros behind its end. */
static inline uint64_t word_at(struct bytes path, size_t at)
{
    size_t left = path.len - at;
    if (left >= 8)
        return svc__tree_load(path.data + at);
    if (left == 0)
        return 0;
    if (path.len >= 8)
        return svc__tree_load(path.data + path.len - 8) >> (8 * (8 - left));
    return svc__tree_head(svc__bytes(path.data + at, left));
}

/* Bit 7 of each byte of `word` that is `c`, exact up to the first of them. */
static inline uint64_t find_byte(uint64_t word, unsigned char c)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t zero = word ^ (ones * c);
    return (zero - ones) & ~zero & (ones << 7);
}

static inline size_t piece_start(const struct search *s, size_t depth)
{
    return depth > 0 ? s->pieces[depth - 1].end : 0;
}

/* The end of the segment whose first eight bytes end at `at` without a slash. Notes escapes. */
static size_t find_end(struct bytes path, size_t at, uint64_t *escapes)
{
    while (at < path.len) {
        uint64_t word = word_at(path, at), slashes = find_byte(word, '/');
        size_t n = slashes ? (size_t)__builtin_ctzll(slashes) / 8 : 8;
        *escapes |= find_byte(svc__tree_low(word, n), '%');
        at += n;
        if (slashes)
            return at;
    }
    return path.len;
}

/* Reads the segment behind the slash at `at`, the first that is not known yet, and its end. Most
 * segments are short. */
static inline void split_next(struct search *s, size_t at)
{
    struct piece *piece = &s->pieces[s->split++];
    uint64_t word = word_at(s->path, ++at), slashes = find_byte(word, '/');
    if (slashes)
        word &= (slashes ^ (slashes - 1)) >> 8; /* what is before the first one */
    uint64_t escapes = find_byte(word, '%');
    size_t end =
        slashes ? at + (size_t)__builtin_ctzll(slashes) / 8 : find_end(s->path, at + 8, &escapes);
    piece->head = word;
    piece->end = (uint32_t)end;
    piece->escaped = escapes != 0;
}

/* ---- Literals */

static inline bool slot_holds(const struct tree *tree, const struct slot *slot, uint64_t head,
                              struct bytes text)
{
    if (slot->head != head || slot->len != text.len)
        return false;
    return text.len <= TREE_HEAD || memcmp(tree->texts + tree->nodes[slot->node].text,
                                           text.data + TREE_HEAD, text.len - TREE_HEAD) == 0;
}

/* The child whose text is `text`, or 0. */
static inline uint32_t find_literal(const struct tree *tree, const struct node *node, uint64_t head,
                                    struct bytes text)
{
    const struct slot *slots = tree->slots + node->slots;
    if (!node->hashed) {
        for (uint32_t i = 0; i < node->span; i++)
            if (slot_holds(tree, &slots[i], head, text))
                return slots[i].node;
        return 0;
    }
    if (text.len > PATTERN_MAX_LITERAL)
        return 0;
    for (uint32_t at = svc__tree_home(node, head, text);; at++) {
        const struct slot *slot = &slots[at & (node->span - 1)];
        if (!slot->node || slot_holds(tree, slot, head, text))
            return slot->node;
    }
}

/* The same for a text with escapes. A literal is never longer than the buffer. */
static __attribute__((noinline)) uint32_t find_escaped(const struct tree *tree,
                                                       const struct node *node, struct bytes text)
{
    UNCLEARED char buffer[PATTERN_MAX_LITERAL];
    size_t len = 0;
    while (text.len > 0) {
        if (len == sizeof buffer)
            return 0;
        buffer[len++] = (char)svc__uri_take(&text);
    }
    struct bytes decoded = {buffer, len};
    return find_literal(tree, node, svc__tree_head(decoded), decoded);
}

/* The literal child for the piece at `depth`, which begins behind the slash at `from`, or 0. */
static inline uint32_t find_child(const struct search *s, const struct node *node, size_t depth,
                                  size_t from)
{
    const struct piece *piece = &s->pieces[depth];
    struct bytes text = {s->path.data + from + 1, piece->end - from - 1};
    if (node->span == 0)
        return 0;
    return piece->escaped ? find_escaped(s->tree, node, text)
                          : find_literal(s->tree, node, piece->head, text);
}

/* ---- The search */

/* The entry of a run that serves the method; or, when collecting, none, and its methods noted. */
static inline const struct entry *pick(struct search *s, uint32_t run, bool collect)
{
    if (run == 0)
        return NULL;
    for (const struct entry *entry = &s->tree->entries[run];; entry++) {
        if (collect) {
            uint32_t bit = entry->method - s->method;
            s->methods |= bit < 64 ? UINT64_C(1) << bit : 0;
        } else if (entry->method == s->method || entry->method == TREE_ANY_METHOD) {
            return entry;
        }
        if (entry->last)
            return NULL;
    }
}

/* At the end of the path: behind its last segment, or behind the slash at its end. */
static inline const struct entry *pick_at_end(struct search *s, const struct node *node,
                                              bool behind_slash, bool collect)
{
    s->exact = true;
    if (!behind_slash)
        return pick(s, node->leaf, collect);
    const struct entry *entry = pick(s, node->end, collect);
    return entry ? entry : pick(s, node->tail, collect);
}

/* Where to go from `node` with the segment behind the slash at `from`, or 0; what else could be
 * tried is noted. */
static inline __attribute__((always_inline)) uint32_t step(struct search *s,
                                                           const struct node *node, size_t depth,
                                                           size_t from, size_t *top)
{
    if (depth == s->split)
        split_next(s, from);
    if (node->tail)
        s->choices[(*top)++] = (struct choice){node->tail, 0, true};
    uint32_t child = find_child(s, node, depth, from);
    if (child && node->wild)
        s->choices[(*top)++] = (struct choice){node->wild, (uint16_t)(depth + 1), false};
    return child ? child : node->wild;
}

/*
 * Searches below a host. `collect` is a constant at each call, so that each has a copy of its own:
 * true visits all that matches, to note the methods in s->methods.
 */
static inline __attribute__((always_inline)) const struct entry *walk(struct search *s, uint32_t at,
                                                                      bool collect)
{
    size_t depth = 0, top = 0, len = s->path.len;
    for (;;) {
        const struct node *node = &s->tree->nodes[at];
        const struct entry *entry = NULL;
        size_t from = piece_start(s, depth);
        at = 0;
        if (from >= len || (from + 1 == len && !s->slash))
            entry = pick_at_end(s, node, from < len || s->slash, collect);
        else
            at = step(s, node, depth++, from, &top);
        while (!entry && !at) {
            if (top == 0)
                return NULL;
            struct choice choice = s->choices[--top];
            s->exact = false; /* for a tail; a node may set it again */
            if (choice.tail)
                entry = pick(s, choice.what, collect);
            else
                at = choice.what;
            depth = choice.depth;
        }
        if (entry)
            return entry;
    }
}

/* The host's own patterns before those for every host. */
static const struct entry *find_entry(struct search *s, uint32_t host)
{
    uint32_t any = s->tree->nodes[0].wild;
    const struct entry *entry = host ? walk(s, host, false) : NULL;
    return entry || !any ? entry : walk(s, any, false);
}

static void collect_methods(struct search *s, uint32_t host)
{
    uint32_t any = s->tree->nodes[0].wild;
    if (host)
        (void)walk(s, host, true);
    if (any)
        (void)walk(s, any, true);
}

/* ---- Requests */

static uint32_t find_method(const struct tree *tree, struct bytes name)
{
    uint64_t head = svc__tree_head(name);
    for (uint32_t i = 1; i <= tree->method_count; i++) {
        const struct method *method = &tree->methods[i];
        if (method->head == head && method->name.len == name.len &&
            (name.len <= TREE_HEAD || svc__bytes_eq(method->name, name)))
            return i;
    }
    return TREE_ANY_METHOD;
}

static uint32_t find_host(const struct tree *tree, struct bytes host)
{
    UNCLEARED char buffer[PATTERN_MAX_LITERAL];
    if (!tree->hosted || host.len == 0 || host.len > sizeof buffer)
        return 0;
    for (size_t i = 0; i < host.len; i++)
        buffer[i] = svc__bytes_lower(host.data[i]);
    struct bytes lower = {buffer, host.len};
    return find_literal(tree, &tree->nodes[0], svc__tree_head(lower), lower);
}

/* Not an initialiser, which would clear the rest. False: this is no path that a tree could hold. */
static inline bool begin(struct search *s, const struct tree *tree, uint32_t method,
                         struct bytes path)
{
    s->tree = tree;
    s->path = path;
    s->method = method;
    s->slash = false;
    s->exact = false;
    s->split = 0;
    s->methods = 0;
    return path.len > 0 && path.len < UINT32_MAX && path.data[0] == '/';
}

static inline bool ends_in_slash(struct bytes path)
{
    return path.len > 0 && path.data[path.len - 1] == '/';
}

static void take_captures(const struct search *s, const struct entry *entry, struct match *out)
{
    out->pattern = entry->pattern;
    out->count = entry->capture_count;
    for (size_t i = 0; i < entry->capture_count; i++) {
        const struct capture *capture = &s->tree->captures[entry->captures + i];
        size_t from = piece_start(s, capture->depth) + 1;
        size_t end = capture->multi ? s->path.len : s->pieces[capture->depth].end;
        out->params[i].name = capture->name;
        out->params[i].raw = svc__bytes(s->path.data + from, end - from);
        out->params[i].multi = capture->multi;
    }
}

enum match_verdict svc__tree_match(const struct tree *tree, struct bytes method, struct bytes host,
                                   struct bytes path, struct match *out)
{
    UNCLEARED struct search s;
    if (!begin(&s, tree, find_method(tree, method), path))
        return MATCH_NONE;
    uint32_t host_node = find_host(tree, host);
    const struct entry *entry = find_entry(&s, host_node);
    if ((!entry || !s.exact) && !ends_in_slash(path)) {
        s.slash = true; /* what is split stays so */
        if (find_entry(&s, host_node) && s.exact)
            return MATCH_REDIRECT_SLASH;
    }
    if (!entry)
        return MATCH_NONE;
    take_captures(&s, entry, out);
    return MATCH_FOUND;
}

/* The methods from index `first` on, 64 at most, that match the path as it is or with a slash. */
static uint64_t allowed_from(struct search *s, uint32_t host, uint32_t first)
{
    s->method = first;
    s->methods = 0;
    s->slash = false;
    collect_methods(s, host);
    s->slash = !ends_in_slash(s->path);
    if (s->slash)
        collect_methods(s, host);
    return s->methods;
}

size_t svc__tree_allow(const struct tree *tree, struct bytes host, struct bytes path,
                       struct buf *out)
{
    UNCLEARED struct search s;
    if (!begin(&s, tree, TREE_ANY_METHOD, path))
        return 0;
    uint32_t host_node = find_host(tree, host);
    size_t count = 0;
    for (uint32_t first = 1; first <= tree->method_count; first += 64) {
        uint64_t set = allowed_from(&s, host_node, first);
        for (; set; set &= set - 1) {
            svc__buf_puts(out, count++ ? ", " : "");
            svc__buf_bytes(out, tree->methods[first + (uint32_t)__builtin_ctzll(set)].name);
        }
    }
    return count;
}

bool svc__tree_knows_method(const struct tree *tree, struct bytes method)
{
    return tree->any_method || find_method(tree, method) != TREE_ANY_METHOD;
}
