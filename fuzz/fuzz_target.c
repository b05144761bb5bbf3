/* Request targets, with the methods that matter to them. */
#include "fuzz/fuzz.h"
#include "libsvc/proto/host.h"
#include "libsvc/proto/target.h"
#include "libsvc/proto/uri.h"

static void check_path(const struct target *t)
{
    struct bytes path = t->path;
    char *decoded = fuzz_alloc(path.len), *clean = fuzz_alloc(path.len + 1);
    size_t len = svc__uri_decode(decoded, path, false);
    REQUIRE(path.len > 0 && path.data[0] == '/');
    REQUIRE(!fuzz_has(path, '\\') && !fuzz_has(path, '?') && !fuzz_has(path, ' '));
    REQUIRE(!fuzz_has(svc__bytes(decoded, len), '\0'));
    REQUIRE(t->escaped == fuzz_has(path, '%'));
    struct bytes cleaned = {clean, svc__uri_clean(clean, path)};
    REQUIRE(t->unclean == !svc__bytes_eq(cleaned, path));
    free(clean);
    free(decoded);
}

/* The parts must be what was sent, in its order and with nothing left out. */
static void check_parts(const struct target *t, struct bytes raw)
{
    size_t scheme = 0;
    size_t path = fuzz_inside(t->path, raw) ? t->path.len : 0; /* an empty one became "/" */
    if (t->form == TARGET_ABSOLUTE)
        scheme = (raw.data[4] | 0x20) == 's' ? 8 : 7;
    REQUIRE(scheme + t->authority.len + path + t->has_query + t->query.len == raw.len);
    REQUIRE(fuzz_inside(t->authority, raw) && fuzz_inside(t->query, raw));
    REQUIRE(t->has_query == fuzz_has(raw, '?'));
    REQUIRE(t->has_query || t->query.len == 0);
    bool authority = t->form == TARGET_ABSOLUTE || t->form == TARGET_AUTHORITY;
    REQUIRE(!authority || (t->authority.len > 0 && svc__host_valid(t->authority)));
}

static void check(struct bytes raw, const char *method)
{
    const char *reason = NULL;
    struct target t = {.form = TARGET_ASTERISK};
    int status = svc__target_parse(raw, svc__bytes_z(method), &t, &reason);
    if (status != 0) {
        REQUIRE(status == 400 && reason != NULL && t.raw.data == NULL);
        return;
    }
    REQUIRE(reason == NULL && svc__bytes_eq(t.raw, raw) && svc__uri_escapes_valid(raw));
    for (size_t i = 0; i < raw.len; i++)
        REQUIRE((unsigned char)raw.data[i] > 0x20 && raw.data[i] != 0x7f && raw.data[i] != '#');
    check_parts(&t, raw);
    if (t.form == TARGET_ASTERISK)
        REQUIRE(svc__bytes_eq_z(raw, "*") && strcmp(method, "OPTIONS") == 0);
    else
        check_path(&t);
    REQUIRE(t.form != TARGET_AUTHORITY || strcmp(method, "CONNECT") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(fuzz_input(data, size), "GET");
    check(fuzz_input(data, size), "OPTIONS");
    check(fuzz_input(data, size), "CONNECT");
    return 0;
}
