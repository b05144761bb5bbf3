/*
 * Finds the pattern for a request in a tree that plant.c has made.
 *
 * Where a segment could match a literal, a wildcard or a tail, these are tried in this order, and
 * the search comes back when one leads nowhere. As patterns in a tree do not conflict, the first
 * one found is the most specific.
 *
 * The search is bounded: a node is reached by one sequence of choices only, which also fixes the
 * place in the path, so a search visits each node at most once, whatever the path. The choices
 * still to be tried lie on a stack of fixed size: two entries for each node between the root and
 * the present one, and a pattern has at most PATTERN_MAX_SEGMENTS. Each byte of the path is read
 * once to split it, and a visit looks at PATTERN_MAX_LITERAL decoded bytes at most.
 *
 * The cost of an ordinary search is its instructions, and the loads that wait for each other from
 * one node to the next. So the path is split before the search, the place of a text in a table is
 * computed without a load from the tree, and rare cases are in functions of their own.
 */
#include "libsvc/route/tree.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libsvc/proto/uri.h"
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

enum {
    DEPTHS = PATTERN_MAX_SEGMENTS + 1,
    WINDOW =
        32 /* bytes of the path that are searched for slashes at once; most paths are shorter */
};

/* The next candidate when the search comes back: a node, or the run of a tail. */
struct choice {
    uint32_t what;
    uint16_t depth;
    bool tail;
};

struct search {
    const struct tree *tree;
    struct bytes path;
    const char *text; /* the path, or a copy with zeros behind it where it is shorter than a word */
    size_t last;      /* where the last word of the text begins */
    size_t count;     /* of segments; those too deep for a tree are left out */
    uint32_t method;  /* index of the request's, or TREE_UNKNOWN_METHOD */
    bool slash;       /* search as if the path had a slash behind it */
    bool exact;       /* the match took no tail that is not empty */
    bool escapes;     /* a '%' is in the path */
    uint64_t methods; /* when collecting: the set of methods that would match */
    char copy[TREE_WORD];
    /* The slashes before segments, and the end of the last. A window too many fits behind them. */
    uint32_t bounds[DEPTHS + WINDOW + 1];
    struct choice choices[2 * DEPTHS];
};

void svc__tree_free(struct tree *tree)
{
    free(tree);
}

/* ---- Splitting the path */

/* Up to eight bytes of the path from `at` on, with zeros behind its end. No branch depends on how
 * much of the path is left. */
static inline uint64_t word_at(const struct search *s, size_t at)
{
    size_t from = at < s->last ? at : s->last;
    return svc__tree_load(s->text + from) >> (8 * (at - from));
}

/* Bit 7 of each byte of `word` that is `c`. */
static inline uint64_t find_byte(uint64_t word, unsigned char c)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = ones * 0x7f;
    uint64_t other = word ^ (ones * c);
    return ~(((other & low) + low) | other | low);
}

