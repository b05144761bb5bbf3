/* A Range field for a representation of some length, and the fields of its answer. */
#include "fuzz/fuzz.h"
#include "libsvc/proto/range.h"
#include "libsvc/proto/token.h"

static void check_content(const struct range *range, uint64_t length)
{
    char text[RANGE_CONTENT_SIZE];
    size_t len = svc__range_content(text, range, length);
    REQUIRE(len < sizeof text && text[len] == '\0' && strlen(text) == len);
    REQUIRE(svc__token_value_valid(svc__bytes(text, len)));
}

/* No byte is sent twice: the ranges lie within the length, and a gap is between any two. */
static void check_set(const struct range_set *set, uint64_t length)
{
    uint64_t total = 0;
    REQUIRE(set->count > 0 && set->count <= RANGE_MOST);
    for (size_t i = 0; i < set->count; i++) {
        const struct range *range = &set->list[i];
        REQUIRE(range->first <= range->last && range->last < length);
        total += svc__range_length(range);
        for (size_t j = 0; j < i; j++)
            REQUIRE(set->list[j].last + 1 < range->first || range->last + 1 < set->list[j].first);
        check_content(range, length);
    }
    REQUIRE(total <= length);
}

/* What the set asks for is what a field of these ranges would ask for. */
static void check_again(const struct range_set *set, uint64_t length)
{
    char text[RANGE_MOST * 48];
    struct buf field;
    struct range_set again;
    svc__buf_over(&field, text, sizeof text);
    for (size_t i = 0; i < set->count; i++) {
        svc__buf_puts(&field, i ? "," : "bytes=");
        svc__buf_u64(&field, set->list[i].first);
        svc__buf_putc(&field, '-');
        svc__buf_u64(&field, set->list[i].last);
    }
    REQUIRE(svc__buf_error(&field) == 0);
    REQUIRE(svc__range_parse(svc__buf_view(&field), length, &again) == RANGE_PARTS);
    REQUIRE(again.count == set->count);
    for (size_t i = 0; i < set->count; i++)
        REQUIRE(again.list[i].first == set->list[i].first &&
                again.list[i].last == set->list[i].last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct range_set set;
    uint64_t length = 0;
    if (size < sizeof length)
        return 0;
    memcpy(&length, data, sizeof length);
    struct bytes value = fuzz_input(data + sizeof length, size - sizeof length);
    enum range_verdict verdict = svc__range_parse(value, length, &set);
    if (verdict == RANGE_PARTS) {
        check_set(&set, length);
        check_again(&set, length);
    }
    REQUIRE(verdict != RANGE_PARTS || length > 0);
    check_content(NULL, length);
    return 0;
}
