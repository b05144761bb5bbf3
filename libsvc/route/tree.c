/*
 * The compiled tree. A node's literal children are in a hash table of their own, so that a segment
 * costs the same among two siblings and among ten thousand. Where a segment could be a literal, a
 * wildcard or the start of a tail, they are tried in this order, and the search comes back when one
 * leads nowhere. A node is reached by one sequence of choices only, which also fixes the place in
 * the path, so a search visits each node once at most.
 */
#include "libsvc/route/tree.h"

#include <stdlib.h>

#include "libsvc/proto/uri.h"

#define NONE UINT32_MAX

/* A slot of a hash table; `node` is NONE when it is empty. */
struct slot {
    uint32_t hash, node;
};

struct node {
    struct bytes text;  /* of the literal that leads here */
    struct slot *slots; /* literal children; in the tree's one block when built */
    uint32_t mask;      /* slots less one; meaningless without children */
    uint32_t children;  /* literal ones */
    uint32_t wild;      /* node behind a wildcard, of any host or any method */
    uint32_t leaf;      /* pattern that ends here */
    uint32_t end;       /* pattern that ends in {$} behind this */
    uint32_t tail;      /* pattern that takes the rest behind this */
};

struct tree {
    const struct pattern **patterns;
    struct node *nodes; /* the first one's children are hosts, theirs methods, theirs segments */
    size_t count, space;
    struct slot *slots;
    struct bytes *methods; /* sorted; HEAD among them when GET is */
    size_t method_count;
    bool any_method, hosts;
};

/* ---- Hash tables of children */

static uint64_t load(const char *data, size_t len)
{
    uint32_t low, high;
    if (len >= 4) {
        memcpy(&low, data, 4);
        memcpy(&high, data + len - 4, 4);
        return low | (uint64_t)high << 32;
    }
    if (len == 0)
        return 0;
    return (uint64_t)(unsigned char)data[0] | (uint64_t)(unsigned char)data[len / 2] << 8 |
           (uint64_t)(unsigned char)data[len - 1] << 16;
}

/* Registered text alone is stored, so nobody can choose what collides. */
static uint32_t hash(struct bytes text)
{
    static const uint64_t prime = 0x9E3779B97F4A7C15;
    uint64_t h = text.len * prime;
    for (; text.len > 8; text.data += 8, text.len -= 8) {
        uint64_t word;
        memcpy(&word, text.data, 8);
        h = (h ^ word) * prime;
        h ^= h >> 29;
    }
    h = (h ^ load(text.data, text.len)) * prime;
    return (uint32_t)(h >> 32);
}

static uint32_t find_child(const struct tree *tree, const struct node *node, struct bytes text)
{
    if (!node->children)
        return NONE;
    uint32_t h = hash(text);
    for (uint32_t at = h;; at++) {
        struct slot slot = node->slots[at & node->mask];
        if (slot.node == NONE)
            return NONE;
        if (slot.hash == h && svc__bytes_eq(tree->nodes[slot.node].text, text))
            return slot.node;
    }
}

static void put_slot(struct node *node, struct slot slot)
{
    uint32_t at = slot.hash;
    while (node->slots[at & node->mask].node != NONE)
        at++;
    node->slots[at & node->mask] = slot;
}

/* At most half of a table is full, so that a search soon meets an empty slot. */
static bool grow_slots(struct node *node)
{
    uint32_t space = node->children ? node->mask + 1 : 0;
    if ((node->children + 1) * 2 <= space)
        return true;
    uint32_t wanted = space ? space * 2 : 2;
    struct slot *old = node->slots;
    struct slot *slots = malloc(wanted * sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0xff, wanted * sizeof *slots); /* NONE everywhere */
    node->slots = slots;
    node->mask = wanted - 1;
    for (uint32_t i = 0; i < space; i++)
        if (old[i].node != NONE)
            put_slot(node, old[i]);
    free(old);
    return true;
}

/* ---- Building */