/* Moves the results of find_byte side by side, into the lowest byte. */
static inline uint64_t gather(uint64_t bits)
{
    return ((bits >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

/* The slashes in the window from `at` on, a bit for each byte. Notes escapes. */
static __attribute__((noinline)) uint64_t scan_words(struct search *s, size_t at)
{
    uint64_t slashes = 0, escapes = 0;
    for (size_t i = 0; i < WINDOW && at + i < s->path.len; i += TREE_WORD) {
        uint64_t word = word_at(s, at + i);
        slashes |= gather(find_byte(word, '/')) << i;
        escapes |= find_byte(word, '%');
    }
    s->escapes |= escapes != 0;
    return slashes;
}

#ifdef __SSE2__
/* The same for a path of two words at least. The number of steps is constant, so that no branch
 * depends on the path's length: each step reads the next bytes, or the end of the path once more.
 */
static inline uint64_t scan_wide(struct search *s, size_t at)
{
    const __m128i slash = _mm_set1_epi8('/'), escape = _mm_set1_epi8('%');
    __m128i escapes = _mm_setzero_si128();
    uint64_t slashes = 0;
    size_t last = s->path.len - sizeof(__m128i);
    for (size_t i = 0; i < WINDOW; i += sizeof(__m128i)) {
        size_t from = at + i < last ? at + i : last;
        __m128i bytes = _mm_loadu_si128((const void *)(s->text + from));
        uint64_t found = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, slash));
        slashes |= found >> (at + i - from) << i;
        escapes = _mm_or_si128(escapes, _mm_cmpeq_epi8(bytes, escape));
    }
    s->escapes |= _mm_movemask_epi8(escapes) != 0;
    return slashes;
}
#endif

static inline uint64_t scan(struct search *s, size_t at)
{
#ifdef __SSE2__
    if (s->path.len >= sizeof(__m128i))
        return scan_wide(s, at);
#endif
    return scan_words(s, at);
}

/* Finds the beginnings of the segments. */
static inline void split(struct search *s)
{
    size_t n = 0;
    for (size_t at = 0; at < s->path.len && n <= DEPTHS; at += WINDOW)
        for (uint64_t slashes = scan(s, at); slashes; slashes &= slashes - 1)
            s->bounds[n++] = (uint32_t)(at + (size_t)__builtin_ctzll(slashes));
    s->bounds[n] = (uint32_t)s->path.len;
    s->count = n;
}

/* ---- Literals */

/* The low `n` bytes, at most eight, of a number; without a branch. */
static inline uint64_t low_bytes(uint64_t word, size_t n)
{
    uint64_t some = (UINT64_C(1) << (8 * n % 64)) - 1;
    return word & (some | -(uint64_t)(n / TREE_WORD));
}

/* The node to which a text of one word leads, or 0. */
static inline __attribute__((always_inline)) uint32_t find_word(const struct tree *tree,
                                                                const struct table *table,
                                                                uint64_t word, size_t len)
{
    const struct slot *slots = svc__tree_at(tree, table->slots);
    for (uint32_t at = svc__tree_home(table, svc__tree_mix(0, word));;
         at = (at + 1) & table->mask) {
        if (slots[at].head == word && slots[at].len == len)
            return slots[at].to;
        if (!slots[at].more)
            return 0;
    }
}

/* Whether a slot holds `text`, which is longer than a word. */
static inline bool slot_holds(const struct tree *tree, const struct slot *slot, uint64_t head,
                              struct bytes text)
{
    if (slot->head != head || slot->len != text.len)
        return false;
    const struct node *node = svc__tree_at(tree, slot->to);
    const char *rest = svc__tree_at(tree, node->text);
    size_t at = TREE_WORD, last = text.len - TREE_WORD;
    for (; at < last; at += TREE_WORD)
        if (svc__tree_load(rest + at) != svc__tree_load(text.data + at))
            return false;
    return svc__tree_load(rest + last) == svc__tree_load(text.data + last);
}

/* The same for a text that is longer than a word. */
static __attribute__((noinline)) uint32_t find_long(const struct tree *tree,
                                                    const struct table *table, struct bytes text)
{
    const struct slot *slots = svc__tree_at(tree, table->slots);
    if (text.len > PATTERN_MAX_LITERAL)
        return 0;
    uint64_t head = svc__tree_load(text.data);
    for (uint32_t at = svc__tree_home(table, svc__tree_hash(text));; at = (at + 1) & table->mask) {
        if (slot_holds(tree, &slots[at], head, text))
            return slots[at].to;
        if (!slots[at].more)
            return 0;
    }
}

/* The same for any text. */
static uint32_t find_text(const struct tree *tree, const struct table *table, struct bytes text)
{
    if (text.len > TREE_WORD)
        return find_long(tree, table, text);
    return find_word(tree, table, svc__tree_head(text), text.len);
}

/* The same for a text that may have escapes. A literal is never longer than the buffer. */
static __attribute__((noinline)) uint32_t find_escaped(const struct tree *tree,
                                                       const struct table *table, struct bytes text)
{
    UNCLEARED char buffer[PATTERN_MAX_LITERAL];
    size_t len = 0;
    while (text.len > 0) {
        if (len == sizeof buffer)
            return 0;
        buffer[len++] = (char)svc__uri_take(&text);
    }
    return find_text(tree, table, svc__bytes(buffer, len));
}

/* The literal child for the segment of `len` bytes at `at`, or 0. */
static inline __attribute__((always_inline)) uint32_t find_child(const struct search *s,
                                                                 const struct table *table,
                                                                 size_t at, size_t len)
{
    struct bytes text = {s->path.data + at, len};
    if (s->escapes)
        return find_escaped(s->tree, table, text);
    if (len > TREE_WORD)
        return find_long(s->tree, table, text);
    return find_word(s->tree, table, low_bytes(word_at(s, at), len), len);
}

/* ---- The search */

/* The entry of a run for the method, or an entry without a pattern. */
static inline const struct entry *serve(const struct run *run, uint32_t method)
{
    for (uint32_t at = method & run->mask;; at = (at + 1) & run->mask) {
        const struct entry *entry = &run->entries[at];
        if (entry->method == method)
            return entry;
        if (!entry->more)
            return &run->any;
    }
}

static void note_methods(struct search *s, const struct run *run)
{
    for (uint32_t at = 0; at <= run->mask; at++) {
        uint32_t bit = run->entries[at].method - s->method;
        s->methods |= bit < 64 ? UINT64_C(1) << bit : 0;
    }
}

/* The entry of a run for the method, or NULL. When collecting, it notes the run's methods and
 * returns NULL. */
static inline const struct entry *pick(struct search *s, uint32_t cell, bool collect)
{
    const struct run *run = svc__tree_at(s->tree, cell);
    if (collect) {
        note_methods(s, run);
        return NULL;
    }
    const struct entry *entry = serve(run, s->method);
    return entry->pattern != TREE_NONE ? entry : NULL;
}

/* The entry at the end of the path: behind its last segment, or behind the slash at its end. */
static inline __attribute__((always_inline)) const struct entry *pick_at_end(
    struct search *s, const struct node *node, bool behind_slash, bool collect)
{
    s->exact = true;
    if (!behind_slash)
        return pick(s, node->leaf, collect);
    const struct entry *entry = pick(s, node->end, collect);
    return entry || !node->tail ? entry : pick(s, node->tail, collect);
}

/* The child of `node` for the segment at `depth`, or 0. Other choices are pushed on the stack. */
static inline __attribute__((always_inline)) uint32_t step(struct search *s,
                                                           const struct node *node, size_t depth,
                                                           size_t *top)
{
    if (node->tail)
        s->choices[(*top)++] = (struct choice){node->tail, 0, true};
    if (node->literals.slots == 0)
        return node->wild;
    size_t from = s->bounds[depth] + 1;
    uint32_t child = find_child(s, &node->literals, from, s->bounds[depth + 1] - from);
    if (child && node->wild)
        s->choices[(*top)++] = (struct choice){node->wild, (uint16_t)(depth + 1), false};
    return child ? child : node->wild;
}

/*
 * Searches below a host. `collect` is a constant at each call, so that each has a copy of its own:
 * true visits all matching patterns, to note their methods in s->methods.
 */
static inline __attribute__((always_inline)) const struct entry *walk(struct search *s, uint32_t at,
                                                                      bool collect)
{
    size_t depth = 0, top = 0;
    for (;;) {
        const struct node *node = svc__tree_at(s->tree, at);
        const struct entry *entry = NULL;
        at = 0;
        if (depth < s->count)
            at = step(s, node, depth++, &top);
        else
            entry = pick_at_end(s, node, s->slash, collect);
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

/* A call of its own, since few searches have hosts, and each inlined copy of the walk would cost
 * the others room. */
static __attribute__((noinline)) const struct entry *walk_apart(struct search *s, uint32_t at)
{
    return walk(s, at, false);
}

/* The host's own patterns before those for every host. */
static inline __attribute__((always_inline)) const struct entry *find_entry(struct search *s,
                                                                            uint32_t host)
{
    uint32_t any = s->tree->every_host;
    const struct entry *entry = host ? walk_apart(s, host) : NULL;
    return entry || !any ? entry : walk(s, any, false);
}

/* Whether a pattern matches the path with a slash behind it exactly. */
static __attribute__((noinline)) bool means_slash(struct search *s, uint32_t host)
{
    s->slash = true; /* the path need not be split again */
    return find_entry(s, host) && s->exact;
}

static void collect_methods(struct search *s, uint32_t host)
{
    uint32_t any = s->tree->every_host;
    if (host)
        (void)walk(s, host, true);
    if (any)
        (void)walk(s, any, true);
}

/* ---- Requests */

static inline uint32_t find_method(const struct tree *tree, struct bytes name)
{
    if (name.len <= TREE_WORD)
        return find_word(tree, &tree->by_name, svc__tree_head(name), name.len);
    for (uint32_t i = 1; i <= tree->method_count; i++)
        if (svc__bytes_eq(tree->methods[i], name))
            return i;
    return TREE_UNKNOWN_METHOD;
}

static __attribute__((noinline)) uint32_t find_host(const struct tree *tree, struct bytes host)
{
    UNCLEARED char buffer[PATTERN_MAX_LITERAL];
    if (host.len == 0 || host.len > sizeof buffer)
        return 0;
    for (size_t i = 0; i < host.len; i++)
        buffer[i] = svc__bytes_lower(host.data[i]);
    const struct node *root = svc__tree_at(tree, tree->root);
    return find_text(tree, &root->literals, svc__bytes(buffer, host.len));
}

/* Sets members one by one, since an initialiser would clear the rest. False for a path that no tree
 * can hold. */
static inline __attribute__((always_inline)) bool begin(struct search *s, const struct tree *tree,
                                                        uint32_t method, struct bytes path)
{
    s->tree = tree;
    s->path = path;
    s->method = method;
    s->exact = false;
    s->escapes = false;
    s->methods = 0;
    if (path.len == 0 || path.len >= UINT32_MAX || path.data[0] != '/')
        return false;
    s->text = path.data;
    s->last = path.len - TREE_WORD;
    if (path.len < TREE_WORD) {
        uint64_t word = htole64(svc__tree_head(path));
        memcpy(s->copy, &word, sizeof word);
        s->text = s->copy;
        s->last = 0;
    }
    split(s);
    s->slash = path.data[path.len - 1] == '/';
    s->count -= s->slash;
    return true;
}

static inline bool ends_in_slash(struct bytes path)
{
    return path.len > 0 && path.data[path.len - 1] == '/';
}

static inline void take_captures(const struct search *s, const struct entry *entry,
                                 struct match *out)
{
    const struct capture *captures = svc__tree_at(s->tree, entry->captures);
    out->pattern = entry->pattern;
    out->count = entry->capture_count;
    for (size_t i = 0; i < entry->capture_count; i++) {
        const struct capture *capture = &captures[i];
        size_t from = s->bounds[capture->depth] + 1;
        size_t end = capture->multi ? s->path.len : s->bounds[capture->depth + 1];
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
    uint32_t host_node = tree->hosted ? find_host(tree, host) : 0;
    const struct entry *entry = find_entry(&s, host_node);
    if ((!entry || !s.exact) && !s.slash && means_slash(&s, host_node))
        return MATCH_REDIRECT_SLASH;
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
    s->slash = ends_in_slash(s->path);
    collect_methods(s, host);
    if (!s->slash) {
        s->slash = true;
        collect_methods(s, host);
    }
    return s->methods;
}

size_t svc__tree_allow(const struct tree *tree, struct bytes host, struct bytes path,
                       struct buf *out)
{
    UNCLEARED struct search s;
    if (!begin(&s, tree, TREE_UNKNOWN_METHOD, path))
        return 0;
    uint32_t host_node = tree->hosted ? find_host(tree, host) : 0;
    size_t count = 0;
    for (uint32_t first = 1; first <= tree->method_count; first += 64) {
        uint64_t set = allowed_from(&s, host_node, first);
        for (; set; set &= set - 1) {
            svc__buf_puts(out, count++ ? ", " : "");
            svc__buf_bytes(out, tree->methods[first + (uint32_t)__builtin_ctzll(set)]);
        }
    }
    return count;
}

bool svc__tree_knows_method(const struct tree *tree, struct bytes method)
{
    return tree->any_method || find_method(tree, method) != TREE_UNKNOWN_METHOD;
}
