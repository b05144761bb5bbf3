/* What a request's path says about a file. */
#include <criterion/criterion.h>

#include "libsvc/files/file_path.h"

static void expect_path(const char *raw, const char *path, bool folder)
{
    char out[128];
    bool is_folder;
    cr_assert(svc__file_path_read(svc__bytes_z(raw), out, &is_folder), "%s", raw);
    cr_expect_str_eq(out, path, "%s: %s", raw, out);
    cr_expect_eq(is_folder, folder, "%s", raw);
}

Test(files_file_path, is_decoded_part_by_part)
{
    expect_path("", "", true);
    expect_path("a", "a", false);
    expect_path("a/", "a", true);
    expect_path("a/b.txt", "a/b.txt", false);
    expect_path("a%20b/c%41", "a b/cA", false);
    expect_path("%e4/%C3%A4", "\xe4/\xc3\xa4", false);
    expect_path("a%252fb", "a%2fb", false); /* decoded once */
    expect_path("a..b/c..", "a..b/c..", false);
    expect_path(".well-known/a", ".well-known/a", false);
    expect_path(".well-known/", ".well-known", true);
}

Test(files_file_path, of_nothing_that_may_be_served_is_refused)
{
    static const char *const paths[] = {"/",
                                        "//",
                                        "/a",
                                        "a//b",
                                        "a//",
                                        ".",
                                        "..",
                                        "../a",
                                        "a/..",
                                        "a/../b",
                                        "%2e%2e",
                                        "%2e",
                                        "..%2fa",
                                        "a%2fb",
                                        "%2F",
                                        "a%5Cb",
                                        "a\\b",
                                        "a%00",
                                        ".a",
                                        "a/.b",
                                        "%2ea",
                                        "...",
                                        ".a/",
                                        "a/.well-known/b",
                                        "a/./b",
                                        ".well-known%2f..",
                                        ".well-known/.a",
                                        "a%2f",
                                        "%5c"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char out[128];
        bool folder;
        cr_expect(!svc__file_path_read(svc__bytes_z(paths[i]), out, &folder), "%s", paths[i]);
    }
}

Test(files_file_path, is_escaped_for_a_reference)
{
    struct buf out;
    svc__buf_init(&out, 256);
    svc__file_path_escape(&out, svc__bytes_z("a/b c?d#e%f:g&h'\"<\xff~.-_"), false);
    svc__buf_terminate(&out);
    cr_expect_str_eq(out.data, "a%2Fb%20c%3Fd%23e%25f%3Ag%26h%27%22%3C%FF~.-_");
    svc__buf_clear(&out);
    svc__file_path_escape(&out, svc__bytes_z("a/b c"), true);
    svc__buf_terminate(&out);
    cr_expect_str_eq(out.data, "a/b%20c");
    svc__buf_free(&out);
}
