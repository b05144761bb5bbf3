/*
 * HTTP/1 as it comes in pieces: a head, chunks and trailers give the same whatever the pieces are,
 * and it is what a plain reading of the grammar gives. The first three bytes of an input choose
 * where the reading begins and how long the pieces are.
 */
#include "fuzz/fuzz.h"
#include "tests/support/http1_pieces.h"

enum { START_HEAD, START_CHUNKS, START_TRAILERS, STARTS };

static const struct head_limits limits = {.max_target = 100, .max_bytes = 400, .max_fields = 8};

static struct bytes skip(struct bytes text, size_t len)
{
    return svc__bytes(text.data + len, text.len - len);
}

static void read_trailers(struct bytes text, struct pieces pieces)
{
    struct plain_head plain, read;
    plain_trailers(text.data, text.len, &limits, &plain);
    pieces_trailers(text.data, text.len, pieces, &limits, &read);
    REQUIRE(pieces_same_head(&plain, &read));
}

static void read_chunks(struct bytes text, struct pieces pieces)
{
    struct plain_body plain = {.data = fuzz_alloc(text.len)}, read = {.data = fuzz_alloc(text.len)};
    plain_chunks(text.data, text.len, &plain);
    pieces_chunks(text.data, text.len, pieces, &read);
    REQUIRE(pieces_same_body(&plain, &read));
    if (!read.status)
        read_trailers(skip(text, read.end), pieces);
    free(plain.data);
    free(read.data);
}

static void read_head(struct bytes text, struct pieces pieces)
{
    struct plain_head plain, read;
    plain_head(text.data, text.len, &limits, &plain);
    pieces_head(text.data, text.len, pieces, &limits, &read);
    REQUIRE(pieces_same_head(&plain, &read));
    if (!read.status)
        read_chunks(skip(text, read.end), pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct bytes text = skip(fuzz_input(data, size), 3);
    struct pieces pieces = {data[1], data[2]};
    switch (data[0] % STARTS) {
    case START_HEAD:
        read_head(text, pieces);
        break;
    case START_CHUNKS:
        read_chunks(text, pieces);
        break;
    default:
        read_trailers(text, pieces);
    }
    return 0;
}
