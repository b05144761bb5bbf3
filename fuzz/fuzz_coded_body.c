/* Coded request bodies. The first byte names the codings, the second the size of the pieces, and
 * the rest is the body: whatever the pieces, the same comes of it, within the limits. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/coding/coding_zlib.h"
#include "libsvc/coding/undo.h"

enum { LIMIT = 3 << 20, RATIO = 50 };

struct result {
    enum undo_end end;
    size_t made;
    uint64_t hash; /* of the bytes */
};

static void init_codings(struct undo_coding codings[static 2])
{
    for (size_t i = 0; i < 2; i++) {
        codings[i].coding = &svc__coding_zlib[i % svc__coding_zlib_count];
        svc__context_pool_init(&codings[i].pool, codings[i].coding->decoder_free);
    }
}

static void add_bytes(struct result *result, struct bytes out)
{
    REQUIRE(out.len <= UNDO_ROOM);
    result->made += out.len;
    for (size_t i = 0; i < out.len; i++)
        result->hash = (result->hash ^ (unsigned char)out.data[i]) * UINT64_C(0x100000001b3);
}

static struct result undo_body(struct undo_coding codings[static 2], unsigned which,
                               struct bytes body, size_t piece)
{
    struct result result = {UNDO_HUNGRY, 0, 0};
    struct undo *undo = malloc(sizeof *undo);
    REQUIRE(undo);
    undo->count = 0;
    undo->limit = LIMIT;
    undo->ratio = RATIO;
    undo->input = undo->between = svc__bytes(NULL, 0);
    REQUIRE(svc__undo_add(undo, &codings[which & 1]) == 0);
    REQUIRE(!(which & 2) || svc__undo_add(undo, &codings[which >> 2 & 1]) == 0);
    bool last;
    do {
        size_t n = body.len < piece ? body.len : piece;
        last = n == 0;
        undo->input = svc__bytes(body.data, n);
        do {
            struct bytes out;
            result.end = svc__undo_step(undo, last, &out);
            if (result.end <= UNDO_FULL)
                add_bytes(&result, out);
        } while (result.end == UNDO_FULL);
        REQUIRE(result.end != UNDO_HUNGRY || undo->input.len == 0);
        body.data += n;
        body.len -= n;
    } while (result.end == UNDO_HUNGRY && !last);
    svc__undo_end(undo);
    free(undo);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct undo_coding codings[2];
    if (size < 2 || svc__coding_zlib_count == 0)
        return 0;
    init_codings(codings);
    struct bytes body = fuzz_input(data + 2, size - 2);
    struct result whole = undo_body(codings, data[0], body, body.len + 1);
    struct result pieces = undo_body(codings, data[0], body, data[1] + 1U);
    REQUIRE(whole.made <= LIMIT && whole.end != UNDO_NO_MEMORY);
    REQUIRE(body.len > 0 || whole.end == UNDO_HUNGRY);
    /* Where a body fails, the bytes before it differ by the steps. */
    REQUIRE((whole.end == UNDO_HUNGRY) == (pieces.end == UNDO_HUNGRY));
    REQUIRE(whole.end != UNDO_HUNGRY || (whole.made == pieces.made && whole.hash == pieces.hash));
    for (size_t i = 0; i < 2; i++)
        svc__context_pool_free(&codings[i].pool);
    return 0;
}
