#include <svc/errors.h>

#include "tests/unit/route/support.h"

/* Writes a pattern's segments as "lit(a) wild(x) multi(rest) end". */
static void describe(const struct pattern *pattern, struct buf *out)
{
    static const char *const kinds[] = {[SEGMENT_LITERAL] = "lit",
                                        [SEGMENT_WILD] = "wild",
                                        [SEGMENT_MULTI] = "multi",
                                        [SEGMENT_END] = "end"};
    for (size_t i = 0; i < pattern->count; i++)
        svc__buf_printf(out, "%s%s(%.*s)", i > 0 ? " " : "", kinds[pattern->segments[i].kind],
                        SHOW(pattern->segments[i].text));
    svc__buf_terminate(out);
}

Test(route_pattern, method_host_and_segments_are_taken_apart)
{
    static const struct {
        const char *text, *method, *host, *segments;
        size_t params;
    } rows[] = {
        {"/", "", "", "multi()", 0},
        {"/{$}", "", "", "end()", 0},
        {"/a", "", "", "lit(a)", 0},
        {"/a/", "", "", "lit(a) multi()", 0},
        {"/path/to/something", "", "", "lit(path) lit(to) lit(something)", 0},
        {"/{w1}/lit/{w2}", "", "", "wild(w1) lit(lit) wild(w2)", 2},
        {"/{w1}/lit/{w2}/", "", "", "wild(w1) lit(lit) wild(w2) multi()", 2},
        {"example.com/", "", "example.com", "multi()", 0},
        {"Example.COM/a", "", "example.com", "lit(a)", 0},
        {"[::1]/a", "", "[::1]", "lit(a)", 0},
        {"GET /", "GET", "", "multi()", 0},
        {"get /", "get", "", "multi()", 0},
        {"M-SEARCH /", "M-SEARCH", "", "multi()", 0},
        {"POST example.com/foo/{w}", "POST", "example.com", "lit(foo) wild(w)", 1},
        {"GET \t  /a", "GET", "", "lit(a)", 0},
        {"GET\texample.com/a \t", "GET", "example.com", "lit(a)", 0},
        {"/{$}", "", "", "end()", 0},
        {"DELETE example.com/a/{foo12}/{$}", "DELETE", "example.com", "lit(a) wild(foo12) end()",
         1},
        {"/foo/{$}", "", "", "lit(foo) end()", 0},
        {"/{a}/foo/{rest...}", "", "", "wild(a) lit(foo) multi(rest)", 2},
        {"//", NULL, NULL, NULL, 0},
        {"CONNECT //", "CONNECT", "", "lit() multi()", 0},
        {"CONNECT /a/../b//c", "CONNECT", "", "lit(a) lit(..) lit(b) lit() lit(c)", 0},
        {"/%61%62/%7b/%", "", "", "lit(ab) lit({) lit(%)", 0},
        {"/%7B/%7D", "", "", "lit({) lit(})", 0},
        {"/a%2Fb/100%25", "", "", "lit(a/b) lit(100%)", 0},
        {"/%x/%4", "", "", "lit(%x) lit(%4)", 0},
        {"/a b", NULL, NULL, NULL, 0},
        {"GET /a b", "GET", "", "lit(a b)", 0},
        {"/{_}/{_1}/{aZ9_}", "", "", "wild(_) wild(_1) wild(aZ9_)", 3},
        {"/...", "", "", "lit(...)", 0},
    };
    struct arena arena;
    struct buf text;
    svc__arena_init(&arena, NULL, 1 << 20);
    svc__buf_init(&text, 4096);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pattern pattern;
        svc__buf_clear(&text);
        int code = svc__pattern_parse(&arena, rows[i].text, "a.c", 7, &pattern, &text);
        cr_expect_eq(code, rows[i].segments ? 0 : SVC_ESYNTAX, "%s", rows[i].text);
        if (code || !rows[i].segments)
            continue;
        describe(&pattern, &text);
        cr_expect_str_eq(text.data, rows[i].segments, "%s: %s", rows[i].text, text.data);
        cr_expect(svc__bytes_eq_z(pattern.method, rows[i].method), "%s", rows[i].text);
        cr_expect(svc__bytes_eq_z(pattern.host, rows[i].host), "%s", rows[i].text);
        cr_expect_eq(pattern.params, rows[i].params, "%s", rows[i].text);
        cr_expect_str_eq(pattern.text, rows[i].text);
        cr_expect_str_eq(pattern.file, "a.c");
        cr_expect_eq(pattern.line, 7);
    }
    svc__buf_free(&text);
    svc__arena_reset(&arena);
}

