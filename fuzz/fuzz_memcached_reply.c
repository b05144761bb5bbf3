/* Replies of memcached, read once as a whole and once in pieces, with the same result. The first
 * byte of the input says how much of each value is skipped, the second how long the pieces are. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/memcached/memcached_reply.h"

enum { VALUE_MOST = 64, TRACE_BYTES = 4096 };

/* What was read: its parts, one after another. */
struct trace {
    char *value; /* memory of exactly the size that was asked for */
    size_t value_len;
    unsigned char bytes[TRACE_BYTES];
    size_t len;
    size_t skip;
};

static void add_number(struct trace *trace, uint64_t number)
{
    for (unsigned i = 0; i < 8 && trace->len < TRACE_BYTES; i++)
        trace->bytes[trace->len++] = (unsigned char)(number >> 8 * i);
}

static char *place_value(void *arg, const struct memcached_reply *reply, size_t *skip)
{
    struct trace *trace = arg;
    REQUIRE(reply->code == MEMCACHED_VA && reply->len <= MEMCACHED_SKIPPED_BYTES);
    REQUIRE(*skip == 0);
    free(trace->value);
    trace->value = NULL;
    if (reply->len > VALUE_MOST || reply->cas % 3 == 1)
        return NULL;
    *skip = trace->skip < reply->len ? trace->skip : (size_t)reply->len;
    trace->value_len = (size_t)reply->len - *skip;
    trace->value = fuzz_alloc(trace->value_len);
    return trace->value;
}

static int take_reply(void *arg, const struct memcached_reply *reply)
{
    struct trace *trace = arg;
    REQUIRE((int)reply->code >= MEMCACHED_HD && reply->code <= MEMCACHED_OTHER_ERROR);
    add_number(trace, reply->code);
    add_number(trace, reply->len);
    add_number(trace, reply->cas);
    add_number(trace, reply->flags);
    add_number(trace, reply->opaque);
    add_number(trace, (uint64_t)reply->won * 2 + reply->lost);
    if (reply->code == MEMCACHED_STAT)
        add_number(trace, reply->name_len * 10000 + reply->value_len);
    for (size_t i = 0; trace->value && i < trace->value_len; i++)
        add_number(trace, (unsigned char)trace->value[i]);
    free(trace->value);
    trace->value = NULL;
    return reply->opaque == 9 ? SVC_ECANCELLED : 0;
}

/* Feeds the bytes in pieces, each in memory of its own size. The error, or 0. */
static int feed(struct trace *trace, struct bytes input, size_t step)
{
    struct memcached_reader reader = {0};
    const struct memcached_sink sink = {place_value, take_reply, trace};
    size_t from = 0, to = 0;
    while (to < input.len) {
        to = to + step < input.len ? to + step : input.len;
        char *piece = fuzz_alloc(to - from);
        memcpy(piece, input.data + from, to - from);
        long used = svc__memcached_reply_feed(&reader, piece, to - from, &sink);
        free(piece);
        if (used < 0)
            return (int)used;
        REQUIRE((size_t)used <= to - from && to - from - (size_t)used < MEMCACHED_LINE_BYTES);
        from += (size_t)used;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trace whole, pieces;
    size_t skip = size > 0 ? data[0] % 4 : 0, step = size > 1 ? 1 + data[1] % 50 : 1;
    struct bytes input = fuzz_input(data, size);
    input = size > 2 ? svc__bytes(input.data + 2, size - 2) : svc__bytes("", 0);
    whole = (struct trace){.skip = skip};
    pieces = (struct trace){.skip = skip};
    int error = feed(&whole, input, input.len + 1);
    REQUIRE(error == 0 || error == SVC_ESYNTAX || error == SVC_ECANCELLED);
    REQUIRE(feed(&pieces, input, step) == error);
    REQUIRE(whole.len == pieces.len && memcmp(whole.bytes, pieces.bytes, whole.len) == 0);
    free(whole.value);
    free(pieces.value);
    return 0;
}
