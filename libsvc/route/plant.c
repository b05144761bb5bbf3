/*
 * Makes a tree from patterns. They are sorted, so that what shares a prefix stands together and the
 * order of registration cannot matter; then one walk over the sorted list counts what the tree
 * needs, and the same walk again fills it.
 */
#include "libsvc/route/plant.h"

#include <stdlib.h>

#include "libsvc/route/tree_internal.h"

typedef const struct pattern *const *pattern_ref; /* its index is its distance from the first */

struct planter {
    pattern_ref patterns;
    pattern_ref *order;
    size_t count;
    struct method *methods; /* sorted, from 1 */
    size_t method_count;
    struct tree *tree; /* NULL while counting */
    size_t nodes, slots, entries, captures, texts;
};

/* ---- The sorted list */

/* The level at `depth`: the host, as if it were the first segment, then the segments. */
static struct segment level(const struct pattern *pattern, size_t depth)
{
    if (depth > 0)
        return pattern->segments[depth - 1];
    enum segment_kind kind = pattern->host.len > 0 ? SEGMENT_LITERAL : SEGMENT_WILD;
    return (struct segment){kind, pattern->host};
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Names of wildcards do not count. */
static int compare_levels(struct segment a, struct segment b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    return a.kind == SEGMENT_LITERAL ? compare_bytes(a.text, b.text) : 0;
}

static int compare_places(const struct pattern *a, const struct pattern *b)
{
    size_t shared = a->count < b->count ? a->count : b->count;
    for (size_t depth = 0; depth <= shared; depth++) {
        int order = compare_levels(level(a, depth), level(b, depth));
        if (order)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

/* By place, then by method, with the pattern for every method last. */
static int compare_refs(const void *x, const void *y)
{
    pattern_ref a = *(const pattern_ref *)x, b = *(const pattern_ref *)y;
    int order = compare_places(*a, *b);
    if (!order)
        order = ((*a)->method.len == 0) - ((*b)->method.len == 0);
    if (!order)
        order = compare_bytes((*a)->method, (*b)->method);
    return order ? order : (a > b) - (a < b);
}

static bool sort_patterns(struct planter *p)
{
    p->order = malloc((p->count + 1) * sizeof(pattern_ref));
    if (!p->order)
        return false;
    for (size_t i = 0; i < p->count; i++)
        p->order[i] = &p->patterns[i];
    qsort(p->order, p->count, sizeof(pattern_ref), compare_refs);
    return true;
}

/* ---- Methods */

static bool is_get(struct bytes method)
{
    return svc__bytes_eq_z(method, "GET");
}

static int compare_methods(const void *x, const void *y)
{
    const struct method *a = x, *b = y;
    return compare_bytes(a->name, b->name);
}

static void add_method(struct planter *p, struct bytes name)
{
    p->methods[++p->method_count] = (struct method){name, svc__tree_head(name)};
}

static void drop_repeated_methods(struct planter *p)
{
    size_t kept = 0;
    for (size_t i = 1; i <= p->method_count; i++)
        if (kept == 0 || !svc__bytes_eq(p->methods[kept].name, p->methods[i].name))
            p->methods[++kept] = p->methods[i];
    p->method_count = kept;
}

static bool collect_methods(struct planter *p)
{
    p->methods = malloc((2 * p->count + 1) * sizeof *p->methods);
    if (!p->methods)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        struct bytes method = p->patterns[i]->method;
        if (method.len > 0)
            add_method(p, method);
        if (is_get(method))
            add_method(p, svc__bytes_z("HEAD"));
    }
    qsort(p->methods + 1, p->method_count, sizeof *p->methods, compare_methods);
    drop_repeated_methods(p);
    return true;
}

static uint32_t find_method(const struct planter *p, struct bytes name)
{
    struct method wanted = {.name = name};
    const struct method *found =
        bsearch(&wanted, p->methods + 1, p->method_count, sizeof *p->methods, compare_methods);
    return found ? (uint32_t)(found - p->methods) : TREE_ANY_METHOD;
}

/* ---- Entries */

/* Returns the index of the pattern's first named wildcard among all. */
static size_t put_captures(struct planter *p, const struct pattern *pattern)
{
    size_t first = p->captures;
    for (size_t i = 0; i < pattern->count; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (!svc__pattern_is_wild(segment) || segment->text.len == 0)
            continue;
        if (p->tree)
            p->tree->captures[p->captures] =
                (struct capture){segment->text, (uint32_t)i, segment->kind == SEGMENT_MULTI};
        p->captures++;
    }
    return first;
}

static void put_entry(struct planter *p, pattern_ref ref, struct bytes method, size_t captures)
{
    size_t at = p->entries++;
    if (p->tree)
        p->tree->entries[at] = (struct entry){.method = find_method(p, method),
                                              .pattern = (uint32_t)(ref - p->patterns),
                                              .captures = (uint32_t)captures,
                                              .capture_count = (uint16_t)(p->captures - captures)};
}

/* A GET pattern serves HEAD too, where HEAD has no pattern of its own. */
static bool has_head(const struct planter *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (svc__bytes_eq_z((*p->order[i])->method, "HEAD"))
            return true;
    return false;
}

/* The run of entries for the patterns [from, to), which all end at one place. */
static uint32_t put_run(struct planter *p, size_t from, size_t to)
{
    if (from == to)
        return 0;
    size_t first = p->entries;
    bool head = has_head(p, from, to);
    for (size_t i = from; i < to; i++) {
        const struct pattern *pattern = *p->order[i];
        size_t captures = put_captures(p, pattern);
        put_entry(p, p->order[i], pattern->method, captures);
        if (is_get(pattern->method) && !head)
            put_entry(p, p->order[i], svc__bytes_z("HEAD"), captures);
    }
    if (p->tree)
        p->tree->entries[p->entries - 1].last = true;
    return (uint32_t)first;
}

/* ---- Nodes */

/* Behind the last of [from, to) that ends before `depth`. */
static size_t skip_ended(const struct planter *p, size_t from, size_t to, size_t depth)
{
    while (from < to && (*p->order[from])->count < depth)
        from++;
    return from;
}

/* Behind the last of [from, to) that has this kind of level at `depth`. */
static size_t skip_kind(const struct planter *p, size_t from, size_t to, size_t depth,
                        enum segment_kind kind)
{
    while (from < to && level(*p->order[from], depth).kind == kind)
        from++;
    return from;
}

/* Behind the last of [from, to) whose level at `depth` is the same as the first one's. */
static size_t skip_same(const struct planter *p, size_t from, size_t to, size_t depth)
{
    struct segment first = level(*p->order[from], depth);
    size_t at = from + 1;
    while (at < to && compare_levels(first, level(*p->order[at], depth)) == 0)
        at++;
    return at;
}

static size_t count_groups(const struct planter *p, size_t from, size_t to, size_t depth)
{
    size_t groups = 0;
    for (; from < to; from = skip_same(p, from, to, depth))
        groups++;
    return groups;
}

/* A hash table is at most half full, so that a search soon meets an empty slot. */
static size_t span_of(size_t children)
{
    size_t span = 2 * TREE_FEW;
    if (children <= TREE_FEW)
        return children;
    while (span < 2 * children)
        span *= 2;
    return span;
}

/* By how much a hash is shifted to leave a place in a table. */
static uint8_t shift_of(size_t children)
{
    return (uint8_t)(32 - __builtin_ctzll(children > TREE_FEW ? span_of(children) : 1));
}

static void put_slot(const struct tree *tree, const struct node *node, struct slot slot,
                     struct bytes text)
{
    struct slot *slots = tree->slots + node->slots;
    uint32_t at = node->hashed ? svc__tree_home(node, slot.head, text) : 0;
    while (slots[at].node)
        at = node->hashed ? (at + 1) & (node->span - 1) : at + 1;
    slots[at] = slot;
}

/* A literal child: its slot, and the part of its text that the slot has no room for. */
static void put_literal(struct planter *p, size_t parent, size_t child, struct bytes text)
{
    size_t at = p->texts;
    size_t rest = text.len > TREE_HEAD ? text.len - TREE_HEAD : 0;
    p->texts += rest;
    if (!p->tree)
        return;
    if (rest > 0)
        memcpy(p->tree->texts + at, text.data + TREE_HEAD, rest);
    p->tree->nodes[child].text = (uint32_t)at;
    struct slot slot = {svc__tree_head(text), (uint32_t)text.len, (uint32_t)child};
    put_slot(p->tree, &p->tree->nodes[parent], slot, text);
}

static void put_node(struct planter *p, size_t node, struct node what)
{
    if (!p->tree)
        return;
    what.text = p->tree->nodes[node].text;
    p->tree->nodes[node] = what;
}

/*
 * Plants `node` and all below it from the patterns [from, to), which are the same up to `depth`.
 * A node's children lie side by side. Recursion is as deep as a pattern is long.
 */
static void plant(struct planter *p, size_t node, size_t from, size_t to, size_t depth)
{
    size_t literals = skip_ended(p, from, to, depth);
    size_t wilds = skip_kind(p, literals, to, depth, SEGMENT_LITERAL);
    size_t tails = skip_kind(p, wilds, to, depth, SEGMENT_WILD);
    size_t ends = skip_kind(p, tails, to, depth, SEGMENT_MULTI);
    size_t children = count_groups(p, literals, wilds, depth);
    size_t child = p->nodes, wild = wilds < tails ? child + children : 0;
    p->nodes += children + (wild > 0);
    struct node what = {.slots = (uint32_t)p->slots,
                        .span = (uint32_t)span_of(children),
                        .hashed = children > TREE_FEW,
                        .shift = shift_of(children),
                        .wild = (uint32_t)wild};
    p->slots += span_of(children);
    what.leaf = put_run(p, from, literals);
    what.tail = put_run(p, tails, ends);
    what.end = put_run(p, ends, to);
    put_node(p, node, what);
    while (literals < wilds) {
        size_t next = skip_same(p, literals, wilds, depth);
        put_literal(p, node, child, level(*p->order[literals], depth).text);
        plant(p, child++, literals, next, depth + 1);
        literals = next;
    }
    if (wild > 0)
        plant(p, wild, wilds, tails, depth + 1);
}

static void plant_all(struct planter *p)
{
    p->nodes = p->entries = 1; /* the root, and the entry that is none */
    p->slots = p->captures = p->texts = 0;
    plant(p, 0, 0, p->count, 0);
}

/* ---- The block */

/* Adds room for `n` things of `size` bytes; returns where it begins, aligned for each of them. */
static size_t reserve(size_t *total, size_t n, size_t size)
{
    enum { LINE = 64 };
    size_t bytes, at = *total;
    if (n > UINT32_MAX / 2 || __builtin_mul_overflow(n, size, &bytes) ||
        __builtin_add_overflow(at, bytes, total) ||
        __builtin_add_overflow(*total, LINE - 1, total)) {
        *total = SIZE_MAX;
        return 0;
    }
    *total -= *total % LINE;
    return at;
}

/* One block of zeros with room for all that was counted, in whole cache lines. */
static struct tree *allocate(const struct planter *p)
{
    size_t total = 0;
    (void)reserve(&total, 1, sizeof(struct tree));
    size_t nodes = reserve(&total, p->nodes, sizeof(struct node));
    size_t slots = reserve(&total, p->slots, sizeof(struct slot));
    size_t entries = reserve(&total, p->entries, sizeof(struct entry));
    size_t captures = reserve(&total, p->captures, sizeof(struct capture));
    size_t methods = reserve(&total, p->method_count + 1, sizeof(struct method));
    size_t texts = reserve(&total, p->texts, 1);
    char *block = total < SIZE_MAX ? calloc(1, total) : NULL;
    if (!block)
        return NULL;
    struct tree *tree = (void *)block;
    tree->nodes = (void *)(block + nodes);
    tree->slots = (void *)(block + slots);
    tree->entries = (void *)(block + entries);
    tree->captures = (void *)(block + captures);
    tree->methods = (void *)(block + methods);
    tree->texts = block + texts;
    return tree;
}

static void fill(struct planter *p, struct tree *tree)
{
    p->tree = tree;
    tree->method_count = (uint32_t)p->method_count;
    memcpy(tree->methods + 1, p->methods + 1, p->method_count * sizeof *p->methods);
    for (size_t i = 0; i < p->count; i++) {
        tree->hosted = tree->hosted || p->patterns[i]->host.len > 0;
        tree->any_method = tree->any_method || p->patterns[i]->method.len == 0;
    }
    plant_all(p);
}

struct tree *svc__plant_tree(const struct pattern *const *patterns, size_t count)
{
    struct planter p = {.patterns = patterns, .count = count};
    struct tree *tree = NULL;
    if (count > UINT32_MAX / (4 * sizeof(struct method)))
        return NULL;
    if (sort_patterns(&p) && collect_methods(&p)) {
        plant_all(&p);
        tree = allocate(&p);
        if (tree)
            fill(&p, tree);
    }
    free(p.methods);
    free(p.order);
    return tree;
}
