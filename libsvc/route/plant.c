/*
 * Makes a tree from patterns. They are sorted, so that patterns with a common prefix stand together
 * and the order of registration cannot matter; then one walk over the sorted list counts what the
 * tree needs, and the same walk again fills it.
 */
#include "libsvc/route/plant.h"

#include <stdlib.h>

#include "libsvc/route/tree_internal.h"

typedef const struct pattern *const *pattern_ref; /* its index is the distance from the first */

struct planter {
    pattern_ref patterns;
    pattern_ref *order;
    size_t count;
    struct bytes *methods; /* sorted, from 1 */
    size_t method_count;
    struct tree *tree; /* NULL while counting */
    size_t cells;      /* used so far */
    uint32_t no_run;   /* the run without patterns, for all nodes where none ends */
    uint64_t *hashes;  /* of the texts for which a table is being chosen */
    uint32_t *taken;   /* for each place of that table the last trial that used it */
    uint32_t trials;
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
    const struct bytes *a = x, *b = y;
    return compare_bytes(*a, *b);
}

static void add_method(struct planter *p, struct bytes name)
{
    p->methods[++p->method_count] = name;
}

static void drop_repeated_methods(struct planter *p)
{
    size_t kept = 0;
    for (size_t i = 1; i <= p->method_count; i++)
        if (kept == 0 || !svc__bytes_eq(p->methods[kept], p->methods[i]))
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
    const struct bytes *found =
        bsearch(&name, p->methods + 1, p->method_count, sizeof *p->methods, compare_methods);
    return found ? (uint32_t)(found - p->methods) : TREE_UNKNOWN_METHOD;
}

/* ---- Cells */

static uint32_t reserve(struct planter *p, size_t n, size_t size)
{
    size_t first = p->cells;
    p->cells += (n * size + TREE_CELL - 1) / TREE_CELL;
    return (uint32_t)first;
}

/* ---- Tables */

/* The sum of the distances of `n` hashes from their own places in a table; `enough` when it is
 * more. */
static size_t count_steps(struct planter *p, size_t n, struct table table, size_t enough)
{
    size_t steps = 0;
    p->trials++;
    for (size_t i = 0; i < n && steps < enough; i++) {
        uint32_t at = svc__tree_home(&table, p->hashes[i]);
        for (; p->taken[at] == p->trials; at = (at + 1) & table.mask)
            steps++;
        p->taken[at] = p->trials;
    }
    return steps;
}

static uint32_t power_of_two(size_t n)
{
    uint32_t power = 1;
    while (power < n)
        power *= 2;
    return power;
}

/*
 * The smallest table in which each of `n` hashes has a place of its own, where one is found; else
 * the best seen. Of many texts some always collide, and a table of theirs is half full at most. The
 * high bits are tried first: they depend on all of a text, so that a bad trial soon has taken more
 * steps than the best.
 */
static struct table choose_table(struct planter *p, size_t n)
{
    enum { FEW = 64, ROOM = 8 };
    struct table best = {.mask = 0};
    size_t least = SIZE_MAX, most = n <= FEW ? ROOM * n : 4 * n - 1;
    for (uint32_t size = power_of_two(n <= FEW ? n : 2 * n); size <= most; size *= 2) {
        for (uint32_t shift = (uint32_t)__builtin_clzll((size - 1) | 1); shift > 0; shift--) {
            struct table table = {0, size - 1, shift};
            size_t steps = count_steps(p, n, table, least);
            if (steps < least) {
                least = steps;
                best = table;
            }
            if (least == 0)
                return best;
        }
    }
    return best;
}

static struct table put_table(struct planter *p, size_t n)
{
    if (n == 0)
        return (struct table){0, 0, 0};
    struct table table = choose_table(p, n);
    table.slots = reserve(p, table.mask + 1, sizeof(struct slot));
    struct slot *slots = p->tree ? svc__tree_at(p->tree, table.slots) : NULL;
    for (uint32_t at = 0; slots && at <= table.mask; at++)
        slots[at].len = TREE_EMPTY;
    return table;
}

static void put_text(const struct planter *p, const struct table *table, struct bytes text,
                     uint32_t to)
{
    if (!p->tree)
        return;
    struct slot *slots = svc__tree_at(p->tree, table->slots);
    uint32_t at = svc__tree_home(table, svc__tree_hash(text));
    for (; slots[at].len != TREE_EMPTY; at = (at + 1) & table->mask)
        slots[at].more = 1;
    slots[at] = (struct slot){svc__tree_head(text), to, (uint16_t)text.len, 0};
}

/* ---- Entries */

