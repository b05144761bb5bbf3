#include "libsvc/route/plant.h"

#include "libsvc/route/tree_internal.h"
#include "tests/unit/route/naive.h"
#include "tests/unit/route/support.h"

/* What a match came to, as text: the pattern and its parameters, "redirect" or "none". */
static const char *describe(const struct patterns *p, enum match_verdict verdict,
                            const struct match *match, struct buf *out)
{
    svc__buf_clear(out);
    if (verdict == MATCH_FOUND) {
        svc__buf_puts(out, p->list[match->pattern]->text);
        for (size_t i = 0; i < match->count; i++)
            svc__buf_printf(out, " %.*s=%.*s%s", SHOW(match->params[i].name),
                            SHOW(match->params[i].raw), match->params[i].multi ? "..." : "");
    } else {
        svc__buf_puts(out, verdict == MATCH_NONE ? "none" : "redirect");
    }
    svc__buf_terminate(out);
    return out->data;
}

/* Adds patterns that are separated by commas. */
static void add_all(struct patterns *p, const char *texts)
{
    struct bytes rest = svc__bytes_z(texts);
    while (rest.data) {
        struct bytes text = svc__bytes_trim(svc__bytes_cut(&rest, ','));
        char copy[256];
        cr_assert(text.len < sizeof copy);
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        patterns_add(p, copy);
    }
}

struct vector {
    const char *patterns, *method, *host, *path, *result;
};

static void check_vectors(const struct vector *rows, size_t count)
{
    struct buf out;
    svc__buf_init(&out, 65536);
    for (size_t i = 0; i < count; i++) {
        struct patterns p;
        struct match match;
        patterns_init(&p);
        add_all(&p, rows[i].patterns);
        struct tree *tree = svc__plant_tree(p.list, p.count);
        cr_assert_not_null(tree);
        enum match_verdict verdict =
            svc__tree_match(tree, svc__bytes_z(rows[i].method), svc__bytes_z(rows[i].host),
                            svc__bytes_z(rows[i].path), &match);
        const char *result = describe(&p, verdict, &match, &out);
        cr_expect_str_eq(result, rows[i].result, "%s | %s %s%s: %s, not %s", rows[i].patterns,
                         rows[i].method, rows[i].host, rows[i].path, result, rows[i].result);
        svc__tree_free(tree);
        patterns_free(&p);
    }
    svc__buf_free(&out);
}

