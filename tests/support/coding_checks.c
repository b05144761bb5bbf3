#include "tests/support/coding_checks.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <svc/response.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void fill_text(char *text, size_t len)
{
    unsigned state = 1;
    for (size_t i = 0; i < len; i++) {
        state = state * 1103515245 + 12345;
        text[i] = i % 16 < 12 ? "{\"name\":\"a\" "[i % 16] : (char)('0' + (state >> 16) % 40);
    }
}

static const char *left(const svc_sys_coding_step *step)
{
    return step->input;
}

/* Runs one piece to `until`, with room that comes by few bytes for small pieces. */
static void run_piece(const svc_sys_coding *coding, void *encoder, svc_sys_coding_step *step,
                      int until, size_t piece, const char *end)
{
    int result;
    do {
        step->output_len = piece < SVC_SYS_CODING_ROOM ? SVC_SYS_CODING_ROOM : piece;
        cr_assert_leq(step->output_len, (size_t)(end - step->output), "the coded data is too long");
        const char *before = left(step), *at = step->output;
        result = coding->encode(encoder, step, until);
        cr_assert(result == 0 || (result == SVC_EAGAIN && step->output_len == 0), "%d", result);
        cr_assert(result == 0 || before != left(step) || at != step->output, "no progress");
    } while (result);
    cr_assert_eq(step->input_len, 0);
}

static size_t encode_with(const svc_sys_coding *coding, void *encoder, const char *text, size_t len,
                          size_t piece, char *coded, size_t room)
{
    svc_sys_coding_step step = {.size = sizeof step, .input = text, .output = coded};
    for (size_t at = 0; at < len; at += piece) {
        step.input = text + at;
        step.input_len = least(piece, len - at);
        run_piece(coding, encoder, &step, SVC_SYS_CODING_INPUT, piece, coded + room);
    }
    run_piece(coding, encoder, &step, SVC_SYS_CODING_END, piece, coded + room);
    return (size_t)(step.output - coded);
}

static void *make_encoder(const svc_sys_coding *coding, int light, int level)
{
    void *encoder = NULL;
    svc_sys_coding_aim aim = {
        .size = sizeof aim, .level = level, .light = light, .length = SVC_LENGTH_UNKNOWN};
    cr_assert_eq(coding->encoder_new(&aim, &encoder), 0);
    return encoder;
}

size_t encode_all(const svc_sys_coding *coding, int light, const char *text, size_t len,
                  size_t piece, char *coded, size_t room)
{
    void *encoder = make_encoder(coding, light, coding->level);
    size_t n = encode_with(coding, encoder, text, len, piece, coded, room);
    coding->encoder_free(encoder);
    return n;
}

static struct decoded decode_with(const svc_sys_coding *coding, void *decoder, const char *coded,
                                  size_t len, size_t piece, char *text, size_t room)
{
    svc_sys_coding_step step = {.size = sizeof step, .input = coded, .output = text};
    const char *end = coded + len;
    int result = SVC_EAGAIN;
    bool moves = true;
    while (result == SVC_EAGAIN && (moves || step.input < end)) {
        const char *before = step.input, *at = step.output;
        step.input_len = least(piece, (size_t)(end - step.input));
        step.output_len = least(piece, room - (size_t)(step.output - text));
        if (step.output_len == 0)
            break; /* more than there is room for */
        result = coding->decode(decoder, &step);
        moves = step.input != before || step.output != at;
        cr_assert(moves || result != SVC_EAGAIN || before == end, "no progress");
    }
    return (struct decoded){result, (size_t)(step.output - text), (size_t)(end - step.input)};
}

struct decoded decode_all(const svc_sys_coding *coding, const char *coded, size_t len, size_t piece,
                          char *text, size_t room)
{
    void *decoder = NULL;
    cr_assert_eq(coding->decoder_new(&decoder), 0);
    struct decoded decoded = decode_with(coding, decoder, coded, len, piece, text, room);
    coding->decoder_free(decoder);
    return decoded;
}

static void expect_text(struct decoded decoded, const char *read, const char *text, size_t len)
{
    cr_expect_eq(decoded.result, 0);
    cr_expect_eq(decoded.left, 0);
    cr_assert_eq(decoded.len, len);
    cr_expect(len == 0 || memcmp(read, text, len) == 0);
}

void expect_round_trips(const svc_sys_coding *coding)
{
    static char text[TEXT], coded[TEXT * 3], read[TEXT + 1];
    fill_text(text, TEXT);
    for (size_t len = 0; len <= TEXT; len = len * 10 + (len == 0)) {
        for (size_t piece = 1; piece <= TEXT; piece = piece * 9 + 1) {
            size_t n = encode_all(coding, 0, text, len, piece, coded, sizeof coded);
            for (size_t by = 1; by <= TEXT; by = by * 13 + 1)
                expect_text(decode_all(coding, coded, n, by, read, len + 1), read, text, len);
        }
    }
}

