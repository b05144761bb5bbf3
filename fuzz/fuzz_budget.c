/* The time that callers give, in both forms. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/num.h"
#include "libsvc/proto/budget.h"

/* 99,999,999 hours are the longest. */
static const uint64_t longest_ms = UINT64_C(359999996400000);

static uint64_t read(int (*parse)(struct bytes text, uint64_t *ms), struct bytes text)
{
    uint64_t ms = UINT64_MAX;
    int error = parse(text, &ms);
    REQUIRE(error == 0 || (error == SVC_ESYNTAX && ms == UINT64_MAX));
    REQUIRE(error || ms <= longest_ms);
    return ms;
}

/* Milliseconds that were read are written, as an outgoing call does, and read as the same. */
static void check_written(uint64_t ms)
{
    char text[NUM_U64_LEN];
    size_t len = svc__num_format_u64(text, ms);
    REQUIRE(read(svc__budget_parse, svc__bytes(text, len)) == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    uint64_t grpc = read(svc__budget_parse_grpc, text);
    uint64_t plain = read(svc__budget_parse, text);
    REQUIRE(grpc == UINT64_MAX || plain == UINT64_MAX); /* No text is both. */
    if (plain <= 99999999)
        check_written(plain);
    return 0;
}
