/* Cache-Control, read, checked, written and read again. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/cache_control.h"
#include "libsvc/proto/token.h"

static struct cache_control read_value(struct bytes text)
{
    struct cache_control value = svc__cache_control_none();
    svc__cache_control_parse(text, &value);
    return value;
}

static bool equal(const struct cache_control *a, const struct cache_control *b)
{
#define SAME(member, text) &&a->member == b->member
    return a->flags == b->flags CACHE_CONTROL_SECONDS(SAME);
#undef SAME
}

static void check_members(const struct cache_control *value)
{
    REQUIRE(value->flags < 1U << CACHE_CONTROL_FLAG_COUNT);
#define CHECK(member, text)                                                                        \
    REQUIRE(value->member >= -1 && value->member <= CACHE_CONTROL_MAX_SECONDS);
    CACHE_CONTROL_SECONDS(CHECK)
#undef CHECK
    REQUIRE(svc__cache_control_expires_in(value) <= value->max_age ||
            svc__cache_control_expires_in(value) == 0);
}

static void check_written(const struct cache_control *value)
{
    char text[CACHE_CONTROL_SIZE];
    size_t len = svc__cache_control_format(text, value);
    REQUIRE(len < sizeof text && text[len] == '\0');
    REQUIRE(svc__token_value_valid(svc__bytes(text, len)));
    struct cache_control again = read_value(svc__bytes(text, len));
    REQUIRE(equal(value, &again));
    REQUIRE(svc__cache_control_check(value) == svc__cache_control_check(&again));
}

/* What stands first is heard, whatever follows. */
static void check_first(struct bytes text)
{
    static const char first[] = "max-age=7,no-store,";
    char *copy = fuzz_alloc(sizeof first - 1 + text.len);
    memcpy(copy, first, sizeof first - 1);
    if (text.len > 0)
        memcpy(copy + sizeof first - 1, text.data, text.len);
    struct cache_control value = read_value(svc__bytes(copy, sizeof first - 1 + text.len));
    REQUIRE(value.max_age == 7 && (value.flags & CACHE_CONTROL_NO_STORE));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    struct cache_control value = read_value(text);
    check_members(&value);
    check_written(&value);
    check_first(text);
    return 0;
}
