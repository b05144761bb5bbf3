/* zstd and br in both directions, by the seam, whatever the pieces. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc/response.h>

#include "libsvc/compress/compress_brotli.h"
#include "libsvc/compress/compress_zstd.h"
#include "tests/support/coding_checks.h"

Test(codings, both_directions_meet)
{
    expect_round_trips(&svc__compress_zstd);
    expect_round_trips(&svc__compress_brotli);
}

Test(codings, a_flush_shows_all_that_came_before_it)
{
    expect_flushes(&svc__compress_zstd);
    expect_flushes(&svc__compress_brotli);
}

Test(codings, a_context_serves_again_at_any_level_from_wherever_it_was)
{
    expect_resets(&svc__compress_zstd);
    expect_resets(&svc__compress_brotli);
}

Test(codings, data_that_is_cut_is_not_whole_and_changed_data_is_malformed)
{
    expect_cuts_and_changes(&svc__compress_zstd);
    expect_cuts_and_changes(&svc__compress_brotli);
}

Test(codings, input_behind_the_end_is_left)
{
    expect_rest_is_left(&svc__compress_zstd);
    expect_rest_is_left(&svc__compress_brotli);
}

/* RFC 9659 3: a window of more than 8 MiB is none that a sender may use. */
Test(codings, zstd_refuses_a_window_that_is_too_large)
{
    char text[16];
    static const char at_most[] = {'\x28', '\xb5', '\x2f', '\xfd', 0, 13 << 3, 1, 0, 0};
    static const char over[] = {'\x28', '\xb5', '\x2f', '\xfd', 0, (13 << 3) + 1, 1, 0, 0};
    cr_expect_eq(decode_all(&svc__compress_zstd, at_most, sizeof at_most, 1, text, 16).result, 0);
    cr_expect_eq(decode_all(&svc__compress_zstd, over, sizeof over, 1, text, 16).result,
                 SVC_ETOOBIG);
}

Test(codings, text_is_none_of_them)
{
    char text[64];
    static const char plain[] = "{\"name\": \"a body that is not compressed at all\"}";
    cr_expect_eq(decode_all(&svc__compress_zstd, plain, sizeof plain - 1, 5, text, 64).result,
                 SVC_ESYNTAX);
    cr_expect_neq(decode_all(&svc__compress_brotli, plain, sizeof plain - 1, 5, text, 64).result,
                  0);
}

/* ---- Data that the command-line tools have written */

static char text[TEXT], coded[TEXT], read_back[TEXT + 1];

/* The output of a tool for the text; 0: there is no such tool. */
static size_t run_tool(const char *tool)
{
    char path[] = "/tmp/svc-codings-XXXXXX", command[128];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, TEXT), TEXT);
    close(fd);
    snprintf(command, sizeof command, "%s %s 2> /dev/null", tool, path);
    FILE *output = popen(command, "r");
    cr_assert_not_null(output);
    size_t len = fread(coded, 1, sizeof coded, output);
    int status = pclose(output);
    unlink(path);
    return status == 0 ? len : 0;
}

static void expect_tool(const char *tool, const svc_sys_coding *coding)
{
    size_t len = run_tool(tool);
    if (len == 0)
        return;
    for (size_t piece = 1; piece < TEXT; piece = piece * 11 + 1) {
        struct decoded decoded = decode_all(coding, coded, len, piece, read_back, TEXT + 1);
        cr_expect_eq(decoded.result, 0, "%s", tool);
        cr_expect_eq(decoded.left, 0);
        cr_expect_eq(decoded.len, TEXT);
        cr_expect_eq(memcmp(read_back, text, TEXT), 0);
    }
}

Test(codings, data_of_the_command_line_tools_reads_back)
{
    fill_text(text, TEXT);
    expect_tool("zstd -q -c", &svc__compress_zstd);
    expect_tool("zstd -q -c -19 --long=23", &svc__compress_zstd);
    expect_tool("zstd -q -c --no-check --fast=5", &svc__compress_zstd);
    expect_tool("brotli -c", &svc__compress_brotli);
    expect_tool("brotli -c -q 1 -w 10", &svc__compress_brotli);
    if (run_tool("zstd -q -c") == 0 || run_tool("brotli -c") == 0)
        cr_skip_test("zstd or brotli is not installed");
}
