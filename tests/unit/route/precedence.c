#include "libsvc/route/precedence.h"

#include "tests/unit/route/naive.h"
#include "tests/unit/route/support.h"

static enum relation mirror(enum relation relation)
{
    return relation == RELATION_GENERAL    ? RELATION_SPECIFIC
           : relation == RELATION_SPECIFIC ? RELATION_GENERAL
                                           : relation;
}

Test(route_precedence, two_patterns_relate_as_the_sets_of_their_requests)
{
    static const struct {
        const char *a, *b;
        enum relation relation;
    } rows[] = {
        {"/a", "/a", RELATION_EQUAL},
        {"/a", "/b", RELATION_DISJOINT},
        {"/a", "/{x}", RELATION_SPECIFIC},
        {"/a", "/{x...}", RELATION_SPECIFIC},
        {"/a", "/{$}", RELATION_DISJOINT},
        {"/a", "/", RELATION_SPECIFIC},
        {"/a", "/a/", RELATION_DISJOINT},
        {"/{z}", "/", RELATION_SPECIFIC},
        {"/{z}", "/{$}", RELATION_DISJOINT},
        {"/{x}", "/{y}", RELATION_EQUAL},
        {"/{x...}", "/", RELATION_EQUAL},
        {"/{x...}", "/{$}", RELATION_GENERAL},
        {"/{$}", "/{$}", RELATION_EQUAL},
        {"/a/{z}/", "/{z}/a/", RELATION_OVERLAP},
        {"/{z}/{$}", "/a/", RELATION_OVERLAP},
        {"/{z}/{$}", "/a/{$}", RELATION_GENERAL},
        {"/b/{x}/a/{$}", "/{x}/c/{y...}", RELATION_OVERLAP},
        {"/a/{x}", "/{x}/b", RELATION_OVERLAP},
        {"/a/{x}", "/{x}/b/", RELATION_DISJOINT},
        {"/a/b/{x...}", "/a/{y}/b", RELATION_OVERLAP},
        {"/a/b/{x...}", "/a/c/", RELATION_DISJOINT},
        {"/{x}/{y}", "/{x}/a/{$}", RELATION_DISJOINT},
        {"/{x}/{y}/", "/{x}/a/{$}", RELATION_GENERAL},
        {"/a/{x...}", "/a/b/c/d", RELATION_GENERAL},
        {"/a/{x...}", "/a", RELATION_DISJOINT},
        {"/", "GET /", RELATION_GENERAL},
        {"GET /", "HEAD /", RELATION_GENERAL},
        {"GET /", "POST /", RELATION_DISJOINT},
        {"get /", "GET /", RELATION_DISJOINT},
        {"GET /", "/foo", RELATION_OVERLAP},
        {"GET /foo", "/", RELATION_SPECIFIC},
        {"GET /foo", "HEAD /", RELATION_OVERLAP},
        {"GET /", "HEAD /foo", RELATION_GENERAL},
        {"/a%2Fb", "/a%2fb", RELATION_EQUAL},
        {"/a%2Fb", "/a/b", RELATION_DISJOINT},
        {"/1/2/3/4/5/6/7/8/9", "/1/2/3/4/5/6/7/8/9", RELATION_EQUAL},
        {"/1/2/3/4/5/6/7/8/9", "/1/2/3/4/5/6/7/8/0", RELATION_DISJOINT},
        {"/1/2/3/4/5/6/7/8/9", "/1/2/3/4/5/6/7/0/9", RELATION_DISJOINT},
        {"/1/2/3/4/5/6/7/8/{x}", "/1/2/3/4/5/6/7/{x}/9", RELATION_OVERLAP},
    };
    struct patterns p;
    patterns_init(&p);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct pattern *a = patterns_add(&p, rows[i].a);
        const struct pattern *b = patterns_add(&p, rows[i].b);
        bool conflict = rows[i].relation == RELATION_EQUAL || rows[i].relation == RELATION_OVERLAP;
        cr_expect_eq(svc__precedence_compare(a, b), rows[i].relation, "%s %s", a->text, b->text);
        cr_expect_eq(svc__precedence_compare(b, a), mirror(rows[i].relation), "%s %s", b->text,
                     a->text);
        cr_expect_eq(svc__precedence_conflict(a, b), conflict, "%s %s", a->text, b->text);
        cr_expect_eq(svc__precedence_conflict(b, a), conflict, "%s %s", b->text, a->text);
    }
    patterns_free(&p);
}

Test(route_precedence, patterns_conflict_under_the_same_host_only)
{
    static const struct {
        const char *a, *b;
        bool conflict;
    } rows[] = {
        {"a.com/x", "a.com/x", true},        {"a.com/x", "A.COM/x", true},
        {"a.com/x", "b.com/x", false},       {"a.com/x", "/x", false},
        {"a.com/{x}/b", "/a/{x}", false},    {"a.com/{x}/b", "a.com/a/{x}", true},
        {"GET a.com/x", "a.com/{y}", false}, {"a.com/x", "a.com/{y}", false},
    };
    struct patterns p;
    patterns_init(&p);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct pattern *a = patterns_add(&p, rows[i].a);
        const struct pattern *b = patterns_add(&p, rows[i].b);
        cr_expect_eq(svc__precedence_conflict(a, b), rows[i].conflict, "%s %s", a->text, b->text);
    }
    patterns_free(&p);
}

