#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>
#include <svc/response.h>

#include "libsvc/coding/coding_zlib.h"
#include "tests/support/coding_checks.h"

#ifdef HAVE_ZLIB

#include <zlib.h>

static const svc_sys_coding *const gzip = &svc__coding_zlib[0];
static const svc_sys_coding *const deflate_coding = &svc__coding_zlib[1];

/* What zlib's own reader makes of coded data; -1 if it is not whole. */
static long read_by_zlib(const char *coded, size_t len, int window, char *out, size_t room)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)coded,
                       .avail_in = (uInt)len,
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)room};
    cr_assert_eq(inflateInit2(&stream, window), Z_OK);
    int state = inflate(&stream, Z_FINISH);
    bool whole = state == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return whole ? (long)stream.total_out : -1;
}

Test(coding_zlib, a_reader_of_the_standard_reads_it_whatever_the_pieces)
{
    static char text[TEXT], coded[TEXT * 3], read[TEXT];
    fill_text(text, sizeof text);
    for (int light = 0; light < 2; light++) {
        for (size_t piece = 1; piece <= TEXT; piece = piece * 7 + 1) {
            size_t len = encode_all(gzip, light, text, sizeof text, piece, coded, sizeof coded);
            cr_expect_lt(len, sizeof text / 2);
            cr_expect_eq(read_by_zlib(coded, len, 15 + 16, read, sizeof read), (long)sizeof read);
            cr_expect_eq(memcmp(read, text, sizeof text), 0);
            len = encode_all(deflate_coding, light, text, sizeof text, piece, coded, sizeof coded);
            cr_expect_eq(read_by_zlib(coded, len, 15, read, sizeof read), (long)sizeof read);
            cr_expect_eq(memcmp(read, text, sizeof text), 0);
        }
    }
}

Test(coding_zlib, both_directions_meet)
{
    expect_round_trips(gzip);
    expect_round_trips(deflate_coding);
}

Test(coding_zlib, a_flush_shows_all_that_came_before_it)
{
    expect_flushes(gzip);
    expect_flushes(deflate_coding);
}

Test(coding_zlib, a_context_serves_again_at_any_level_from_wherever_it_was)
{
    expect_resets(gzip);
    expect_resets(deflate_coding);
}

Test(coding_zlib, data_that_is_cut_is_not_whole_and_changed_data_is_malformed)
{
    expect_cuts_and_changes(gzip);
    expect_cuts_and_changes(deflate_coding);
}

Test(coding_zlib, input_behind_the_end_is_left)
{
    expect_rest_is_left(gzip);
    expect_rest_is_left(deflate_coding);
}

Test(coding_zlib, deflate_reads_bare_data_too)
{
    static char text[TEXT], coded[TEXT * 3], read[TEXT];
    fill_text(text, sizeof text);
    for (int level = 0; level <= 9; level++) {
        z_stream stream = {.next_in = (Bytef *)text,
                           .avail_in = sizeof text,
                           .next_out = (Bytef *)coded,
                           .avail_out = sizeof coded};
        cr_assert_eq(deflateInit2(&stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
        deflateEnd(&stream);
        struct decoded decoded =
            decode_all(deflate_coding, coded, stream.total_out, 11, read, TEXT);
        cr_expect_eq(decoded.result, 0);
        cr_expect_eq(decoded.len, sizeof text);
        cr_expect_eq(memcmp(read, text, sizeof text), 0);
    }
}

Test(coding_zlib, a_dictionary_is_refused)
{
    char read[16];
    static const char preset[] = "\x78\xbb\0\0\0\1\3\0\0\0\0\1";
    cr_expect_eq(decode_all(deflate_coding, preset, sizeof preset - 1, 1, read, 16).result,
                 SVC_ESYNTAX);
}

#else

Test(coding_zlib, a_build_without_zlib_has_no_coding)
{
    cr_expect_eq(svc__coding_zlib_count, 0);
}

#endif