/* Returns the first of the pattern's named wildcards. */
static uint32_t put_captures(struct planter *p, const struct pattern *pattern)
{
    uint32_t first = reserve(p, pattern->params, sizeof(struct capture));
    if (!p->tree)
        return first;
    struct capture *capture = svc__tree_at(p->tree, first);
    for (size_t i = 0; i < pattern->count; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (svc__pattern_is_wild(segment) && segment->text.len > 0)
            *capture++ =
                (struct capture){segment->text, (uint32_t)i, segment->kind == SEGMENT_MULTI};
    }
    return first;
}

/* Puts `entry` into its place in a run, or makes it the run's entry for every method. */
static void put_entry(struct run *run, struct entry entry)
{
    uint32_t at = entry.method & run->mask;
    if (entry.method == TREE_UNKNOWN_METHOD) {
        run->any = entry;
        return;
    }
    for (; run->entries[at].method != TREE_NONE; at = (at + 1) & run->mask)
        run->entries[at].more = 1;
    run->entries[at] = entry;
}

/* A GET pattern serves HEAD too, where HEAD has no pattern of its own. */
static bool has_head(const struct planter *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (svc__bytes_eq_z((*p->order[i])->method, "HEAD"))
            return true;
    return false;
}

/* Notes the methods that the patterns [from, to) serve; returns how many. */
static size_t list_methods(struct planter *p, size_t from, size_t to, bool head)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        struct bytes method = (*p->order[i])->method;
        if (method.len > 0)
            p->hashes[n++] = find_method(p, method);
        if (is_get(method) && !head)
            p->hashes[n++] = find_method(p, svc__bytes_z("HEAD"));
    }
    return n;
}

/* A run without patterns that has room for `n` methods, each at a place of its own if possible. */
static uint32_t put_empty_run(struct planter *p, size_t n)
{
    struct table table = {.mask = power_of_two(n) - 1};
    while (table.mask < 4 * n && count_steps(p, n, table, 1) > 0)
        table.mask = 2 * table.mask + 1;
    uint32_t cell = reserve(p, 1, sizeof(struct run) + (table.mask + 1) * sizeof(struct entry));
    if (!p->tree)
        return cell;
    struct run *run = svc__tree_at(p->tree, cell);
    run->mask = table.mask;
    run->any.pattern = TREE_NONE;
    for (uint32_t at = 0; at <= table.mask; at++)
        run->entries[at].method = run->entries[at].pattern = TREE_NONE;
    return cell;
}

/* The run of entries for the patterns [from, to), which all end at one place. */
static uint32_t put_run(struct planter *p, size_t from, size_t to)
{
    if (from == to)
        return p->no_run;
    bool head = has_head(p, from, to);
    uint32_t cell = put_empty_run(p, list_methods(p, from, to, head));
    for (size_t i = from; i < to; i++) {
        const struct pattern *pattern = *p->order[i];
        struct entry entry = {find_method(p, pattern->method),
                              (uint32_t)(p->order[i] - p->patterns), put_captures(p, pattern),
                              (uint16_t)pattern->params, 0};
        if (!p->tree)
            continue;
        put_entry(svc__tree_at(p->tree, cell), entry);
        entry.method = find_method(p, svc__bytes_z("HEAD"));
        if (is_get(pattern->method) && !head)
            put_entry(svc__tree_at(p->tree, cell), entry);
    }
    return cell;
}

/* ---- Nodes */

/* The index behind the last of [from, to) that ends before `depth`. */
static size_t skip_ended(const struct planter *p, size_t from, size_t to, size_t depth)
{
    while (from < to && (*p->order[from])->count < depth)
        from++;
    return from;
}

/* The index behind the last of [from, to) that has this kind of level at `depth`. */
static size_t skip_kind(const struct planter *p, size_t from, size_t to, size_t depth,
                        enum segment_kind kind)
{
    while (from < to && level(*p->order[from], depth).kind == kind)
        from++;
    return from;
}

/* The index behind the last of [from, to) whose level at `depth` is the same as the first one's. */
static size_t skip_same(const struct planter *p, size_t from, size_t to, size_t depth)
{
    struct segment first = level(*p->order[from], depth);
    size_t at = from + 1;
    while (at < to && compare_levels(first, level(*p->order[at], depth)) == 0)
        at++;
    return at;
}

/* Notes the hashes of the literals in [from, to); returns how many. */
static size_t list_literals(struct planter *p, size_t from, size_t to, size_t depth)
{
    size_t n = 0;
    for (; from < to; from = skip_same(p, from, to, depth))
        p->hashes[n++] = svc__tree_hash(level(*p->order[from], depth).text);
    return n;
}

/* Puts the text of a literal that is too long for a slot. */
static uint32_t put_long(struct planter *p, struct bytes text)
{
    if (text.len <= TREE_WORD)
        return 0;
    uint32_t cell = reserve(p, text.len, 1);
    if (p->tree)
        memcpy(svc__tree_at(p->tree, cell), text.data, text.len);
    return cell;
}

