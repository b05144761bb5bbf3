/* One z_stream for each context; both codings differ by their frame alone. */
#include "libsvc/coding/coding_zlib.h"

#ifdef HAVE_ZLIB

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "libsvc/base/least.h"

enum {
    WINDOW = 15,       /* 32 KiB: with its tables, a context of 264 KiB */
    MEMORY = 8,        /* of those tables, as zlib counts them; its default */
    WINDOW_LIGHT = 12, /* 4 KiB: with its tables, a context of 38 KiB */
    MEMORY_LIGHT = 5,
    GZIP = 16, /* added to a window: the frame of gzip */
    RANK_DEFLATE = 10,
    RANK_GZIP = 20,
    LEVEL = 6,
    LEVEL_BUSY = 1
};

/* zlib counts in 32 bits: it gets as much at once as that allows. */
static void lend(z_stream *stream, const svc_sys_coding_step *step)
{
    stream->next_in = (Bytef *)(uintptr_t)step->input;
    stream->avail_in = (uInt)svc__least(step->input_len, UINT_MAX);
    stream->next_out = (Bytef *)step->output;
    stream->avail_out = (uInt)svc__least(step->output_len, UINT_MAX);
}

static void take_back(const z_stream *stream, svc_sys_coding_step *step)
{
    size_t taken = (size_t)((const char *)stream->next_in - step->input);
    size_t made = (size_t)((char *)stream->next_out - step->output);
    step->input += taken;
    step->input_len -= taken;
    step->output += made;
    step->output_len -= made;
}

/* ---- Encoding */

struct encoder {
    z_stream stream;
    int level;
};

static int make_encoder(const svc_sys_coding_aim *aim, int frame, void **out)
{
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return SVC_ENOMEM;
    int window = (aim->light ? WINDOW_LIGHT : WINDOW) + frame;
    encoder->level = aim->level;
    if (deflateInit2(&encoder->stream, aim->level, Z_DEFLATED, window,
                     aim->light ? MEMORY_LIGHT : MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(encoder);
        return SVC_ENOMEM;
    }
    *out = encoder;
    return 0;
}

static int make_gzip(const svc_sys_coding_aim *aim, void **encoder)
{
    return make_encoder(aim, GZIP, encoder);
}

static int make_deflate(const svc_sys_coding_aim *aim, void **encoder)
{
    return make_encoder(aim, 0, encoder);
}

/* Right after a reset nothing is pending, so that another level needs no room for output. (zlib
 * 1.2.11 does not see that, and fails: the context is not used again then.) */
static int reset_encoder(void *given, const svc_sys_coding_aim *aim)
{
    struct encoder *encoder = given;
    encoder->stream.avail_in = encoder->stream.avail_out = 0;
    if (deflateReset(&encoder->stream) != Z_OK)
        return SVC_ENOMEM;
    if (encoder->level == aim->level)
        return 0;
    encoder->level = aim->level;
    return deflateParams(&encoder->stream, aim->level, Z_DEFAULT_STRATEGY) == Z_OK ? 0 : SVC_ENOMEM;
}

static bool has_gone(int until, int state, const svc_sys_coding_step *step)
{
    if (until == SVC_SYS_CODING_END)
        return state == Z_STREAM_END;
    /* With room left, nothing is pending; Z_BUF_ERROR says so where the room was just enough. */
    return step->input_len == 0 && (step->output_len > 0 || state == Z_BUF_ERROR);
}

static int encode(void *given, svc_sys_coding_step *step, int until)
{
    static const int flushes[] = {[SVC_SYS_CODING_INPUT] = Z_NO_FLUSH,
                                  [SVC_SYS_CODING_FLUSH] = Z_SYNC_FLUSH,
                                  [SVC_SYS_CODING_END] = Z_FINISH};
    z_stream *stream = &((struct encoder *)given)->stream;
    int state;
    do {
        bool last = step->input_len <= UINT_MAX;
        lend(stream, step);
        state = deflate(stream, last ? flushes[until] : Z_NO_FLUSH);
        take_back(stream, step);
        if (state == Z_STREAM_ERROR)
            return SVC_ESTATE;
    } while (!has_gone(until, state, step) && step->output_len > 0);
    return has_gone(until, state, step) ? 0 : SVC_EAGAIN;
}

static void free_encoder(void *given)
{
    struct encoder *encoder = given;
    if (encoder)
        deflateEnd(&encoder->stream);
    free(encoder);
}

/* ---- Decoding */

struct decoder {
    z_stream stream; /* first */
    bool gzip;
    bool begun; /* the frame of the data is known */
};

static int make_decoder(bool gzip, void **out)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return SVC_ENOMEM;
    decoder->gzip = gzip;
    if (inflateInit2(&decoder->stream, WINDOW + (gzip ? GZIP : 0)) != Z_OK) {
        free(decoder);
        return SVC_ENOMEM;
    }
    *out = decoder;
    return 0;
}

