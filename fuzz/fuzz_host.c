/* Host fields. */
#include "fuzz/fuzz.h"
#include "libsvc/proto/host.h"

static void check_with_port(struct bytes name, const char *port, bool valid)
{
    size_t len = name.len + strlen(port);
    char *text = fuzz_alloc(len);
    if (name.len > 0)
        memcpy(text, name.data, name.len);
    memcpy(text + name.len, port, strlen(port));
    struct bytes host = {text, len};
    REQUIRE(svc__host_valid(host) == valid);
    REQUIRE(!valid || svc__bytes_eq(svc__host_name(host), name));
    free(text);
}

static void check_valid(struct bytes host)
{
    struct bytes name = svc__host_name(host);
    REQUIRE(svc__host_valid(name));
    for (size_t i = 0; i < host.len; i++)
        REQUIRE(host.data[i] > 0x20 && host.data[i] < 0x7f && !strchr("/?#@\\<>\"", host.data[i]));
    for (size_t i = name.len + 1; i < host.len; i++)
        REQUIRE(host.data[i] >= '0' && host.data[i] <= '9');
    check_with_port(name, ":", true);
    check_with_port(name, ":065535", true);
    check_with_port(name, ":65536", false);
    check_with_port(name, ":8:8", false);
    check_with_port(name, ":+8", false);
    check_with_port(name, " ", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes host = fuzz_input(data, size);
    struct bytes name = svc__host_name(host);
    REQUIRE(name.len <= host.len && name.data == host.data);
    if (svc__host_valid(host))
        check_valid(host);
    return 0;
}