/*
 * Plants a node and all below it from the patterns [from, to), which are the same up to `depth`;
 * `text` is the literal that leads to it. Recursion is as deep as a pattern is long.
 */
static uint32_t plant(struct planter *p, struct bytes text, size_t from, size_t to, size_t depth)
{
    size_t literals = skip_ended(p, from, to, depth);
    size_t wilds = skip_kind(p, literals, to, depth, SEGMENT_LITERAL);
    size_t tails = skip_kind(p, wilds, to, depth, SEGMENT_WILD);
    size_t ends = skip_kind(p, tails, to, depth, SEGMENT_MULTI);
    uint32_t cell = reserve(p, 1, sizeof(struct node));
    struct node node = {.literals = put_table(p, list_literals(p, literals, wilds, depth))};
    node.text = put_long(p, text);
    node.leaf = put_run(p, from, literals);
    node.end = put_run(p, ends, to);
    node.tail = tails < ends ? put_run(p, tails, ends) : 0;
    while (literals < wilds) {
        size_t next = skip_same(p, literals, wilds, depth);
        struct bytes literal = level(*p->order[literals], depth).text;
        put_text(p, &node.literals, literal, plant(p, literal, literals, next, depth + 1));
        literals = next;
    }
    if (wilds < tails)
        node.wild = plant(p, svc__bytes(NULL, 0), wilds, tails, depth + 1);
    if (p->tree)
        memcpy(svc__tree_at(p->tree, cell), &node, sizeof node);
    return cell;
}

/* ---- The block */

/* Names longer than a word are not in the table of names. */
static void put_methods(struct planter *p)
{
    struct table by_name;
    size_t n = 0;
    uint32_t cell = reserve(p, p->method_count + 1, sizeof(struct bytes));
    for (size_t i = 1; i <= p->method_count; i++)
        if (p->methods[i].len <= TREE_WORD)
            p->hashes[n++] = svc__tree_hash(p->methods[i]);
    by_name = put_table(p, n);
    for (uint32_t i = 1; i <= p->method_count; i++)
        if (p->methods[i].len <= TREE_WORD)
            put_text(p, &by_name, p->methods[i], i);
    if (!p->tree)
        return;
    p->tree->by_name = by_name;
    p->tree->methods = svc__tree_at(p->tree, cell);
    memcpy(p->tree->methods + 1, p->methods + 1, p->method_count * sizeof *p->methods);
}

/* Cell 0 has an empty slot, so that a table without texts is one of zeros, and nothing else. */
static uint32_t plant_all(struct planter *p)
{
    p->cells = 0;
    uint32_t empty = reserve(p, 1, sizeof(struct slot));
    if (p->tree)
        ((struct slot *)svc__tree_at(p->tree, empty))->len = TREE_EMPTY;
    p->no_run = put_empty_run(p, 0);
    put_methods(p);
    return plant(p, svc__bytes(NULL, 0), 0, p->count, 0);
}

/* One block of zeros with room for all counted cells. */
static struct tree *allocate(const struct planter *p)
{
    enum { LINE = 64, BEFORE = (sizeof(struct tree) + LINE - 1) / LINE * LINE };
    char *block = p->cells <= UINT32_MAX ? calloc(1, BEFORE + p->cells * TREE_CELL) : NULL;
    struct tree *tree = (void *)block;
    if (tree)
        tree->cells = block + BEFORE;
    return tree;
}

static void fill(struct planter *p, struct tree *tree)
{
    p->tree = tree;
    tree->method_count = (uint32_t)p->method_count;
    for (size_t i = 0; i < p->count; i++) {
        tree->hosted = tree->hosted || p->patterns[i]->host.len > 0;
        tree->any_method = tree->any_method || p->patterns[i]->method.len == 0;
    }
    tree->root = plant_all(p);
    tree->every_host = ((const struct node *)svc__tree_at(tree, tree->root))->wild;
}

/* A table for `n` hashes has fewer than 4 * n places, or 512; there are two methods for a pattern
 * at most. */
static bool get_scratch(struct planter *p)
{
    p->hashes = malloc((2 * p->count + 1) * sizeof *p->hashes);
    p->taken = calloc(8 * p->count + 512, sizeof *p->taken);
    return p->hashes && p->taken;
}

struct tree *svc__plant_tree(const struct pattern *const *patterns, size_t count)
{
    struct planter p = {.patterns = patterns, .count = count};
    struct tree *tree = NULL;
    if (count > UINT32_MAX / (4 * sizeof(struct bytes)))
        return NULL;
    if (sort_patterns(&p) && collect_methods(&p) && get_scratch(&p)) {
        (void)plant_all(&p);
        tree = allocate(&p);
        if (tree)
            fill(&p, tree);
    }
    free(p.taken);
    free(p.hashes);
    free(p.methods);
    free(p.order);
    return tree;
}
