/* Cookie fields. The first line of the input is the name to look for. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/cookie.h"

static bool value_is_clean(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7e || value.data[i] == '"' ||
            value.data[i] == '\\' || value.data[i] == ';')
            return false;
    return true;
}

/* Behind the name stands '=', then perhaps a quote, which then also ends the value. */
static void check_found(struct bytes header, struct bytes name, struct bytes value)
{
    const char *at = value.data;
    REQUIRE(at > header.data && at + value.len <= header.data + header.len);
    REQUIRE(value_is_clean(value));
    if (at[-1] == '"') {
        REQUIRE(at + value.len < header.data + header.len && at[value.len] == '"');
        at--;
    }
    REQUIRE((size_t)(at - header.data) > name.len && at[-1] == '=');
    REQUIRE(memcmp(at - 1 - name.len, name.data, name.len) == 0);
}

/* A cookie that is added at the end is found, unless one of that name was before it. */
static void check_added(struct bytes header, bool found)
{
    static const char added[] = ";added=1";
    size_t len = header.len + sizeof added - 1;
    char *text = fuzz_alloc(len);
    struct bytes value, longer = {text, len};
    if (header.len > 0)
        memcpy(text, header.data, header.len);
    memcpy(text + header.len, added, sizeof added - 1);
    REQUIRE(svc__cookie_find(longer, svc__bytes_z("added"), &value) == 0);
    REQUIRE(found || (svc__bytes_eq_z(value, "1") && value.data == text + len - 1));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes header = fuzz_input(data, size);
    struct bytes name = svc__bytes_cut(&header, '\n');
    struct bytes value = {"untouched", 9};
    int result = svc__cookie_find(header, name, &value);
    REQUIRE(result == 0 || (result == SVC_ENOTFOUND && svc__bytes_eq_z(value, "untouched")));
    if (result == 0)
        check_found(header, name, value);
    check_added(header, svc__cookie_find(header, svc__bytes_z("added"), &value) == 0);
    return 0;
}