Test(route_pattern, a_bad_pattern_is_refused_with_its_place_and_reason)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "at offset 0: the path must begin with '/'"},
        {"a", "at offset 0: the path must begin with '/'"},
        {"GET", "at offset 0: the path must begin with '/'"},
        {"GET a", "at offset 4: the path must begin with '/'"},
        {" ", "at offset 0: the method is not a token"},
        {" /", "at offset 0: the method is not a token"},
        {"A=B /", "at offset 0: the method is not a token"},
        {"/a ", "at offset 0: the method is not a token"},
        {"/{w}x", "at offset 1: a wildcard must be a whole segment"},
        {"/x{w}", "at offset 1: a wildcard must be a whole segment"},
        {"/{wx", "at offset 1: a wildcard must be a whole segment"},
        {"/wx}", "at offset 1: a wildcard must be a whole segment"},
        {"/{", "at offset 1: a wildcard must be a whole segment"},
        {"/a/{/}/c", "at offset 3: a wildcard must be a whole segment"},
        {"/a/{%61}/c", "at offset 4: a wildcard's name"},
        {"/{a$}", "at offset 2: a wildcard's name"},
        {"/{1a}", "at offset 2: a wildcard's name"},
        {"/{a-b}", "at offset 2: a wildcard's name"},
        {"/{a{b}}", "at offset 2: a wildcard's name"},
        {"/{}", "at offset 2: a wildcard without a name"},
        {"POST a.com/x/{}/y", "at offset 14: a wildcard without a name"},
        {"/{...}", "at offset 2: a wildcard without a name"},
        {"/{$...}", "at offset 2: a wildcard's name"},
        {"/{$}/", "at offset 1: {$} is not at the end"},
        {"/{$}/x", "at offset 1: {$} is not at the end"},
        {"/abc/{$}/x", "at offset 5: {$} is not at the end"},
        {"/{a...}/", "at offset 1: a {name...} wildcard is not at the end"},
        {"/{a...}/x", "at offset 1: a {name...} wildcard is not at the end"},
        {"{a}/b", "at offset 0: the host has a character"},
        {"a{b}.com/", "at offset 1: the host has a character"},
        {"GET a.com b/", "at offset 9: the host has a character"},
        {"user@a.com/", "at offset 4: the host has a character"},
        {"a.com:80/", "at offset 5: a host is matched without its port"},
        {"/a/{x}/b/{x...}", "at offset 10: two wildcards have the same name"},
        {"/{x}/{x}", "at offset 6: two wildcards have the same name"},
        {"GET //", "at offset 4: no request but CONNECT matches a path with"},
        {"GET /a/../b", "at offset 4: no request but CONNECT matches a path with"},
        {"GET /a/%2e/b", "at offset 4: no request but CONNECT matches a path with"},
        {"//", "at offset 0: no request but CONNECT matches a path with"},
        {"a.com/./b", "at offset 5: no request but CONNECT matches a path with"},
        {"/a//b", "at offset 0: no request but CONNECT matches a path with"},
    };
    struct arena arena;
    struct buf error;
    svc__arena_init(&arena, NULL, 1 << 20);
    svc__buf_init(&error, 4096);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pattern pattern = {.line = -1};
        svc__buf_clear(&error);
        cr_expect_eq(svc__pattern_parse(&arena, rows[i].text, "a.c", 7, &pattern, &error),
                     SVC_ESYNTAX, "%s", rows[i].text);
        svc__buf_terminate(&error);
        cr_expect(error.data && strncmp(error.data, rows[i].error, strlen(rows[i].error)) == 0,
                  "%s: %s", rows[i].text, error.data);
        cr_expect_eq(pattern.line, -1, "%s: written on failure", rows[i].text);
    }
    svc__buf_free(&error);
    svc__arena_reset(&arena);
}

