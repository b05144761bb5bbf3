/* Cookies of sessions: no text but a sealed one opens, and what was sealed opens as it was. The
 * first byte of the input chooses a bit that is flipped. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/session/session_record.h"
#include "libsvc/session/session_seal.h"

static struct session_keys keys;

static void begin(void)
{
    unsigned line;
    REQUIRE(svc__session_seal_begin() == 0);
    REQUIRE(svc__session_seal_read_keys(
                "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", &keys, &line) ==
            0);
}

/* The length of the opened text, or -1. */
static long open_text(const char *text, char *out)
{
    char *scratch = fuzz_alloc(strlen(text));
    size_t len = 0;
    int error = svc__session_seal_open(&keys, "a", text, scratch, out, &len);
    free(scratch);
    REQUIRE(error == 0 || error == SVC_ESYNTAX);
    return error ? -1 : (long)len;
}

static void check_sealed(const char *data, size_t len, size_t flip)
{
    size_t text_len = svc__session_seal_length(len);
    char *scratch = fuzz_alloc(len + SESSION_SEALING), *text = fuzz_alloc(text_len + 1);
    char *out = fuzz_alloc(text_len);
    svc__session_seal_write(&keys, "a", data, len, scratch, text);
    REQUIRE(open_text(text, out) == (long)len && (len == 0 || memcmp(out, data, len) == 0));
    text[flip / 8 % text_len] = (char)(text[flip / 8 % text_len] ^ 1 << flip % 8);
    REQUIRE(open_text(text, out) == -1);
    free(scratch);
    free(text);
    free(out);
}

/* Changes the value of "a". `text` has room for the longest values, and gets the new ones. */
static void change(struct session_record *record, const char *value, char *text)
{
    size_t len = svc__session_record_changed_len(record, "a", value);
    char *changed = fuzz_alloc(len);
    svc__session_record_change(record, "a", value, changed);
    if (len > 0)
        memcpy(text, changed, len);
    free(changed);
    record->values = text;
    record->len = len;
}

static void check_record(const char *data, size_t len)
{
    struct session_record record;
    if (svc__session_record_read(data, len, &record))
        return;
    char *again = fuzz_alloc(len);
    REQUIRE(svc__session_record_write(&record, again) == len && !memcmp(again, data, len));
    free(again);
    char *text = fuzz_alloc(len + 4);
    while (svc__session_record_find(&record, "a")) /* only a text of others has a name twice */
        change(&record, NULL, text);
    change(&record, "b", text);
    const char *value = svc__session_record_find(&record, "a");
    REQUIRE(value && strcmp(value, "b") == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (keys.count == 0)
        begin();
    const char *input = (const char *)data;
    char *text = fuzz_alloc(size + 1), *out = fuzz_alloc(size + 1);
    if (size > 0)
        memcpy(text, input, size);
    text[size] = '\0';
    REQUIRE(open_text(text, out) == -1);
    check_sealed(input, size, size > 0 ? *data * 7u : 0);
    check_record(text, size);
    struct session_keys read;
    unsigned line;
    int error = svc__session_seal_read_keys(text, &read, &line);
    REQUIRE((error == 0) == (read.count > 0) && read.count <= SESSION_KEYS);
    free(text);
    free(out);
    return 0;
}
