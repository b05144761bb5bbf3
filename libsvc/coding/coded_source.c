/* Bytes are read into a small buffer, and compressed from there into the reader's room. */
#include "libsvc/coding/coded_source.h"

#include <string.h>

#include "libsvc/base/least.h"

enum {
    INPUT_BYTES = 16384,
    INPUT_BYTES_LIGHT = 4096,
    /* Read in one call without a byte of output; then a flush makes some, so that a body that
     * shrinks to nothing does not hold its loop for long. */
    SILENT_BYTES = 262144
};

struct coded_source {
    struct coder *coder;
    svc_source inner;
    void *encoder;
    bool light;
    bool ended;   /* the coded data is whole */
    bool unshown; /* bytes have been taken since the last flush */
    int until;    /* of the encoder, while it has not gone so far; SVC_SYS_CODING_INPUT: it has */
    uint64_t passed; /* bytes of the inner source */
    const char *input;
    size_t input_len;
    size_t spill_at, spill_len; /* of output that was made in a room of its own */
    char spill[SVC_SYS_CODING_ROOM];
    size_t buffer_size;
    char buffer[];
};

/* Counts bytes, or the end: a body must have the length that was promised for it. */
static int check_length(struct coded_source *coded, int64_t n)
{
    uint64_t promised = coded->inner.length;
    coded->passed += n > 0 ? (uint64_t)n : 0;
    if (promised == SVC_LENGTH_UNKNOWN)
        return 0;
    return coded->passed > promised || (n == 0 && coded->passed < promised) ? SVC_EINVAL : 0;
}

/* Reads the next bytes. 0; SVC_EAGAIN when there are none, and all have been shown; or an error. */
static int refill(struct coded_source *coded)
{
    int64_t n = coded->inner.read(coded->inner.state, coded->buffer, coded->buffer_size);
    if (n == SVC_EAGAIN && coded->unshown) {
        coded->until = SVC_SYS_CODING_FLUSH;
        return 0;
    }
    int error = n < 0 ? (int)n : check_length(coded, n);
    if (error)
        return error;
    coded->until = n == 0 ? SVC_SYS_CODING_END : SVC_SYS_CODING_INPUT;
    coded->unshown = true;
    coded->input = coded->buffer;
    coded->input_len = (size_t)n;
    return 0;
}

/* Compresses the bytes at hand as far as there is room. 0, or an error. */
static int run_encoder(struct coded_source *coded, svc_sys_coding_step *step)
{
    step->input = coded->input;
    step->input_len = coded->input_len;
    int result = coded->coder->coding->encode(coded->encoder, step, coded->until);
    coded->input = step->input;
    coded->input_len = step->input_len;
    if (result)
        return result;
    coded->ended = coded->until == SVC_SYS_CODING_END;
    coded->unshown &= coded->until == SVC_SYS_CODING_INPUT;
    coded->until = SVC_SYS_CODING_INPUT;
    return 0;
}

/* Fills a room of SVC_SYS_CODING_ROOM bytes or more. The number of bytes, 0 at the end, or an
 * error, SVC_EAGAIN among them. */
static int64_t fill_room(struct coded_source *coded, char *data, size_t len)
{
    uint64_t begun = coded->passed;
    svc_sys_coding_step step = {.size = sizeof step, .output = data, .output_len = len};
    while (!coded->ended) {
        int error = 0;
        bool silent = step.output == data && coded->passed - begun >= SILENT_BYTES;
        bool idle = coded->input_len == 0 && coded->until == SVC_SYS_CODING_INPUT;
        if (idle && silent)
            coded->until = SVC_SYS_CODING_FLUSH;
        else if (idle)
            error = refill(coded);
        if (!error)
            error = run_encoder(coded, &step);
        if (error == SVC_EAGAIN)
            break;
        if (error)
            return error;
        if (step.output_len < SVC_SYS_CODING_ROOM)
            break;
    }
    if (step.output > data || coded->ended)
        return step.output - data;
    return SVC_EAGAIN;
}

static int64_t read_spill(struct coded_source *coded, char *data, size_t len)
{
    len = svc__least(len, coded->spill_len - coded->spill_at);
    memcpy(data, coded->spill + coded->spill_at, len);
    coded->spill_at += len;
    return (int64_t)len;
}

static int64_t read_coded(void *state, char *data, size_t len)
{
    struct coded_source *coded = state;
    if (coded->spill_at < coded->spill_len)
        return read_spill(coded, data, len);
    if (len >= SVC_SYS_CODING_ROOM)
        return fill_room(coded, data, len);
    int64_t n = fill_room(coded, coded->spill, sizeof coded->spill);
    if (n <= 0)
        return n;
    coded->spill_at = 0;
    coded->spill_len = (size_t)n;
    return read_spill(coded, data, len);
}

static void close_coded(void *state)
{
    struct coded_source *coded = state;
    svc__coder_give(coded->coder, coded->light, coded->encoder);
    coded->encoder = NULL;
    if (coded->inner.close)
        coded->inner.close(coded->inner.state);
}

int svc__coded_source_make(struct coder *coder, int level, struct arena *arena,
                           const svc_source *inner, svc_source *out)
{
    bool light = inner->length == SVC_LENGTH_UNKNOWN;
    size_t buffer = light ? INPUT_BYTES_LIGHT : INPUT_BYTES;
    svc_sys_coding_aim aim = {
        .size = sizeof aim, .level = level, .light = light, .length = inner->length};
    struct coded_source *coded = svc__arena_alloc(arena, sizeof *coded + buffer);
    if (!coded)
        return SVC_ENOMEM;
    *coded = (struct coded_source){
        .coder = coder, .inner = *inner, .light = light, .buffer_size = buffer};
    int error = svc__coder_take(coder, &aim, &coded->encoder);
    if (error)
        return error;
    *out = (svc_source)SVC_SOURCE_INIT;
    out->read = read_coded;
    out->close = close_coded;
    out->state = coded;
    return 0;
}