static uint32_t new_node(struct tree *tree, struct bytes text)
{
    if (tree->count == tree->space) {
        size_t space = tree->space ? tree->space * 2 : 64;
        struct node *nodes = space < NONE ? realloc(tree->nodes, space * sizeof *nodes) : NULL;
        if (!nodes)
            return NONE;
        tree->nodes = nodes;
        tree->space = space;
    }
    tree->nodes[tree->count] =
        (struct node){.text = text, .wild = NONE, .leaf = NONE, .end = NONE, .tail = NONE};
    return (uint32_t)tree->count++;
}

static uint32_t literal_child(struct tree *tree, uint32_t parent, struct bytes text)
{
    uint32_t child = find_child(tree, &tree->nodes[parent], text);
    if (child != NONE)
        return child;
    child = new_node(tree, text);
    if (child == NONE || !grow_slots(&tree->nodes[parent]))
        return NONE;
    put_slot(&tree->nodes[parent], (struct slot){hash(text), child});
    tree->nodes[parent].children++;
    return child;
}

static uint32_t wild_child(struct tree *tree, uint32_t parent)
{
    if (tree->nodes[parent].wild == NONE) {
        uint32_t child = new_node(tree, svc__bytes("", 0));
        tree->nodes[parent].wild = child;
    }
    return tree->nodes[parent].wild;
}

/* Hosts and methods: none stands for every one. */
static uint32_t named_child(struct tree *tree, uint32_t parent, struct bytes name)
{
    return name.len ? literal_child(tree, parent, name) : wild_child(tree, parent);
}

static bool insert(struct tree *tree, const struct pattern *pattern, uint32_t index)
{
    uint32_t at = named_child(tree, 0, pattern->host);
    if (at != NONE)
        at = named_child(tree, at, pattern->method);
    for (size_t i = 0; i < pattern->count && at != NONE; i++) {
        const struct segment *segment = &pattern->segments[i];
        switch (segment->kind) {
        case SEGMENT_LITERAL:
            at = literal_child(tree, at, segment->text);
            break;
        case SEGMENT_WILD:
            at = wild_child(tree, at);
            break;
        case SEGMENT_MULTI:
            tree->nodes[at].tail = index;
            return true;
        case SEGMENT_END:
            tree->nodes[at].end = index;
            return true;
        }
    }
    if (at == NONE)
        return false;
    tree->nodes[at].leaf = index;
    return true;
}

/* Moves all tables into one block, in the order of their nodes. */
static bool pack_slots(struct tree *tree)
{
    size_t total = 1;
    for (size_t i = 0; i < tree->count; i++)
        total += tree->nodes[i].children ? tree->nodes[i].mask + 1 : 0;
    struct slot *at = malloc(total * sizeof *at);
    if (!at)
        return false;
    tree->slots = at;
    for (size_t i = 0; i < tree->count; i++) {
        struct node *node = &tree->nodes[i];
        size_t space = node->children ? node->mask + 1 : 0;
        if (space)
            memcpy(at, node->slots, space * sizeof *at);
        free(node->slots);
        node->slots = at;
        at += space;
    }
    return true;
}

static int compare_bytes(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static bool has_method(const struct tree *tree, struct bytes method)
{
    for (size_t i = 0; i < tree->method_count; i++)
        if (svc__bytes_eq(tree->methods[i], method))
            return true;
    return false;
}

static void add_method(struct tree *tree, struct bytes method)
{
    if (!has_method(tree, method))
        tree->methods[tree->method_count++] = method;
}

static bool collect_methods(struct tree *tree, size_t count)
{
    tree->methods = malloc((count + 1) * sizeof *tree->methods); /* HEAD may join */
    if (!tree->methods)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct pattern *pattern = tree->patterns[i];
        tree->hosts = tree->hosts || pattern->host.len;
        if (pattern->method.len)
            add_method(tree, pattern->method);
        else
            tree->any_method = true;
    }
    if (has_method(tree, svc__bytes_z("GET")))
        add_method(tree, svc__bytes_z("HEAD"));
    qsort(tree->methods, tree->method_count, sizeof *tree->methods, compare_bytes);
    return true;
}

