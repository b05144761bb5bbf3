/* Queries and forms. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/utf8.h"
#include "libsvc/proto/query.h"
#include "libsvc/proto/uri.h"

static size_t count_pieces(struct bytes raw)
{
    size_t count = 0;
    while (raw.data != NULL)
        count += svc__bytes_cut(&raw, '&').len > 0;
    return count;
}

static bool text_is_valid(struct bytes text, bool utf8)
{
    return !fuzz_has(text, '\0') && (!utf8 || svc__utf8_valid(text));
}

static bool params_are_valid(const struct param *params, size_t count, bool utf8)
{
    bool valid = true;
    for (size_t i = 0; i < count; i++)
        valid =
            valid && text_is_valid(params[i].name, utf8) && text_is_valid(params[i].value, utf8);
    return valid;
}

static void check_texts(const struct param *params, size_t count, struct bytes raw)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct param *p = &params[i];
        REQUIRE(p->name.data[p->name.len] == '\0' && p->value.data[p->value.len] == '\0');
        REQUIRE(p->has_value || (p->value.len == 0 && p->name.len > 0));
        sum += p->name.len + p->value.len + p->has_value;
    }
    REQUIRE(sum <= raw.len);
}

static char *escape(char *to, struct bytes text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        *to++ = '%';
        *to++ = hex[c >> 4];
        *to++ = hex[c & 15];
    }
    return to;
}

/* Parameters that are written again with every byte escaped must parse to the same. */
static void check_round_trip(struct arena *arena, const struct param *params, size_t count,
                             struct bytes raw)
{
    char *text = fuzz_alloc(raw.len * 3 + 2), *at = text;
    struct param *again;
    size_t again_count;
    for (size_t i = 0; i < count; i++) {
        at = escape(at, params[i].name);
        if (params[i].has_value)
            *at++ = '=';
        at = escape(at, params[i].value);
        *at++ = '&';
    }
    struct bytes written = {text, (size_t)(at - text)};
    REQUIRE(svc__query_parse(arena, written, count, &again, &again_count) == 0);
    REQUIRE(again_count == count);
    for (size_t i = 0; i < count; i++) {
        REQUIRE(svc__bytes_eq(again[i].name, params[i].name));
        REQUIRE(svc__bytes_eq(again[i].value, params[i].value));
        REQUIRE(again[i].has_value == params[i].has_value);
    }
    free(text);
}

static void check(struct arena *arena, struct bytes raw)
{
    struct param *params = NULL;
    size_t count = 77, pieces = count_pieces(raw);
    if (pieces > 0) {
        REQUIRE(svc__query_parse(arena, raw, pieces - 1, &params, &count) == SVC_ETOOBIG);
        REQUIRE(params == NULL && count == 77);
    }
    REQUIRE(svc__query_parse(arena, raw, pieces, &params, &count) == 0);
    REQUIRE(count == pieces && (params == NULL) == (count == 0));
    check_texts(params, count, raw);
    check_round_trip(arena, params, count, raw);
    for (size_t i = 0; i < count; i++)
        REQUIRE(svc__utf8_text(params[i].value) == text_is_valid(params[i].value, true));
    if (svc__uri_escapes_valid(raw)) {
        REQUIRE(svc__query_valid(raw, true) == params_are_valid(params, count, true));
        REQUIRE(svc__query_valid(raw, false) == params_are_valid(params, count, false));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    svc__arena_init(&arena, NULL, SIZE_MAX);
    check(&arena, fuzz_input(data, size));
    svc__arena_reset(&arena);
    return 0;
}