/* Feeds what is new to one decoder, and returns what it has made of it. */
static size_t read_on(const svc_sys_coding *coding, void *decoder, const char *from, size_t len,
                      char *out, size_t room)
{
    struct decoded decoded = decode_with(coding, decoder, from, len, 100, out, room);
    cr_assert_eq(decoded.result, SVC_EAGAIN);
    cr_assert_eq(decoded.left, 0);
    return decoded.len;
}

void expect_flushes(const svc_sys_coding *coding)
{
    static char coded[4096], read[4096];
    for (int light = 0; light < 2; light++) {
        void *encoder = make_encoder(coding, light, coding->level), *decoder = NULL;
        cr_assert_eq(coding->decoder_new(&decoder), 0);
        svc_sys_coding_step step = {.size = sizeof step, .output = coded};
        for (int i = 0; i < 5; i++) {
            char event[40], *at = step.output;
            size_t len = (size_t)snprintf(event, sizeof event, "event: %d\ndata: a\n\n", i);
            step.input = event;
            step.input_len = len;
            run_piece(coding, encoder, &step, SVC_SYS_CODING_FLUSH, 3, coded + sizeof coded);
            size_t n = read_on(coding, decoder, at, (size_t)(step.output - at), read, sizeof read);
            cr_expect_eq(n, len);
            cr_expect_eq(memcmp(read, event, len), 0);
            at = step.output; /* A second flush has nothing to show. */
            run_piece(coding, encoder, &step, SVC_SYS_CODING_FLUSH, 100, coded + sizeof coded);
            read_on(coding, decoder, at, (size_t)(step.output - at), read, sizeof read);
        }
        coding->encoder_free(encoder);
        coding->decoder_free(decoder);
    }
}

void expect_resets(const svc_sys_coding *coding)
{
    static char text[TEXT], coded[TEXT * 3], read[TEXT + 1];
    void *encoder = make_encoder(coding, 0, coding->level), *decoder = NULL;
    cr_assert_eq(coding->decoder_new(&decoder), 0);
    fill_text(text, TEXT);
    for (int level = coding->level_least; level <= coding->level_most; level++) {
        svc_sys_coding_aim aim = {.size = sizeof aim, .level = level, .length = TEXT};
        svc_sys_coding_step step = {.size = sizeof step,
                                    .input = text,
                                    .input_len = 5000,
                                    .output = coded,
                                    .output_len = SVC_SYS_CODING_ROOM};
        int result = coding->encode(encoder, &step, SVC_SYS_CODING_FLUSH);
        cr_expect(result == 0 || result == SVC_EAGAIN); /* left wherever it is */
        cr_assert_eq(coding->encoder_reset(encoder, &aim), 0);
        size_t n = encode_with(coding, encoder, text, TEXT, 4096, coded, sizeof coded);
        decode_with(coding, decoder, coded, n / 3, 1000, read, TEXT + 1);
        cr_assert_eq(coding->decoder_reset(decoder), 0);
        expect_text(decode_with(coding, decoder, coded, n, 1000, read, TEXT + 1), read, text, TEXT);
        cr_assert_eq(coding->decoder_reset(decoder), 0);
        cr_assert_eq(coding->encoder_reset(encoder, &aim), 0);
    }
    coding->encoder_free(encoder);
    coding->decoder_free(decoder);
}

void expect_cuts_and_changes(const svc_sys_coding *coding)
{
    static char text[300], coded[2000], read[4096];
    fill_text(text, sizeof text);
    size_t n = encode_all(coding, 0, text, sizeof text, 100, coded, sizeof coded), noticed = 0;
    for (size_t cut = 0; cut < n; cut++)
        cr_expect_eq(decode_all(coding, coded, cut, 7, read, sizeof read).result, SVC_EAGAIN);
    for (size_t at = 0; at < n; at++) {
        coded[at] ^= 0x55;
        struct decoded decoded = decode_all(coding, coded, n, 7, read, sizeof read);
        bool same = decoded.result == 0 && decoded.len == sizeof text &&
                    memcmp(read, text, sizeof text) == 0;
        noticed += !same;
        coded[at] ^= 0x55;
    }
    cr_expect_geq(noticed, n - 8, "%zu of %zu", noticed, n); /* a frame has bytes of no meaning */
}

void expect_rest_is_left(const svc_sys_coding *coding)
{
    static char text[300], coded[2000], read[4096];
    fill_text(text, sizeof text);
    size_t n = encode_all(coding, 0, text, sizeof text, 100, coded, sizeof coded);
    memcpy(coded + n, "rest", 4);
    for (size_t piece = 1; piece < n + 10; piece += 3) {
        struct decoded decoded = decode_all(coding, coded, n + 4, piece, read, sizeof read);
        cr_expect_eq(decoded.result, 0);
        cr_expect_eq(decoded.len, sizeof text);
        cr_expect_eq(decoded.left, 4);
    }
}