/* Parses `count` times "/" and a part, in which '#' stands for the number. */
static int parse_repeated(size_t count, const char *part)
{
    struct arena arena;
    struct buf text, error;
    struct pattern pattern;
    svc__arena_init(&arena, NULL, 1 << 20);
    svc__buf_init(&text, 1 << 20);
    svc__buf_init(&error, 1024);
    for (size_t i = 0; i < count; i++) {
        svc__buf_putc(&text, '/');
        for (const char *c = part; *c; c++) {
            if (*c == '#')
                svc__buf_u64(&text, i);
            else
                svc__buf_putc(&text, *c);
        }
    }
    svc__buf_terminate(&text);
    int code = svc__pattern_parse(&arena, text.data, "a.c", 1, &pattern, &error);
    svc__buf_free(&text);
    svc__buf_free(&error);
    svc__arena_reset(&arena);
    return code;
}

Test(route_pattern, the_path_is_the_text_behind_the_method)
{
    static const char *const rows[][2] = {{"/a/{b}", "/a/{b}"},
                                          {"GET \t /a/{b}", "/a/{b}"},
                                          {"POST example.org/{$}", "example.org/{$}"}};
    struct patterns patterns;
    patterns_init(&patterns);
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_str_eq(svc__pattern_path(patterns_add(&patterns, rows[i][0])), rows[i][1]);
    patterns_free(&patterns);
}

Test(route_pattern, limits_are_met_and_not_passed)
{
    cr_expect_eq(parse_repeated(PATTERN_MAX_PARAMS, "{p#}"), 0);
    cr_expect_eq(parse_repeated(PATTERN_MAX_PARAMS + 1, "{p#}"), SVC_ESYNTAX);
    cr_expect_eq(parse_repeated(PATTERN_MAX_SEGMENTS, "s"), 0);
    cr_expect_eq(parse_repeated(PATTERN_MAX_SEGMENTS + 1, "s"), SVC_ESYNTAX);
    char literal[PATTERN_MAX_LITERAL + 2] = {0};
    memset(literal, 'l', PATTERN_MAX_LITERAL);
    cr_expect_eq(parse_repeated(1, literal), 0);
    literal[PATTERN_MAX_LITERAL] = 'l';
    cr_expect_eq(parse_repeated(1, literal), SVC_ESYNTAX);
}

Test(route_pattern, what_a_pattern_holds_is_its_own_copy)
{
    struct arena arena;
    struct buf error;
    struct pattern pattern;
    char text[] = "GET a.com/lit/{name}";
    svc__arena_init(&arena, NULL, 1 << 20);
    svc__buf_init(&error, 1024);
    cr_assert_eq(svc__pattern_parse(&arena, text, "a.c", 1, &pattern, &error), 0);
    memset(text, '#', sizeof text - 1);
    cr_expect_str_eq(pattern.text, "GET a.com/lit/{name}");
    cr_expect(svc__bytes_eq_z(pattern.method, "GET"));
    cr_expect(svc__bytes_eq_z(pattern.host, "a.com"));
    cr_expect(svc__bytes_eq_z(pattern.segments[0].text, "lit"));
    cr_expect(svc__bytes_eq_z(pattern.segments[1].text, "name"));
    svc__buf_free(&error);
    svc__arena_reset(&arena);
}

Test(route_pattern, an_arena_that_is_full_says_so_and_leaves_the_output_alone)
{
    size_t failed = 0;
    for (size_t ceiling = 0; ceiling < 4096; ceiling += 16) {
        struct arena arena;
        struct buf error;
        struct pattern pattern = {.line = -1};
        svc__arena_init(&arena, NULL, ceiling);
        svc__buf_init(&error, 1024);
        int code = svc__pattern_parse(&arena, "GET a.com/lit/{name}/{rest...}", "a.c", 1, &pattern,
                                      &error);
        cr_expect(code == 0 || code == SVC_ENOMEM);
        cr_expect_eq(pattern.line, code ? -1 : 1);
        failed += code != 0;
        svc__buf_free(&error);
        svc__arena_reset(&arena);
    }
    cr_expect(failed >= 6 && failed < 256, "%zu", failed);
}
