/* Structured fields whose item is a String (RFC 9651). */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/structured.h"

/* What was read, written as an item, is read as the same. */
static void check_again(const char *string, size_t len)
{
    char *text = fuzz_alloc(2 * len + 2), *again = fuzz_alloc(2 * len + 2);
    size_t at = 0, again_len;
    text[at++] = '"';
    for (size_t i = 0; i < len; i++) {
        REQUIRE(string[i] >= 0x20 && string[i] <= 0x7e);
        if (string[i] == '"' || string[i] == '\\')
            text[at++] = '\\';
        text[at++] = string[i];
    }
    text[at++] = '"';
    REQUIRE(svc__structured_string(svc__bytes(text, at), again, &again_len) == 0);
    REQUIRE(again_len == len && (len == 0 || memcmp(again, string, len) == 0));
    free(text);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes field = fuzz_input(data, size);
    char *out = fuzz_alloc(size);
    size_t len = SIZE_MAX;
    int result = svc__structured_string(field, out, &len);
    REQUIRE(result == 0 || (result == SVC_ESYNTAX && len == SIZE_MAX));
    if (result == 0) {
        REQUIRE(len + 2 <= size && !fuzz_has(field, '\0') && !fuzz_has(field, '\t'));
        check_again(out, len);
    }
    free(out);
    return 0;
}