/* ---- Every pattern of up to three segments against every request of up to four */

static const char *const request_methods[] = {"GET", "HEAD", "POST", "OTHER"};
static const char *const request_segments[] = {"/a", "/b", "/c"};
static const char *const pattern_methods[] = {"", "GET ", "HEAD ", "POST "};
static const char *const pattern_segments[] = {"/a", "/b", "/{"};

enum {
    MAX_REQUEST_SEGMENTS = 4,
    MAX_REQUESTS = 1024,
    WORDS = MAX_REQUESTS / 64,
    MAX_PATTERN_SEGMENTS = 3
};

struct request {
    struct bytes method;
    char path[3 * MAX_REQUEST_SEGMENTS];
};

struct universe {
    struct request requests[MAX_REQUESTS];
    size_t count;
    struct patterns patterns;
    uint64_t (*sets)[WORDS]; /* of the requests that each pattern matches */
};

static void add_request(struct universe *u, size_t method, const char *path, const char *slash)
{
    cr_assert(u->count < MAX_REQUESTS);
    struct request *request = &u->requests[u->count++];
    request->method = svc__bytes_z(request_methods[method]);
    snprintf(request->path, sizeof request->path, "%s%s", path, slash);
}

static void add_requests(struct universe *u, const char *prefix, size_t depth)
{
    for (size_t m = 0; m < ROWS(request_methods); m++) {
        if (depth > 0)
            add_request(u, m, prefix, "");
        add_request(u, m, prefix, "/");
    }
    for (size_t i = 0; depth < MAX_REQUEST_SEGMENTS && i < ROWS(request_segments); i++) {
        char path[3 * MAX_REQUEST_SEGMENTS];
        snprintf(path, sizeof path, "%s%s", prefix, request_segments[i]);
        add_requests(u, path, depth + 1);
    }
}

static void add_pattern(struct universe *u, const char *prefix, const char *end)
{
    for (size_t m = 0; m < ROWS(pattern_methods); m++) {
        char text[64];
        snprintf(text, sizeof text, "%s%s%s", pattern_methods[m], prefix, end);
        patterns_add(&u->patterns, text);
    }
}

/* Wildcards get the names a, b and c, which are also what segments are: the worst for examples. */
static void add_patterns(struct universe *u, const char *prefix, size_t depth)
{
    if (depth > 0)
        add_pattern(u, prefix, "");
    add_pattern(u, prefix, "/");
    add_pattern(u, prefix, "/{$}");
    for (size_t i = 0; depth < MAX_PATTERN_SEGMENTS && i < ROWS(pattern_segments); i++) {
        char text[64];
        if (pattern_segments[i][1] == '{')
            snprintf(text, sizeof text, "%s/{%c}", prefix, 'a' + (int)depth);
        else
            snprintf(text, sizeof text, "%s%s", prefix, pattern_segments[i]);
        add_patterns(u, text, depth + 1);
    }
}

static bool matches(const struct pattern *pattern, struct bytes method, struct bytes path)
{
    return naive_method(pattern, method) && naive_path(pattern, path).found;
}

static void make_universe(struct universe *u)
{
    u->count = 0;
    patterns_init(&u->patterns);
    add_requests(u, "", 0);
    add_patterns(u, "", 0);
    u->sets = calloc(u->patterns.count, sizeof *u->sets);
    cr_assert_not_null(u->sets);
    for (size_t i = 0; i < u->patterns.count; i++)
        for (size_t r = 0; r < u->count; r++)
            if (matches(u->patterns.list[i], u->requests[r].method,
                        svc__bytes_z(u->requests[r].path)))
                u->sets[i][r / 64] |= UINT64_C(1) << (r % 64);
}

static void free_universe(struct universe *u)
{
    free(u->sets);
    patterns_free(&u->patterns);
}

static enum relation relate_sets(const uint64_t *a, const uint64_t *b)
{
    bool both = false, only_a = false, only_b = false;
    for (size_t i = 0; i < WORDS; i++) {
        both = both || (a[i] & b[i]);
        only_a = only_a || (a[i] & ~b[i]);
        only_b = only_b || (b[i] & ~a[i]);
    }
    if (!both)
        return RELATION_DISJOINT;
    if (only_a)
        return only_b ? RELATION_OVERLAP : RELATION_GENERAL;
    return only_b ? RELATION_SPECIFIC : RELATION_EQUAL;
}

