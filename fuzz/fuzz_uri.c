/* Percent escapes and clean paths. */
#include "fuzz/fuzz.h"
#include "libsvc/base/utf8.h"
#include "libsvc/proto/uri.h"

static void check_decode(struct bytes text, bool plus)
{
    char *out = fuzz_alloc(text.len), *same = fuzz_alloc(text.len);
    struct bytes decoded = {out, svc__uri_decode(out, text, plus)};
    REQUIRE(decoded.len <= text.len);
    if (text.len > 0)
        memcpy(same, text.data, text.len);
    REQUIRE(svc__uri_decode(same, svc__bytes(same, text.len), plus) == decoded.len);
    REQUIRE(svc__bytes_eq(svc__bytes(same, decoded.len), decoded));
    if (!plus) {
        REQUIRE(svc__uri_decoded_eq(text, decoded));
        REQUIRE(fuzz_has(text, '%') || svc__bytes_eq(text, decoded));
        REQUIRE(svc__uri_decoded_utf8(text) == svc__utf8_valid(decoded));
    }
    free(same);
    free(out);
}

/* Every byte as an escape must come back, whatever it is. */
static void check_encode(struct bytes text)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    char *escaped = fuzz_alloc(text.len * 3);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        escaped[3 * i] = '%';
        escaped[3 * i + 1] = hex[c >> 4];
        escaped[3 * i + 2] = hex[(c & 15u) + ((c & 15u) > 9 ? 6u : 0u)];
    }
    struct bytes view = {escaped, text.len * 3};
    REQUIRE(svc__uri_escapes_valid(view));
    REQUIRE(svc__uri_decoded_eq(view, text));
    free(escaped);
}

static bool has_segment(struct bytes path, const char *wanted)
{
    svc__bytes_cut(&path, '/');
    while (path.data != NULL) {
        struct bytes segment = svc__bytes_cut(&path, '/');
        if (svc__uri_decoded_eq(segment, svc__bytes_z(wanted)))
            return true;
    }
    return false;
}

static void check_clean(struct bytes text)
{
    char *path = fuzz_alloc(text.len + 1), *once = fuzz_alloc(text.len + 2);
    path[0] = '/';
    if (text.len > 0)
        memcpy(path + 1, text.data, text.len);
    struct bytes whole = {path, text.len + 1};
    struct bytes clean = {once, svc__uri_clean(once, whole)};
    REQUIRE(clean.len >= 1 && clean.len <= whole.len);
    REQUIRE(clean.data[0] == '/' && clean.data[clean.len] == '\0');
    REQUIRE(memmem(clean.data, clean.len, "//", 2) == NULL);
    REQUIRE(!has_segment(clean, ".") && !has_segment(clean, ".."));
    REQUIRE(svc__uri_unclean(whole) == !svc__bytes_eq(whole, clean));
    REQUIRE(!svc__uri_unclean(clean));
    free(once);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    check_decode(text, false);
    check_decode(text, true);
    check_encode(text);
    check_clean(text);
    return 0;
}
