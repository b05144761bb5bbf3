/* Brotli's states serve one body each, so that a reset makes another state. */
#include "libsvc/compress/compress_brotli.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <setjmp.h>
#include <stdlib.h>

#include <svc/response.h>

enum {
    LEVEL = 4,
    LEVEL_LIGHT = 1, /* a context of 70 KiB; the next level has one of 700 KiB */
    RANK = 30,
    WINDOW_LEAST = 14,
    WINDOW = 18, /* 256 KiB: larger ones take more memory than they save bytes at these levels */
    WINDOW_SLOW = 22
};

/* ---- Memory */

/* A block of a state's memory; its bytes follow. */
struct block {
    _Alignas(16) struct block *next;
    struct block **link;
};

/* All memory of a state. */
struct blocks {
    struct block *first;
    jmp_buf no_memory;
};

/*
 * The encoder of Debian's and other builds ends the process when an allocation fails. So it never
 * sees that: this jumps out of it, back to the call that has set `no_memory`, which frees all
 * blocks.
 */
static void *allocate_block(void *opaque, size_t size)
{
    struct blocks *blocks = opaque;
    struct block *block = size <= SIZE_MAX - sizeof *block ? malloc(sizeof *block + size) : NULL;
    if (!block)
        longjmp(blocks->no_memory, 1);
    block->next = blocks->first;
    block->link = &blocks->first;
    if (block->next)
        block->next->link = &block->next;
    blocks->first = block;
    return block + 1;
}

static void free_block(void *opaque, void *data)
{
    struct block *block = data ? (struct block *)data - 1 : NULL;
    (void)opaque;
    if (!block)
        return;
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    free(block);
}

static void free_blocks(struct blocks *blocks)
{
    while (blocks->first)
        free_block(blocks, blocks->first + 1);
}

/* ---- Encoding */

struct encoder {
    BrotliEncoderState *state; /* NULL: there was no memory */
    struct blocks blocks;
};

/* The smallest window that spans the body. */
static uint32_t choose_window(const svc_sys_coding_aim *aim)
{
    uint32_t window = WINDOW_LEAST;
    uint32_t most = aim->light ? WINDOW_LEAST : aim->level > 9 ? WINDOW_SLOW : WINDOW;
    while (window < most && aim->length > (UINT64_C(1) << window))
        window++;
    return window;
}

static int reset_encoder(void *given, const svc_sys_coding_aim *aim)
{
    struct encoder *encoder = given;
    uint64_t length = aim->length;
    encoder->state = NULL;
    free_blocks(&encoder->blocks);
    if (setjmp(encoder->blocks.no_memory))
        return SVC_ENOMEM;
    BrotliEncoderState *state =
        BrotliEncoderCreateInstance(allocate_block, free_block, &encoder->blocks);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY,
                              (uint32_t)(aim->light ? LEVEL_LIGHT : aim->level));
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, choose_window(aim));
    if (length != SVC_LENGTH_UNKNOWN)
        BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT,
                                  length > 1 << 30 ? 1 << 30 : (uint32_t)length);
    encoder->state = state;
    return 0;
}

static void free_encoder(void *given)
{
    struct encoder *encoder = given;
    if (encoder)
        free_blocks(&encoder->blocks);
    free(encoder);
}

static int make_encoder(const svc_sys_coding_aim *aim, void **out)
{
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return SVC_ENOMEM;
    if (reset_encoder(encoder, aim)) {
        free_encoder(encoder);
        return SVC_ENOMEM;
    }
    *out = encoder;
    return 0;
}

static bool has_gone(BrotliEncoderState *state, const svc_sys_coding_step *step, int until)
{
    if (step->input_len > 0)
        return false;
    if (until == SVC_SYS_CODING_END)
        return BrotliEncoderIsFinished(state);
    return until == SVC_SYS_CODING_INPUT || !BrotliEncoderHasMoreOutput(state);
}

static int run_encoder(BrotliEncoderState *state, svc_sys_coding_step *step, int until)
{
    static const BrotliEncoderOperation operations[] = {
        [SVC_SYS_CODING_INPUT] = BROTLI_OPERATION_PROCESS,
        [SVC_SYS_CODING_FLUSH] = BROTLI_OPERATION_FLUSH,
        [SVC_SYS_CODING_END] = BROTLI_OPERATION_FINISH};
    do {
        const uint8_t *input = (const uint8_t *)step->input;
        uint8_t *output = (uint8_t *)step->output;
        if (!BrotliEncoderCompressStream(state, operations[until], &step->input_len, &input,
                                         &step->output_len, &output, NULL))
            return SVC_ENOMEM;
        step->input = (const char *)input;
        step->output = (char *)output;
    } while (!has_gone(state, step, until) && step->output_len > 0);
    return has_gone(state, step, until) ? 0 : SVC_EAGAIN;
}

static int encode(void *given, svc_sys_coding_step *step, int until)
{
    struct encoder *encoder = given;
    if (!encoder->state)
        return SVC_ENOMEM;
    if (!setjmp(encoder->blocks.no_memory))
        return run_encoder(encoder->state, step, until);
    encoder->state = NULL;
    free_blocks(&encoder->blocks);
    return SVC_ENOMEM;
}

/* ---- Decoding */

struct decoder {
    BrotliDecoderState *state;
};

static int reset_decoder(void *given)
{
    struct decoder *decoder = given;
    BrotliDecoderDestroyInstance(decoder->state);
    decoder->state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    return decoder->state ? 0 : SVC_ENOMEM;
}

static int make_decoder(void **out)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return SVC_ENOMEM;
    if (reset_decoder(decoder)) {
        free(decoder);
        return SVC_ENOMEM;
    }
    *out = decoder;
    return 0;
}

static bool is_memory(BrotliDecoderErrorCode code)
{
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static int decode_brotli(void *given, svc_sys_coding_step *step)
{
    BrotliDecoderState *state = ((struct decoder *)given)->state;
    const uint8_t *input = (const uint8_t *)step->input;
    uint8_t *output = (uint8_t *)step->output;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(state, &step->input_len, &input,
                                                               &step->output_len, &output, NULL);
    step->input = (const char *)input;
    step->output = (char *)output;
    if (result == BROTLI_DECODER_RESULT_SUCCESS)
        return 0;
    if (result != BROTLI_DECODER_RESULT_ERROR)
        return SVC_EAGAIN;
    return is_memory(BrotliDecoderGetErrorCode(state)) ? SVC_ENOMEM : SVC_ESYNTAX;
}

static void free_decoder(void *given)
{
    struct decoder *decoder = given;
    if (decoder)
        BrotliDecoderDestroyInstance(decoder->state);
    free(decoder);
}

const svc_sys_coding svc__compress_brotli = {.size = sizeof(svc_sys_coding),
                                             .name = "br",
                                             .rank = RANK,
                                             .level_least = 1,
                                             .level_most = BROTLI_MAX_QUALITY,
                                             .level = LEVEL,
                                             .level_busy = 1,
                                             .encoder_new = make_encoder,
                                             .encoder_reset = reset_encoder,
                                             .encode = encode,
                                             .encoder_free = free_encoder,
                                             .decoder_new = make_decoder,
                                             .decoder_reset = reset_decoder,
                                             .decode = decode_brotli,
                                             .decoder_free = free_decoder};