Test(route_tree, the_most_specific_pattern_wins)
{
    static const char depth[] = "/a/b/{$}, /a/b/{w}, /a/b/{w...}";
    static const char mixed[] = "/a, /a/b/{c}, /a/b/{d...}, /a/{x}/c, /{s}/z/{$}, /{e...}";
    static const struct vector rows[] = {
        {depth, "GET", "", "/a/b/", "/a/b/{$}"},
        {depth, "GET", "", "/a/b/c", "/a/b/{w} w=c"},
        {depth, "GET", "", "/a/b/c/d", "/a/b/{w...} w=c/d..."},
        {depth, "GET", "", "/a/b/c/", "/a/b/{w...} w=c/..."},
        {depth, "GET", "", "/a", "none"},
        {depth, "GET", "", "/", "none"},
        {"/a/{w}, /a/{$}, /{v}/b/c", "GET", "", "/a/", "/a/{$}"},
        {"/g/h/i, /g/{x}/j", "GET", "", "/g/h/j", "/g/{x}/j x=h"},
        {"/g/h/i, /g/{x}/j", "GET", "", "/g/h/i", "/g/h/i"},
        {"/g/h/i, /g/{x}/j", "GET", "", "/g/h/k", "none"},
        {"/{a}/{b}/{c}, /x/{b...}, /x/y/q", "GET", "", "/x/y/z", "/x/{b...} b=y/z..."},
        {"/a/b/c/d, /a/{x}/c/e, /{w...}", "GET", "", "/a/b/c/f", "/{w...} w=a/b/c/f..."},
        {mixed, "GET", "", "/a", "/a"},
        {mixed, "GET", "", "/a/b/", "/a/b/{d...} d=..."},
        {mixed, "GET", "", "/q/z/", "/{s}/z/{$} s=q"},
        {mixed, "GET", "", "/q/z/r", "/{e...} e=q/z/r..."},
        {"/path/{p...}", "GET", "", "/path/*", "/path/{p...} p=*..."},
        {"/path/{p...}", "GET", "", "/path/", "/path/{p...} p=..."},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, methods_are_exact_then_get_for_head_then_any)
{
    static const struct vector rows[] = {
        {"GET /item/{user}, /item/", "HEAD", "", "/item/jba", "GET /item/{user} user=jba"},
        {"GET /item/{user}, /item/", "POST", "", "/item/jba", "/item/"},
        {"GET /headwins, HEAD /headwins", "HEAD", "", "/headwins", "HEAD /headwins"},
        {"GET /headwins, HEAD /headwins", "GET", "", "/headwins", "GET /headwins"},
        {"GET /{x}, HEAD /a", "HEAD", "", "/a", "HEAD /a"},
        {"GET /{x}, HEAD /a", "HEAD", "", "/b", "GET /{x} x=b"},
        {"HEAD /a", "GET", "", "/a", "none"},
        {"GET /a, /a", "get", "", "/a", "/a"},
        {"GET /a", "get", "", "/a", "none"},
        {"GET /a, /a", "BREW", "", "/a", "/a"},
        {"POST /a, GET /{x}", "GET", "", "/a", "GET /{x} x=a"},
        {"POST /a/{$}, GET /a/", "GET", "", "/a/", "GET /a/"},
        {"POST /a/{x}, GET /a/", "GET", "", "/a/b", "GET /a/"},
        {"VERSION-CONTROL /a, VERSION-CONTROX /b", "VERSION-CONTROX", "", "/b",
         "VERSION-CONTROX /b"},
        {"VERSION-CONTROL /a, VERSION-CONTROX /b", "VERSION-CONTROX", "", "/a", "none"},
        {"/a", "", "", "/a", "/a"},
        {"GET /a", "", "", "/a", "none"},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, a_host_is_tried_before_every_host_and_has_no_case)
{
    static const char hosts[] = "a.com/x, /{p}, POST a.com/y, GET b.com/";
    static const struct vector rows[] = {
        {hosts, "GET", "a.com", "/x", "a.com/x"},
        {hosts, "GET", "A.Com", "/x", "a.com/x"},
        {hosts, "GET", "c.com", "/x", "/{p} p=x"},
        {hosts, "GET", "", "/x", "/{p} p=x"},
        {hosts, "GET", "a.com", "/z", "/{p} p=z"},
        {hosts, "GET", "a.com", "/y", "/{p} p=y"},
        {hosts, "POST", "a.com", "/y", "POST a.com/y"},
        {hosts, "GET", "b.com", "/x", "GET b.com/"},
        {hosts, "POST", "b.com", "/x", "/{p} p=x"},
        {"a.com/x", "GET", "b.com", "/x", "none"},
        {"a.com/x", "GET", "", "/x", "none"},
        {"/x", "GET", "any", "/x", "/x"},
        {"[::1]/x", "GET", "[::1]", "/x", "[::1]/x"},
        {"a-rather-long-host.com/x, a-rather-long-hosu.com/x", "GET", "a-rather-long-HOSU.com",
         "/x", "a-rather-long-hosu.com/x"},
        {"a.com/a/{x...}, /a/b", "GET", "a.com", "/a/b", "a.com/a/{x...} x=b..."},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, a_slash_is_added_where_that_is_what_a_pattern_means)
{
    static const char set[] = "/, /foo/, /foo, /bar/";
    static const struct vector rows[] = {
        {set, "GET", "", "/", "/"},
        {set, "GET", "", "/foo", "/foo"},
        {set, "GET", "", "/foo/", "/foo/"},
        {set, "GET", "", "/foo/x", "/foo/"},
        {set, "GET", "", "/bar", "redirect"},
        {set, "GET", "", "/bar/", "/bar/"},
        {set, "GET", "", "/bar/x", "/bar/"},
        {set, "GET", "", "/baz", "/"},
        {"/a/{$}", "GET", "", "/a", "redirect"},
        {"/a/{x...}", "GET", "", "/a", "redirect"},
        {"/a/{x}/", "GET", "", "/a/b", "redirect"},
        {"/a/{x}/", "GET", "", "/a", "none"},
        {"/a/{x}", "GET", "", "/a", "none"},
        {"/a/{x}", "GET", "", "/a/", "none"},
        {"/a", "GET", "", "/a/", "none"},
        {"/a/{z}/", "GET", "", "/a/b", "redirect"},
        {"/{w}, /a/", "GET", "", "/a", "/{w} w=a"},
        {"/{w...}, /a/", "GET", "", "/a", "redirect"},
        {"POST /a/", "GET", "", "/a", "none"},
        {"POST /a/", "POST", "", "/a", "redirect"},
        {"GET /a/", "HEAD", "", "/a", "redirect"},
        {"a.com/a/", "GET", "a.com", "/a", "redirect"},
        {"a.com/a/", "GET", "b.com", "/a", "none"},
        {"a.com/a/, /a", "GET", "a.com", "/a", "/a"},
        {"/a/b/", "GET", "", "/a", "none"},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, segments_are_decoded_one_by_one)
{
    static const struct vector rows[] = {
        {"/%7B/%7D", "GET", "", "/{/}", "/%7B/%7D"},
        {"/%7B/%7D", "GET", "", "/%7b/}", "/%7B/%7D"},
        {"/a%2Fb/100%25", "GET", "", "/a%2fb/100%25", "/a%2Fb/100%25"},
        {"/a%2Fb/100%25", "GET", "", "/a/b/100%25", "none"},
        {"/a/b", "GET", "", "/a%2Fb", "none"},
        {"/a/b", "GET", "", "/%61/%62", "/a/b"},
        {"/%61/b", "GET", "", "/a/b", "/%61/b"},
        {"/{x}/b", "GET", "", "/a%2Fb/b", "/{x}/b x=a%2Fb"},
        {"/{x...}", "GET", "", "/a%2Fb/%20", "/{x...} x=a%2Fb/%20..."},
        {"/%x", "GET", "", "/%25x", "/%x"},
        {"/%x", "GET", "", "/%x", "/%x"},
        {"/longer-than-eight", "GET", "", "/longer%2Dthan-eight", "/longer-than-eight"},
        {"/longer-than-eight", "GET", "", "/longer-than-eigh%74", "/longer-than-eight"},
        {"/longer-than-eight", "GET", "", "/longer-than-eigh%75", "none"},
        {"/a/", "GET", "", "/a%2F", "none"},
        {"/%2F, /", "GET", "", "/%2f", "/%2F"},
        {"/%C3%A9t%C3%A9", "GET", "", "/%c3%a9t%c3%a9", "/%C3%A9t%C3%A9"},
        {"/%C3%A9t%C3%A9", "GET", "", "/\xC3\xA9t\xC3\xA9", "/%C3%A9t%C3%A9"},
        {"/x/\xC3\xA9t\xC3\xA9", "GET", "", "/x/%C3%A9t\xC3\xA9", "/x/\xC3\xA9t\xC3\xA9"},
        {"/x/\xC3\xA9t\xC3\xA9", "GET", "", "/x/\xC3\xA9t\xC3\xA9", "/x/\xC3\xA9t\xC3\xA9"},
        {"/a%00b", "GET", "", "/a%00b", "/a%00b"},
        {"/a%00b", "GET", "", "/a", "none"},
        {"/a%00", "GET", "", "/a", "none"},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, a_wildcard_takes_an_empty_segment_but_not_the_slash_at_the_end)
{
    static const struct vector rows[] = {
        {"/a/{x}", "GET", "", "/a/", "none"},
        {"/a/{x}/b", "CONNECT", "", "/a//b", "/a/{x}/b x="},
        {"CONNECT /a//b, CONNECT /a/{x}/b", "CONNECT", "", "/a//b", "CONNECT /a//b"},
        {"CONNECT /a//b", "CONNECT", "", "/a/b", "none"},
        {"/{x}/", "CONNECT", "", "//", "/{x}/ x="},
        {"/{x}", "CONNECT", "", "//", "none"},
        {"/{x...}", "CONNECT", "", "//", "/{x...} x=/..."},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, what_is_no_path_matches_nothing)
{
    static const struct vector rows[] = {
        {"/", "GET", "", "", "none"},
        {"/, /{x}", "GET", "", "*", "none"},
        {"/, /{x}", "CONNECT", "", "host:443", "none"},
    };
    check_vectors(rows, ROWS(rows));
}

Test(route_tree, an_empty_tree_matches_nothing)
{
    struct match match;
    struct buf out;
    svc__buf_init(&out, 100);
    struct tree *tree = svc__plant_tree(NULL, 0);
    cr_assert_not_null(tree);
    cr_expect_eq(svc__tree_match(tree, BYTES("GET"), BYTES("h"), BYTES("/"), &match), MATCH_NONE);
    cr_expect_eq(svc__tree_allow(tree, BYTES("h"), BYTES("/"), &out), 0);
    cr_expect_eq(out.len, 0);
    cr_expect_not(svc__tree_knows_method(tree, BYTES("GET")));
    svc__tree_free(tree);
    svc__tree_free(NULL);
    svc__buf_free(&out);
}

Test(route_tree, a_match_is_written_only_when_there_is_one)
{
    struct patterns p;
    patterns_init(&p);
    add_all(&p, "/a/{x}, /b/");
    struct tree *tree = svc__plant_tree(p.list, p.count);
    struct match match = {.pattern = 77, .count = 78};
    cr_expect_eq(svc__tree_match(tree, BYTES("GET"), BYTES(""), BYTES("/b"), &match),
                 MATCH_REDIRECT_SLASH);
    cr_expect_eq(svc__tree_match(tree, BYTES("GET"), BYTES(""), BYTES("/c"), &match), MATCH_NONE);
    cr_expect(match.pattern == 77 && match.count == 78);
    svc__tree_free(tree);
    patterns_free(&p);
}

Test(route_tree, the_methods_of_a_path_are_listed_in_order)
{
    static const char hosts[] = "GET a.com/, PUT b.com/, POST /foo/{x}";
    static const struct {
        const char *patterns, *host, *path, *methods;
    } rows[] = {
        {hosts, "a.com", "/foo/bar", "GET, HEAD, POST"},
        {hosts, "b.com", "/foo/bar", "POST, PUT"},
        {hosts, "B.COM", "/", "PUT"},
        {hosts, "c.com", "/foo/bar", "POST"},
        {hosts, "c.com", "/", ""},
        {"PUT /a, DELETE /a, PATCH /a, POST /a", "", "/a", "DELETE, PATCH, POST, PUT"},
        {"HEAD /a", "", "/a", "HEAD"},
        {"GET /a, HEAD /a", "", "/a", "GET, HEAD"},
        {"GET /a/{$}, POST /a/, PUT /a/{x}", "", "/a/", "GET, HEAD, POST"},
        {"GET /a/{$}, POST /a/, PUT /a/{x}", "", "/a/b", "POST, PUT"},
        {"GET /a/{$}, POST /a/, PUT /a/{x}", "", "/a", "GET, HEAD, POST"},
        {"GET /a/{$}, POST /a/, PUT /a/{x}", "", "/", ""},
        {"GET /{x}, PUT /a, POST /{y...}, /z", "", "/a", "GET, HEAD, POST, PUT"},
        {"get /a, GET /a", "", "/a", "GET, HEAD, get"},
        {"M /a, MM /a", "", "/a", "M, MM"},
        {"PUT /a/b", "", "/a%2Fb", ""},
    };
    struct buf out;
    svc__buf_init(&out, 1024);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct patterns p;
        patterns_init(&p);
        add_all(&p, rows[i].patterns);
        struct tree *tree = svc__plant_tree(p.list, p.count);
        svc__buf_clear(&out);
        size_t count =
            svc__tree_allow(tree, svc__bytes_z(rows[i].host), svc__bytes_z(rows[i].path), &out);
        size_t commas = 0;
        for (size_t c = 0; c < out.len; c++)
            commas += out.data[c] == ',';
        cr_expect(svc__bytes_eq_z(svc__buf_view(&out), rows[i].methods), "%s | %s: %.*s",
                  rows[i].patterns, rows[i].path, SHOW(svc__buf_view(&out)));
        cr_expect_eq(count, rows[i].methods[0] ? commas + 1 : 0);
        svc__tree_free(tree);
        patterns_free(&p);
    }
    svc__buf_free(&out);
}

Test(route_tree, many_methods_are_all_listed)
{
    struct patterns p;
    struct buf out, wanted;
    patterns_init(&p);
    svc__buf_init(&out, 65536);
    svc__buf_init(&wanted, 65536);
    for (int i = 299; i >= 0; i--) {
        char text[32];
        snprintf(text, sizeof text, "M%03d /%s", i, i % 3 ? "{x}" : "a");
        patterns_add(&p, text);
    }
    for (int i = 0; i < 300; i++)
        svc__buf_printf(&wanted, "%sM%03d", i > 0 ? ", " : "", i);
    struct tree *tree = svc__plant_tree(p.list, p.count);
    cr_expect_eq(svc__tree_allow(tree, BYTES(""), BYTES("/a"), &out), 300);
    cr_expect(svc__bytes_eq(svc__buf_view(&out), svc__buf_view(&wanted)));
    svc__tree_free(tree);
    svc__buf_free(&out);
    svc__buf_free(&wanted);
    patterns_free(&p);
}

Test(route_tree, a_method_is_known_when_a_pattern_has_it_or_one_is_for_all)
{
    struct patterns p;
    patterns_init(&p);
    add_all(&p, "GET /a, PUT b.com/c");
    struct tree *tree = svc__plant_tree(p.list, p.count);
    cr_expect(svc__tree_knows_method(tree, BYTES("GET")));
    cr_expect(svc__tree_knows_method(tree, BYTES("HEAD")));
    cr_expect(svc__tree_knows_method(tree, BYTES("PUT")));
    cr_expect_not(svc__tree_knows_method(tree, BYTES("POST")));
    cr_expect_not(svc__tree_knows_method(tree, BYTES("get")));
    cr_expect_not(svc__tree_knows_method(tree, BYTES("")));
    svc__tree_free(tree);
    add_all(&p, "/d");
    tree = svc__plant_tree(p.list, p.count);
    cr_expect(svc__tree_knows_method(tree, BYTES("BREW")));
    svc__tree_free(tree);
    patterns_free(&p);
}

/* ---- Against the definition, in random sets of patterns */

/* Literals of every length round the eight bytes that are compared at once, and some that differ
 * in one byte only. */
static const char *const literals[] = {
    "a",
    "b",
    "c",
    "ab",
    "ba",
    "abc",
    "abcdefg",
    "abcdefgh",
    "abcdefgi",
    "abcdefghi",
    "abcdefghj",
    "abcdefghijklmnop",
    "x%2Fy",
    "%7B",
    "abcdefghijklmnoq",
    "Abcdefghijklmnop",
    "bbcdefghijklmnopq",
    "a%00",
};
static const char *const methods[] = {"", "", "", "GET ", "HEAD ", "POST ", "VERSION-CONTROL "};
static const char *const hosts[] = {"", "", "", "h", "long-host.example", "long-hosu.example"};

static const char *pick_text(const char *const *texts, size_t count, uint64_t *random)
{
    return texts[next_number(random) % count];
}

#define PICK(texts, random) pick_text(texts, ROWS(texts), random)

/* A set of few literals has deep overlaps; one of many has hash tables. */
static void make_pattern(struct buf *text, size_t variety, uint64_t *random)
{
    svc__buf_clear(text);
    svc__buf_puts(text, PICK(methods, random));
    svc__buf_puts(text, PICK(hosts, random));
    uint32_t depth = next_number(random) % 5;
    for (uint32_t i = 0; i < depth; i++) {
        if (next_number(random) % 3 == 0)
            svc__buf_printf(text, "/{p%u}", i);
        else
            svc__buf_printf(text, "/%s", pick_text(literals, variety, random));
    }
    static const char *const ends[] = {"", "", "", "/", "/{$}", "/{rest...}"};
    const char *end = PICK(ends, random);
    svc__buf_puts(text, depth == 0 && *end == '\0' ? "/" : end);
    svc__buf_terminate(text);
}

/* Drops the pattern added last when it conflicts with another. */
static void drop_conflict(struct patterns *p)
{
    for (size_t i = 0; i + 1 < p->count; i++) {
        if (svc__precedence_conflict(p->list[i], p->list[p->count - 1])) {
            p->count--;
            return;
        }
    }
}

/* Escapes a byte here and there, which changes nothing in what a path means. */
static void put_escaped(struct buf *path, const char *text, uint64_t *random)
{
    while (*text) {
        size_t used = *text == '%' ? 3 : 1;
        if (used == 1 && next_number(random) % 16 == 0)
            svc__buf_printf(path, "%%%02x", (unsigned char)*text);
        else
            svc__buf_append(path, text, used);
        text += used;
    }
}

static void make_path(struct buf *path, size_t variety, uint64_t *random)
{
    svc__buf_clear(path);
    uint32_t depth = next_number(random) % 6;
    for (uint32_t i = 0; i < depth; i++) {
        svc__buf_putc(path, '/');
        if (next_number(random) % 24 != 0)
            put_escaped(path, pick_text(literals, variety, random), random);
    }
    if (depth == 0 || next_number(random) % 4 == 0)
        svc__buf_putc(path, '/');
}

struct tally {
    size_t verdicts[3], methods;
};

static void check_request(const struct patterns *p, struct tree *tree, struct bytes path,
                          uint64_t *random, struct tally *tally)
{
    static const char *const request_methods[] = {
        "GET", "HEAD", "POST", "VERSION-CONTROL", "VERSION-CONTROX", "PUT"};
    static const char *const request_hosts[] = {"", "H", "long-HOST.example", "long-hosu.example",
                                                "long-hosv.example"};
    struct bytes method = svc__bytes_z(PICK(request_methods, random));
    struct bytes host = svc__bytes_z(PICK(request_hosts, random));
    char copy[256];
    memcpy(copy, path.data, path.len);
    copy[path.len] = '/';
    struct bytes slashed = {copy, path.len + 1};
    struct match found, wanted = {.count = 0};
    enum match_verdict verdict = svc__tree_match(tree, method, host, path, &found);
    enum match_verdict expected =
        naive_match(p->list, p->count, method, host, path, slashed, &wanted);
    cr_assert_eq(verdict, expected, "%.*s %.*s %.*s", SHOW(method), SHOW(host), SHOW(path));
    if (verdict == MATCH_FOUND)
        cr_assert(naive_same(&found, &wanted), "%.*s %.*s %.*s: %s, not %s", SHOW(method),
                  SHOW(host), SHOW(path), p->list[found.pattern]->text,
                  p->list[wanted.pattern]->text);
    tally->verdicts[verdict]++;
    struct buf out;
    svc__buf_init(&out, 1024);
    size_t count = 0;
    for (size_t i = 0; i < ROWS(request_methods); i++)
        count +=
            naive_allows(p->list, p->count, svc__bytes_z(request_methods[i]), host, path, slashed);
    cr_assert_eq(svc__tree_allow(tree, host, path, &out), count, "%.*s", SHOW(path));
    tally->methods += count;
    svc__buf_free(&out);
}

static void shuffle(struct patterns *p, uint64_t *random)
{
    for (size_t i = p->count; i > 1; i--) {
        size_t j = next_number(random) % i;
        const struct pattern *swapped = p->list[i - 1];
        p->list[i - 1] = p->list[j];
        p->list[j] = swapped;
    }
}

static void check_random_set(uint64_t *random, size_t size, struct tally *tally)
{
    struct patterns p;
    struct buf text;
    size_t variety = next_number(random) % 2 ? 3 : ROWS(literals);
    patterns_init(&p);
    svc__buf_init(&text, 4096);
    for (size_t i = 0; i < size; i++) {
        make_pattern(&text, variety, random);
        patterns_add(&p, text.data);
        drop_conflict(&p);
    }
    for (int order = 0; order < 3; order++) {
        shuffle(&p, random);
        struct tree *tree = svc__plant_tree(p.list, p.count);
        cr_assert_not_null(tree);
        for (int i = 0; i < 200; i++) {
            make_path(&text, variety, random);
            /* A copy of its own size, so that a sanitizer sees the first byte too many. */
            char *path = malloc(text.len);
            cr_assert_not_null(path);
            memcpy(path, text.data, text.len);
            check_request(&p, tree, svc__bytes(path, text.len), random, tally);
            free(path);
        }
        svc__tree_free(tree);
    }
    svc__buf_free(&text);
    patterns_free(&p);
}

Test(route_tree, finds_what_a_search_of_every_pattern_finds)
{
    uint64_t random = 2024;
    struct tally tally = {.methods = 0};
    for (int i = 0; i < 150; i++)
        check_random_set(&random, 4 + next_number(&random) % 60, &tally);
    cr_expect(tally.verdicts[MATCH_FOUND] > 10000, "%zu", tally.verdicts[MATCH_FOUND]);
    cr_expect(tally.verdicts[MATCH_NONE] > 10000, "%zu", tally.verdicts[MATCH_NONE]);
    cr_expect(tally.verdicts[MATCH_REDIRECT_SLASH] > 1000, "%zu",
              tally.verdicts[MATCH_REDIRECT_SLASH]);
    cr_expect(tally.methods > 10000, "%zu", tally.methods);
}

static void require_pattern(const struct tree *tree, const char *path, const char *text,
                            const struct patterns *p)
{
    struct match match;
    enum match_verdict verdict =
        svc__tree_match(tree, BYTES("GET"), BYTES(""), svc__bytes_z(path), &match);
    cr_assert_eq(verdict, MATCH_FOUND, "%s", path);
    cr_assert_str_eq(p->list[match.pattern]->text, text);
}

Test(route_tree, ten_thousand_routes_are_each_found)
{
    struct patterns p;
    char text[128], path[128];
    patterns_init(&p);
    for (int i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "GET /api/service-%d/resource-number-%d/{id}", i % 100, i);
        patterns_add(&p, text);
    }
    struct tree *tree = svc__plant_tree(p.list, p.count);
    cr_assert_not_null(tree);
    for (int i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "GET /api/service-%d/resource-number-%d/{id}", i % 100, i);
        snprintf(path, sizeof path, "/api/service-%d/resource-number-%d/7", i % 100, i);
        require_pattern(tree, path, text, &p);
    }
    svc__tree_free(tree);
    patterns_free(&p);
}

Test(route_tree, hash_tables_and_rows_of_every_size_find_all_and_nothing_else)
{
    for (int size = 1; size <= 70; size++) {
        struct patterns p;
        struct match match;
        char path[64];
        patterns_init(&p);
        for (int i = 0; i < size; i++) {
            snprintf(path, sizeof path, "/%s%d", i % 2 ? "" : "a-longer-literal-", i);
            patterns_add(&p, path);
        }
        struct tree *tree = svc__plant_tree(p.list, p.count);
        for (int i = 0; i < 2 * size; i++) {
            snprintf(path, sizeof path, "/%s%d", i % 2 ? "" : "a-longer-literal-", i);
            enum match_verdict verdict =
                svc__tree_match(tree, BYTES("GET"), BYTES(""), svc__bytes_z(path), &match);
            cr_assert_eq(verdict, i < size ? MATCH_FOUND : MATCH_NONE, "%s of %d", path, size);
            cr_assert(i >= size || match.pattern == (size_t)i);
        }
        svc__tree_free(tree);
        patterns_free(&p);
    }
}

/* How far all texts of a table are from where the search for them begins. */
static size_t count_steps(const struct tree *tree, const struct table *table,
                          const struct patterns *p)
{
    size_t steps = 0;
    const struct slot *slots = svc__tree_at(tree, table->slots);
    for (size_t i = 0; i < p->count; i++) {
        struct bytes text = p->list[i]->segments[0].text;
        for (uint32_t at = svc__tree_home(table, svc__tree_hash(text));; steps++) {
            cr_assert_neq(slots[at].len, TREE_EMPTY);
            const struct node *node = svc__tree_at(tree, slots[at].to);
            if (slots[at].head == svc__tree_head(text) && slots[at].len == text.len &&
                (text.len <= TREE_WORD ||
                 memcmp(svc__tree_at(tree, node->text), text.data, text.len) == 0))
                break;
            cr_assert(slots[at].more);
            at = (at + 1) & table->mask;
        }
    }
    return steps;
}

Test(route_tree, texts_that_differ_in_a_few_bytes_do_not_crowd_a_hash_table)
{
    static const struct {
        const char *before, *behind;
    } forms[] = {{"", ""},
                 {"thing", ""},
                 {"", "th"},
                 {"a-longer-literal-", ""},
                 {"", "-and-a-longer-literal"},
                 {"v1.", ".0-x"}};
    for (size_t f = 0; f < ROWS(forms); f++) {
        for (int size = 20; size <= 5000; size = size * 5 / 2) {
            struct patterns p;
            char text[64];
            patterns_init(&p);
            for (int i = 0; i < size; i++) {
                snprintf(text, sizeof text, "/%s%d%s", forms[f].before, i, forms[f].behind);
                patterns_add(&p, text);
            }
            struct tree *tree = svc__plant_tree(p.list, p.count);
            const struct node *node = svc__tree_at(tree, tree->every_host);
            size_t steps = count_steps(tree, &node->literals, &p);
            cr_expect(steps < 2 * p.count, "%s#%s: %zu of %d", forms[f].before, forms[f].behind,
                      steps, size);
            svc__tree_free(tree);
            patterns_free(&p);
        }
    }
}

/* ---- Bounds */

static void repeat(struct buf *out, const char *text, size_t times)
{
    while (times-- > 0)
        svc__buf_puts(out, text);
}

/* All 4096 choices of "/x" and "/{…}" in twelve levels: each path has a way through every node. A
 * search that forgot where it had been would not end. */
Test(route_tree, a_search_that_fails_everywhere_is_as_long_as_the_tree_is_large)
{
    enum { LEVELS = 12 };
    struct patterns p;
    struct match match;
    struct buf text;
    patterns_init(&p);
    svc__buf_init(&text, 65536);
    for (unsigned set = 0; set < 1u << LEVELS; set++) {
        svc__buf_clear(&text);
        for (unsigned i = 0; i < LEVELS; i++) {
            if (set & 1u << i)
                svc__buf_puts(&text, "/x");
            else
                svc__buf_printf(&text, "/{p%u}", i);
        }
        svc__buf_puts(&text, "/end");
        svc__buf_terminate(&text);
        patterns_add(&p, text.data);
    }
    struct tree *tree = svc__plant_tree(p.list, p.count);
    cr_assert_not_null(tree);
    svc__buf_clear(&text);
    repeat(&text, "/x", LEVELS);
    svc__buf_puts(&text, "/nowhere");
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(svc__tree_match(tree, BYTES("GET"), BYTES(""), svc__buf_view(&text), &match),
                     MATCH_NONE);
    svc__tree_free(tree);
    svc__buf_free(&text);
    patterns_free(&p);
}

/* Patterns and paths as deep as they can be, with a choice to come back to at each level. */
Test(route_tree, the_deepest_pattern_and_a_longer_path_fit_the_search)
{
    enum { DEEP = PATTERN_MAX_SEGMENTS };
    struct patterns p;
    struct match match;
    struct buf text;
    patterns_init(&p);
    svc__buf_init(&text, 65536);
    for (size_t depth = 0; depth < DEEP; depth++) {
        svc__buf_clear(&text);
        repeat(&text, "/x", depth);
        svc__buf_puts(&text, depth % 2 ? "/" : "/{rest...}");
        svc__buf_terminate(&text);
        patterns_add(&p, text.data);
        svc__buf_clear(&text);
        repeat(&text, "/x", depth);
        svc__buf_puts(&text, depth + 1 < DEEP ? "/{w}/nowhere" : "/{w}");
        if (depth + 2 == DEEP)
            continue;
        svc__buf_terminate(&text);
        patterns_add(&p, text.data);
    }
    svc__buf_clear(&text);
    repeat(&text, "/x", DEEP);
    svc__buf_terminate(&text);
    patterns_add(&p, text.data);
    struct tree *tree = svc__plant_tree(p.list, p.count);
    cr_assert_not_null(tree);
    require_pattern(tree, text.data, p.list[p.count - 1]->text, &p);
    repeat(&text, "/x", 5000);
    cr_assert_eq(svc__tree_match(tree, BYTES("GET"), BYTES(""), svc__buf_view(&text), &match),
                 MATCH_FOUND);
    cr_expect_eq(p.list[match.pattern]->count, DEEP);
    cr_expect_eq(match.count, 1);
    cr_expect_eq(match.params[0].raw.len, 2 * 5000 + 1);
    svc__tree_free(tree);
    svc__buf_free(&text);
    patterns_free(&p);
}

Test(route_tree, segments_longer_than_any_literal_are_data)
{
    struct patterns p;
    struct buf path;
    struct match match;
    char literal[PATTERN_MAX_LITERAL + 2] = "/";
    memset(literal + 1, 'l', PATTERN_MAX_LITERAL);
    patterns_init(&p);
    patterns_add(&p, literal);
    patterns_add(&p, "/{x}");
    struct tree *tree = svc__plant_tree(p.list, p.count);
    require_pattern(tree, literal, literal, &p);
    svc__buf_init(&path, 1 << 20);
    for (int escaped = 0; escaped < 2; escaped++) {
        svc__buf_clear(&path);
        svc__buf_puts(&path, literal);
        repeat(&path, escaped ? "%6c" : "l", escaped ? 1 : 20000);
        cr_assert_eq(svc__tree_match(tree, BYTES("GET"), BYTES(""), svc__buf_view(&path), &match),
                     MATCH_FOUND);
        cr_expect_eq(match.pattern, 1);
        cr_expect_eq(match.params[0].raw.len, path.len - 1);
    }
    svc__buf_clear(&path);
    svc__buf_putc(&path, '/');
    repeat(&path, "%6c", PATTERN_MAX_LITERAL);
    cr_assert_eq(svc__tree_match(tree, BYTES("GET"), BYTES(""), svc__buf_view(&path), &match),
                 MATCH_FOUND);
    cr_expect_eq(match.pattern, 0);
    svc__buf_free(&path);
    svc__tree_free(tree);
    patterns_free(&p);
}
