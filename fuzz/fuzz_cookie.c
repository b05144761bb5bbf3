/* Cookie fields. */
#include "fuzz/fuzz.h"
#include "libsvc/proto/cookie.h"
#include "libsvc/proto/token.h"

static bool value_is_clean(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7e || value.data[i] == '"' ||
            value.data[i] == '\\' || value.data[i] == ';')
            return false;
    return true;
}

/* Behind the name stands '=', then perhaps a quote, which then also ends the value. */
static void check_pair(struct bytes header, struct bytes name, struct bytes value)
{
    const char *end = header.data + header.len, *at = value.data;
    REQUIRE(name.data >= header.data && name.data + name.len < at && at + value.len <= end);
    REQUIRE(svc__token_valid(name) && value_is_clean(value));
    if (at[-1] == '"') {
        REQUIRE(at + value.len < end && at[value.len] == '"');
        at--;
    }
    REQUIRE(name.data + name.len + 1 == at && at[-1] == '=');
}

/* The number of pairs, each of which lies behind those before it. */
static size_t check_all(struct bytes header)
{
    struct bytes rest = header, name, value;
    const char *last = header.data;
    size_t count = 0;
    for (; svc__cookie_take(&rest, &name, &value); count++) {
        check_pair(header, name, value);
        REQUIRE(name.data >= last);
        last = value.data + value.len;
    }
    REQUIRE(!rest.data && !svc__cookie_take(&rest, &name, &value));
    return count;
}

/* A cookie that is added at the end is one more. */
static void check_added(struct bytes header, size_t count)
{
    static const char added[] = ";added=1";
    size_t len = header.len + sizeof added - 1;
    char *text = fuzz_alloc(len);
    if (header.len > 0)
        memcpy(text, header.data, header.len);
    memcpy(text + header.len, added, sizeof added - 1);
    REQUIRE(check_all(svc__bytes(text, len)) == count + 1);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes header = fuzz_input(data, size);
    check_added(header, check_all(header));
    return 0;
}