static bool build(struct tree *tree, const struct pattern *const *patterns, size_t count)
{
    tree->patterns = malloc((count ? count : 1) * sizeof(struct pattern *));
    if (!tree->patterns || new_node(tree, svc__bytes("", 0)) == NONE)
        return false;
    for (size_t i = 0; i < count; i++) {
        tree->patterns[i] = patterns[i];
        if (!insert(tree, patterns[i], (uint32_t)i))
            return false;
    }
    return collect_methods(tree, count) && pack_slots(tree);
}

struct tree *svc__tree_build(const struct pattern *const *patterns, size_t count)
{
    struct tree *tree = calloc(1, sizeof *tree);
    if (tree && !build(tree, patterns, count)) {
        svc__tree_free(tree);
        return NULL;
    }
    return tree;
}

void svc__tree_free(struct tree *tree)
{
    if (!tree)
        return;
    if (!tree->slots) /* not packed yet: each node owns its table */
        for (size_t i = 0; i < tree->count; i++)
            free(tree->nodes[i].slots);
    free(tree->slots);
    free(tree->nodes);
    free(tree->patterns);
    free(tree->methods);
    free(tree);
}

/* ---- Matching */

struct search {
    const struct tree *tree;
    struct bytes path;
    bool escaped;                              /* the path has a '%' */
    bool slash;                                /* search as if the path had a slash behind it */
    bool exact;                                /* the match took no tail that is not empty */
    uint32_t starts[PATTERN_MAX_SEGMENTS + 1]; /* of the segment at each depth */
};

/* A segment for comparing: decoded into `buffer` when it is escaped. False: longer than any
 * literal. */
static bool decode(const struct search *s, struct bytes *segment, char buffer[PATTERN_MAX_LITERAL])
{
    if (!s->escaped || !memchr(segment->data, '%', segment->len))
        return true;
    size_t len = 0;
    while (segment->len > 0) {
        if (len == PATTERN_MAX_LITERAL)
            return false;
        buffer[len++] = (char)svc__uri_take(segment);
    }
    *segment = svc__bytes(buffer, len);
    return true;
}

static uint32_t literal_of(const struct search *s, const struct node *node, struct bytes segment)
{
    char buffer[PATTERN_MAX_LITERAL];
    if (!node->children || !decode(s, &segment, buffer))
        return NONE;
    return find_child(s->tree, node, segment);
}

static uint32_t take_tail(struct search *s, const struct node *node, bool empty)
{
    if (node->tail != NONE)
        s->exact = empty;
    return node->tail;
}

/* Behind the last slash: {$} before the tail. */
static uint32_t take_end(struct search *s, const struct node *node)
{
    if (node->end == NONE)
        return take_tail(s, node, true);
    s->exact = true;
    return node->end;
}

/* Searches from `at` on, whose next segment begins behind the slash at `from`. Returns a pattern.
 */
static uint32_t find(struct search *s, uint32_t at, size_t depth, size_t from)
{
    const struct node *node = &s->tree->nodes[at];
    size_t len = s->path.len;
    if (from >= len) {
        s->exact = true;
        return s->slash ? take_end(s, node) : node->leaf;
    }
    s->starts[depth] = (uint32_t)from + 1;
    if (from + 1 == len && !s->slash)
        return take_end(s, node);
    const char *begin = s->path.data + from + 1;
    size_t end = from + 1;
    while (end < len && s->path.data[end] != '/')
        end++;
    uint32_t found = NONE, child = literal_of(s, node, svc__bytes(begin, end - from - 1));
    if (child != NONE)
        found = find(s, child, depth + 1, end);
    if (found == NONE && node->wild != NONE)
        found = find(s, node->wild, depth + 1, end);
    return found == NONE ? take_tail(s, node, false) : found;
}

/* Under one host: the method's own patterns, GET's for HEAD, then those for every method. */
static uint32_t find_method(struct search *s, uint32_t host, struct bytes method)
{
    if (host == NONE)
        return NONE;
    const struct node *node = &s->tree->nodes[host];
    uint32_t found = NONE, child = find_child(s->tree, node, method);
    if (child != NONE)
        found = find(s, child, 0, 0);
    if (found == NONE && svc__bytes_eq_z(method, "HEAD")) {
        child = find_child(s->tree, node, svc__bytes_z("GET"));
        found = child == NONE ? NONE : find(s, child, 0, 0);
    }
    if (found == NONE && node->wild != NONE)
        found = find(s, node->wild, 0, 0);
    return found;
}

