/*
 * Patterns and requests: lines of patterns, an empty line, then lines of "METHOD HOST /path". The
 * tree must find what a search of one pattern after the other finds.
 */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/route/plant.h"
#include "tests/unit/route/naive.h"

enum { MAX_PATTERNS = 64, MAX_REQUESTS = 32, MAX_LINE = 4096 };

struct set {
    struct arena arena;
    const struct pattern *patterns[MAX_PATTERNS];
    size_t count;
};

/* What one conflicts with must be explainable, and the other way round. */
static void check_conflict(const struct pattern *a, const struct pattern *b)
{
    struct buf why;
    svc__buf_init(&why, 1 << 20);
    svc__precedence_explain(a, b, &why);
    REQUIRE(svc__buf_error(&why) || why.len > 0);
    svc__buf_free(&why);
    REQUIRE(svc__precedence_conflict(b, a));
}

static bool conflicts(const struct set *set, const struct pattern *pattern)
{
    bool found = false;
    for (size_t i = 0; i < set->count; i++) {
        if (!svc__precedence_conflict(set->patterns[i], pattern))
            continue;
        check_conflict(set->patterns[i], pattern);
        found = true;
    }
    return found;
}

static void add(struct set *set, struct bytes line)
{
    char text[MAX_LINE];
    if (line.len >= sizeof text || set->count == MAX_PATTERNS)
        return;
    memcpy(text, line.data, line.len);
    text[line.len] = '\0';
    struct pattern *pattern = svc__arena_alloc(&set->arena, sizeof *pattern);
    struct buf error;
    svc__buf_init(&error, 4096);
    int code = pattern ? svc__pattern_parse(&set->arena, text, "fuzz", 1, pattern, &error) : -1;
    REQUIRE(code != SVC_ESYNTAX || svc__buf_error(&error) || error.len > 0);
    svc__buf_free(&error);
    if (code == 0)
        REQUIRE(pattern->count >= 1 && pattern->count <= PATTERN_MAX_SEGMENTS &&
                pattern->params <= PATTERN_MAX_PARAMS);
    if (code == 0 && !conflicts(set, pattern))
        set->patterns[set->count++] = pattern;
}

static void check_allow(const struct set *set, const struct tree *tree, struct bytes host,
                        struct bytes path, struct bytes slashed)
{
    struct buf out;
    svc__buf_init(&out, 1 << 20);
    size_t count = svc__tree_allow(tree, host, path, &out), seen = 0;
    struct bytes list = svc__buf_view(&out), last = {NULL, 0};
    while (list.data != NULL) {
        struct bytes method = svc__bytes_trim(svc__bytes_cut(&list, ','));
        REQUIRE(naive_allows(set->patterns, set->count, method, host, path, slashed));
        REQUIRE(last.data == NULL ||
                memcmp(last.data, method.data, last.len < method.len ? last.len : method.len) <= 0);
        last = method;
        seen++;
    }
    REQUIRE(seen == count);
    svc__buf_free(&out);
}

static void check_request(const struct set *set, const struct tree *tree, struct bytes line)
{
    struct bytes method = svc__bytes_cut(&line, ' '), host = svc__bytes_cut(&line, ' ');
    if (line.len == 0 || line.data[0] != '/')
        return;
    char *copy = fuzz_alloc(line.len), *with = fuzz_alloc(line.len + 1);
    memcpy(copy, line.data, line.len);
    memcpy(with, line.data, line.len);
    with[line.len] = '/';
    struct bytes path = {copy, line.len}, slashed = {with, line.len + 1};
    struct match found, wanted = {.count = 0};
    enum match_verdict verdict = svc__tree_match(tree, method, host, path, &found);
    REQUIRE(verdict ==
            naive_match(set->patterns, set->count, method, host, path, slashed, &wanted));
    REQUIRE(verdict != MATCH_FOUND || naive_same(&found, &wanted));
    REQUIRE(verdict == MATCH_NONE || svc__tree_knows_method(tree, method));
    check_allow(set, tree, host, path, slashed);
    free(with);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = fuzz_input(data, size);
    struct set *set = (void *)fuzz_alloc(sizeof *set);
    svc__arena_init(&set->arena, NULL, 16 << 20);
    set->count = 0;
    while (rest.data != NULL) {
        struct bytes line = svc__bytes_cut(&rest, '\n');
        if (line.len == 0)
            break;
        add(set, line);
    }
    struct tree *tree = svc__plant_tree(set->patterns, set->count);
    REQUIRE(tree != NULL);
    for (size_t i = 0; i < MAX_REQUESTS && rest.data != NULL; i++)
        check_request(set, tree, svc__bytes_cut(&rest, '\n'));
    svc__tree_free(tree);
    svc__arena_reset(&set->arena);
    free(set);
    return 0;
}
