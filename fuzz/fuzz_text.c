/* Numbers, UTF-8 and JSON strings, each against a slower way to the same answer. */
#include <jansson.h>

#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/buf.h"
#include "libsvc/base/num.h"
#include "libsvc/base/utf8.h"
#include "libsvc/proto/token.h"

static int read_number(struct bytes text, uint64_t max, uint64_t *out)
{
    unsigned __int128 n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return SVC_ESYNTAX;
        if (n <= UINT64_MAX)
            n = n * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = (uint64_t)n;
    return text.len == 0 ? SVC_ESYNTAX : n > max ? SVC_ETOOBIG : 0;
}

static void check_number(struct bytes text, uint64_t max)
{
    char digits[NUM_U64_LEN];
    uint64_t want, got = 77;
    int result = svc__num_u64(text, max, &got);
    REQUIRE(result == read_number(text, max, &want));
    REQUIRE(result == 0 ? got == want : got == 77);
    struct bytes written = {digits, svc__num_format_u64(digits, got)};
    REQUIRE(svc__num_u64(written, UINT64_MAX, &want) == 0 && want == got);
}

/* Decodes by the rule of the format and then asks whether the code point is one. */
static size_t decode_sequence(struct bytes text)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = text.len > 0 ? (unsigned char)text.data[0] : 0xff;
    size_t n = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (n <= 1 || n > text.len)
        return n == 1 ? 1 : 0;
    uint32_t code = lead & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)text.data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((unsigned char)text.data[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= smallest[n] && code <= 0x10ffff && !surrogate ? n : 0;
}

static void check_utf8(struct bytes text)
{
    bool valid = true;
    for (size_t i = 0, n; i<text.len; i += n> 0 ? n : 1) {
        struct bytes rest = {text.data + i, text.len - i};
        n = decode_sequence(rest);
        REQUIRE(svc__utf8_sequence(rest) == n);
        valid = valid && n > 0;
    }
    REQUIRE(svc__utf8_valid(text) == valid);
}

static void check_value(struct bytes text)
{
    bool valid = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        valid = valid && (c == '\t' || (c >= 0x20 && c != 0x7f));
    }
    REQUIRE(svc__token_value_valid(text) == valid);
}

static void check_json(struct bytes text)
{
    struct buf out;
    svc__buf_init(&out, text.len * 6 + 2);
    svc__buf_json_string(&out, text);
    REQUIRE(svc__buf_error(&out) == 0);
    for (size_t i = 0; i < out.len; i++)
        REQUIRE((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7f);
    json_t *read = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    REQUIRE(read != NULL);
    struct bytes back = {json_string_value(read), json_string_length(read)};
    REQUIRE(!svc__utf8_valid(text) || svc__bytes_eq(back, text));
    json_decref(read);
    svc__buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    check_number(text, UINT64_MAX);
    check_number(text, INT64_MAX);
    check_number(text, size);
    check_utf8(text);
    check_value(text);
    check_json(text);
    return 0;
}