static uint32_t find_host(const struct tree *tree, struct bytes host)
{
    char lower[PATTERN_MAX_LITERAL];
    if (!tree->hosts || host.len > sizeof lower)
        return NONE;
    for (size_t i = 0; i < host.len; i++)
        lower[i] = svc__bytes_lower(host.data[i]);
    return find_child(tree, &tree->nodes[0], svc__bytes(lower, host.len));
}

static uint32_t find_pattern(struct search *s, uint32_t host, struct bytes method)
{
    uint32_t found = find_method(s, host, method);
    return found == NONE ? find_method(s, s->tree->nodes[0].wild, method) : found;
}

static struct search begin(const struct tree *tree, struct bytes path)
{
    struct search s;
    s.tree = tree;
    s.path = path;
    s.escaped = memchr(path.data, '%', path.len) != NULL;
    s.slash = false;
    s.exact = false;
    return s;
}

static void take_params(const struct search *s, const struct pattern *pattern, struct match *out)
{
    const char *path_end = s->path.data + s->path.len;
    for (size_t i = 0; i < pattern->count && out->count < pattern->params; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (!svc__pattern_is_wild(segment) || segment->text.len == 0)
            continue;
        const char *begin = s->path.data + s->starts[i];
        bool multi = segment->kind == SEGMENT_MULTI;
        const char *end = multi ? path_end : memchr(begin, '/', (size_t)(path_end - begin));
        out->params[out->count].name = segment->text;
        out->params[out->count].raw = svc__bytes(begin, (size_t)((end ? end : path_end) - begin));
        out->params[out->count++].multi = multi;
    }
}

static bool ends_in_slash(struct bytes path)
{
    return path.len > 0 && path.data[path.len - 1] == '/';
}

enum match_verdict svc__tree_match(const struct tree *tree, struct bytes method, struct bytes host,
                                   struct bytes path, struct match *out)
{
    struct search s = begin(tree, path);
    uint32_t host_node = find_host(tree, host);
    uint32_t found = find_pattern(&s, host_node, method);
    if ((found == NONE || !s.exact) && !ends_in_slash(path)) {
        struct search other = begin(tree, path);
        other.slash = true;
        if (find_pattern(&other, host_node, method) != NONE && other.exact)
            return MATCH_REDIRECT_SLASH;
    }
    if (found == NONE)
        return MATCH_NONE;
    out->pattern = found;
    out->count = 0;
    take_params(&s, tree->patterns[found], out);
    return MATCH_FOUND;
}

/* Whether a pattern with this very method (not one for every method) matches. */
static bool allows(struct search *s, uint32_t host, struct bytes method)
{
    uint32_t child = host == NONE ? NONE : find_child(s->tree, &s->tree->nodes[host], method);
    return child != NONE && find(s, child, 0, 0) != NONE;
}

static bool allows_somewhere(struct search *s, uint32_t host, struct bytes method)
{
    uint32_t any = s->tree->nodes[0].wild;
    struct bytes get = svc__bytes_z("GET");
    if (allows(s, host, method) || allows(s, any, method))
        return true;
    return svc__bytes_eq_z(method, "HEAD") && (allows(s, host, get) || allows(s, any, get));
}

size_t svc__tree_allow(const struct tree *tree, struct bytes host, struct bytes path,
                       struct buf *out)
{
    struct search plain = begin(tree, path), slashed = begin(tree, path);
    slashed.slash = !ends_in_slash(path);
    uint32_t host_node = find_host(tree, host);
    size_t count = 0;
    for (size_t i = 0; i < tree->method_count; i++) {
        struct bytes method = tree->methods[i];
        if (!allows_somewhere(&plain, host_node, method) &&
            !allows_somewhere(&slashed, host_node, method))
            continue;
        svc__buf_puts(out, count++ ? ", " : "");
        svc__buf_bytes(out, method);
    }
    return count;
}

bool svc__tree_knows_method(const struct tree *tree, struct bytes method)
{
    return tree->any_method || has_method(tree, method);
}
