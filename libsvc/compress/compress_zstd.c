/* A context of libzstd for each context of the seam; the library resets it between two bodies. */
#include "libsvc/compress/compress_zstd.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <svc/response.h>

enum {
    LEVEL = 3,
    LEVEL_MOST = 19,
    RANK = 40,
    WINDOW_MOST = 23, /* 8 MiB (RFC 9659 3) */
    LOG_LIGHT = 13    /* of the window, 8 KiB, and of the tables */
};

/* ---- Encoding */

static int reset_encoder(void *encoder, const svc_sys_coding_aim *aim)
{
    static const ZSTD_cParameter light[] = {ZSTD_c_windowLog, ZSTD_c_hashLog, ZSTD_c_chainLog};
    ZSTD_CCtx *context = encoder;
    unsigned long long length =
        aim->length == SVC_LENGTH_UNKNOWN ? ZSTD_CONTENTSIZE_UNKNOWN : aim->length;
    size_t failed = ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    if (!ZSTD_isError(failed))
        failed = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, aim->level);
    for (size_t i = 0; i < sizeof light / sizeof *light && aim->light && !ZSTD_isError(failed); i++)
        failed = ZSTD_CCtx_setParameter(context, light[i], LOG_LIGHT);
    if (!ZSTD_isError(failed))
        failed = ZSTD_CCtx_setPledgedSrcSize(context, length);
    return ZSTD_isError(failed) ? SVC_ENOMEM : 0;
}

static int make_encoder(const svc_sys_coding_aim *aim, void **encoder)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        return SVC_ENOMEM;
    int error = reset_encoder(context, aim);
    if (error)
        ZSTD_freeCCtx(context);
    else
        *encoder = context;
    return error;
}

static int find_error(size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        return SVC_ENOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        return SVC_ETOOBIG;
    default:
        return SVC_ESYNTAX;
    }
}

static int encode(void *encoder, svc_sys_coding_step *step, int until)
{
    static const ZSTD_EndDirective directives[] = {[SVC_SYS_CODING_INPUT] = ZSTD_e_continue,
                                                   [SVC_SYS_CODING_FLUSH] = ZSTD_e_flush,
                                                   [SVC_SYS_CODING_END] = ZSTD_e_end};
    bool done = false;
    while (!done && step->output_len > 0) {
        ZSTD_inBuffer input = {step->input, step->input_len, 0};
        ZSTD_outBuffer output = {step->output, step->output_len, 0};
        size_t left = ZSTD_compressStream2(encoder, &output, &input, directives[until]);
        if (ZSTD_isError(left))
            return find_error(left) == SVC_ENOMEM ? SVC_ENOMEM : SVC_ESTATE;
        step->input += input.pos;
        step->input_len -= input.pos;
        step->output += output.pos;
        step->output_len -= output.pos;
        done = step->input_len == 0 && (left == 0 || until == SVC_SYS_CODING_INPUT);
    }
    return done ? 0 : SVC_EAGAIN;
}

static void free_encoder(void *encoder)
{
    ZSTD_freeCCtx(encoder);
}

/* ---- Decoding */

struct decoder {
    ZSTD_DCtx *context;
    bool has_more; /* the last output had no room for all that there was */
};

static int make_decoder(void **out)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return SVC_ENOMEM;
    decoder->context = ZSTD_createDCtx();
    if (!decoder->context) {
        free(decoder);
        return SVC_ENOMEM;
    }
    ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax, WINDOW_MOST);
    *out = decoder;
    return 0;
}

static int reset_decoder(void *given)
{
    struct decoder *decoder = given;
    decoder->has_more = false;
    return ZSTD_isError(ZSTD_DCtx_reset(decoder->context, ZSTD_reset_session_only)) ? SVC_ENOMEM
                                                                                    : 0;
}

/* libzstd takes calls that cannot make progress for an attempt to run for ever: it gets none. */
static int decode_zstd(void *given, svc_sys_coding_step *step)
{
    struct decoder *decoder = given;
    if (step->output_len == 0 || (step->input_len == 0 && !decoder->has_more))
        return SVC_EAGAIN;
    ZSTD_inBuffer input = {step->input, step->input_len, 0};
    ZSTD_outBuffer output = {step->output, step->output_len, 0};
    size_t left = ZSTD_decompressStream(decoder->context, &output, &input);
    if (ZSTD_isError(left))
        return find_error(left);
    step->input += input.pos;
    step->input_len -= input.pos;
    step->output += output.pos;
    step->output_len -= output.pos;
    decoder->has_more = step->output_len == 0;
    return left == 0 ? 0 : SVC_EAGAIN;
}

static void free_decoder(void *given)
{
    struct decoder *decoder = given;
    if (decoder)
        ZSTD_freeDCtx(decoder->context);
    free(decoder);
}

const svc_sys_coding svc__compress_zstd = {.size = sizeof(svc_sys_coding),
                                           .name = "zstd",
                                           .rank = RANK,
                                           .level_least = 1,
                                           .level_most = LEVEL_MOST,
                                           .level = LEVEL,
                                           .level_busy = 1,
                                           .concatenates = true,
                                           .encoder_new = make_encoder,
                                           .encoder_reset = reset_encoder,
                                           .encode = encode,
                                           .encoder_free = free_encoder,
                                           .decoder_new = make_decoder,
                                           .decoder_reset = reset_decoder,
                                           .decode = decode_zstd,
                                           .decoder_free = free_decoder};