Test(route_precedence, compare_agrees_with_the_sets_of_matched_requests)
{
    static struct universe u;
    make_universe(&u);
    size_t seen[RELATION_OVERLAP + 1] = {0};
    for (size_t i = 0; i < u.patterns.count; i++) {
        for (size_t j = 0; j < u.patterns.count; j++) {
            const struct pattern *a = u.patterns.list[i], *b = u.patterns.list[j];
            enum relation relation = svc__precedence_compare(a, b);
            cr_assert_eq(relation, relate_sets(u.sets[i], u.sets[j]), "\"%s\" \"%s\"", a->text,
                         b->text);
            bool conflict = relation == RELATION_EQUAL || relation == RELATION_OVERLAP;
            cr_assert_eq(svc__precedence_conflict(a, b), conflict, "\"%s\" \"%s\"", a->text,
                         b->text);
            seen[relation]++;
        }
    }
    for (size_t i = 0; i < ROWS(seen); i++)
        cr_expect(seen[i] > 100, "relation %zu: %zu", i, seen[i]);
    free_universe(&u);
}

/* Takes the request that stands in quotes behind `label`, "METHOD [host]/path". */
static bool find_request(const char *text, const char *label, char out[static 256],
                         struct bytes *method, struct bytes *host, struct bytes *path)
{
    const char *at = strstr(text, label);
    if (!at)
        return false;
    at += strlen(label);
    size_t len = strcspn(at, "\"");
    cr_assert(len < 256 && at[len] == '"', "%s", text);
    memcpy(out, at, len);
    *path = svc__bytes(out, len);
    *method = svc__bytes_cut(path, ' ');
    const char *slash = path->data ? memchr(path->data, '/', path->len) : NULL;
    cr_assert_not_null(slash, "%s", text);
    *host = svc__bytes(path->data, (size_t)(slash - path->data));
    *path = svc__bytes(slash, path->len - host->len);
    cr_assert_not(svc__uri_unclean(*path), "%s", text);
    return true;
}

static void check_request(const char *text, const char *label, const struct pattern *a,
                          const struct pattern *b, bool by_a, bool by_b)
{
    char out[256];
    struct bytes method, host, path;
    cr_assert(find_request(text, label, out, &method, &host, &path), "%s", text);
    cr_assert(naive_host(a, host) && naive_host(b, host), "%s", text);
    cr_assert_eq(matches(a, method, path), by_a, "%s", text);
    cr_assert_eq(matches(b, method, path), by_b, "%s", text);
}

static void check_explanation(const struct pattern *a, const struct pattern *b, struct buf *why)
{
    svc__buf_clear(why);
    svc__precedence_explain(a, b, why);
    svc__buf_terminate(why);
    cr_assert_eq(svc__buf_error(why), 0);
    cr_assert_null(strchr(why->data, '\n'));
    char place[128];
    snprintf(place, sizeof place, "%s:%d: pattern \"%s\" ", a->file, a->line, a->text);
    cr_assert(strstr(why->data, place) == why->data, "%s", why->data);
    snprintf(place, sizeof place, "\"%s\" of %s:%d: ", b->text, b->file, b->line);
    cr_assert_not_null(strstr(why->data, place), "%s", why->data);
    check_request(why->data, "both match \"", a, b, true, true);
    bool overlap = svc__precedence_compare(a, b) == RELATION_OVERLAP;
    cr_assert_eq(strstr(why->data, "only") != NULL, overlap, "%s", why->data);
    if (!overlap)
        return;
    check_request(why->data, "only the first matches \"", a, b, true, false);
    check_request(why->data, "only the second \"", a, b, false, true);
}

static size_t check_all_explanations(const struct patterns *p)
{
    struct buf why;
    size_t conflicts = 0;
    svc__buf_init(&why, 65536);
    for (size_t i = 0; i < p->count; i++) {
        for (size_t j = 0; j < p->count; j++) {
            if (!svc__precedence_conflict(p->list[i], p->list[j]))
                continue;
            check_explanation(p->list[i], p->list[j], &why);
            conflicts++;
        }
    }
    svc__buf_free(&why);
    return conflicts;
}

Test(route_precedence, an_explanation_names_requests_that_are_as_it_says)
{
    static struct universe u;
    make_universe(&u);
    cr_expect(check_all_explanations(&u.patterns) > 1000);
    free_universe(&u);
}

Test(route_precedence, an_explanation_is_right_for_odd_literals_and_hosts)
{
    static const char *const texts[] = {
        "/%22/{x}",        "/{x}/%2F",       "/{x}/100%25", "/a%20b/{x}",      "/{x}/{y}",
        "/{x}/xx",         "/{xx}/x",        "/%0A/{a}",    "/{a}/%7B",        "/%ff/{b...}",
        "/{x}/",           "h.com/{x}/b",    "h.com/a/",    "GET h.com/a/{x}", "h.com/{x}/{y}",
        "PUT /{x}/{y...}", "PUT /x/x/{z}",   "/x/{$}",      "/{x}/{$}",        "/x/y/z/{$}",
        "/{x}/{y}/{z...}", "/{x}/y/{z}/{w}", "/x/{y}/",     "CONNECT /x/",
    };
    struct patterns p;
    patterns_init(&p);
    for (size_t i = 0; i < ROWS(texts); i++)
        patterns_add(&p, texts[i]);
    cr_expect(check_all_explanations(&p) > 60);
    patterns_free(&p);
}