static int make_gunzip(void **decoder)
{
    return make_decoder(true, decoder);
}

static int make_inflate(void **decoder)
{
    return make_decoder(false, decoder);
}

static int reset_decoder(void *given)
{
    struct decoder *decoder = given;
    decoder->begun = false;
    return inflateReset(&decoder->stream) == Z_OK ? 0 : SVC_ENOMEM;
}

/*
 * The first byte of the zlib format is 8 and the size of its window (RFC 1950 2.2). Bare data of
 * RFC 1951 cannot begin so: those bits would be a stored block with padding that is not zero.
 */
static bool is_bare(char first)
{
    unsigned char byte = (unsigned char)first;
    return (byte & 0x0f) != Z_DEFLATED || byte >> 4 > WINDOW - 8;
}

static int choose_frame(struct decoder *decoder, const svc_sys_coding_step *step)
{
    int frame = decoder->gzip ? WINDOW + GZIP : is_bare(*step->input) ? -WINDOW : WINDOW;
    decoder->begun = true;
    return inflateReset2(&decoder->stream, frame) == Z_OK ? 0 : SVC_ENOMEM;
}

static int decode_zlib(void *given, svc_sys_coding_step *step)
{
    struct decoder *decoder = given;
    int state = Z_OK;
    if (!decoder->begun && step->input_len == 0)
        return SVC_EAGAIN;
    if (!decoder->begun && choose_frame(decoder, step))
        return SVC_ENOMEM;
    lend(&decoder->stream, step);
    state = inflate(&decoder->stream, Z_NO_FLUSH);
    take_back(&decoder->stream, step);
    switch (state) {
    case Z_OK:
    case Z_BUF_ERROR: /* no progress: it needs what it was not given */
        return SVC_EAGAIN;
    case Z_STREAM_END:
        return 0;
    case Z_MEM_ERROR:
        return SVC_ENOMEM;
    default:
        return SVC_ESYNTAX;
    }
}

static void free_decoder(void *given)
{
    struct decoder *decoder = given;
    if (decoder)
        inflateEnd(&decoder->stream);
    free(decoder);
}

#define BY_ZLIB(coding, coding_rank, more, make, unmake)                                           \
    {                                                                                              \
        .size = sizeof(svc_sys_coding), .name = (coding), .rank = (coding_rank), .level_least = 1, \
        .level_most = 9, .level = LEVEL, .level_busy = LEVEL_BUSY, .concatenates = (more),         \
        .encoder_new = (make), .encoder_reset = reset_encoder, .encode = encode,                   \
        .encoder_free = free_encoder, .decoder_new = (unmake), .decoder_reset = reset_decoder,     \
        .decode = decode_zlib, .decoder_free = free_decoder                                        \
    }

const svc_sys_coding svc__coding_zlib[] = {
    BY_ZLIB("gzip", RANK_GZIP, true, make_gzip, make_gunzip),
    BY_ZLIB("deflate", RANK_DEFLATE, false, make_deflate, make_inflate)};
const size_t svc__coding_zlib_count = sizeof svc__coding_zlib / sizeof *svc__coding_zlib;

#else

const svc_sys_coding svc__coding_zlib[1] = {{0}};
const size_t svc__coding_zlib_count = 0;

#endif
