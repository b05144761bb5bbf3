/* Media types by suffix. */
#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/files/file_type.h"
#include "libsvc/files/media_table.h"

Test(files_file_type, is_found_by_the_last_suffix)
{
    static const struct {
        const char *path, *type;
    } rows[] = {
        {"a.html", "text/html"},
        {"a.HTM", "text/html"},
        {"b/a.tar.gz", "application/gzip"},
        {"a.svg", "image/svg+xml"},
        {"a.js", "text/javascript"},
        {"a.wasm", "application/wasm"},
        {"a.woff2", "font/woff2"},
        {"a.json", "application/json"},
        {"a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {"a.png", "image/png"},
        {"a.mp4", "video/mp4"},
        {"a", NULL},
        {"a.html/b", NULL},
        {"a.", NULL},
        {"a.none", NULL},
        {"", NULL},
        {"a.averyveryverylongsuffix", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *type = svc__file_type_find(NULL, rows[i].path);
        cr_expect(rows[i].type ? type && !strcmp(type, rows[i].type) : !type, "%s: %s",
                  rows[i].path, type ? type : "none");
    }
}

Test(files_file_type, of_the_program_goes_first)
{
    const svc_file_type types[] = {{"HTML", "text/x-own"}, {"own", "text/x-own"}, {NULL, NULL}};
    cr_expect_str_eq(svc__file_type_find(types, "a.html"), "text/x-own");
    cr_expect_str_eq(svc__file_type_find(types, "a.OWN"), "text/x-own");
    cr_expect_str_eq(svc__file_type_find(types, "a.css"), "text/css");
}

Test(files_file_type, is_in_a_table_in_order)
{
    for (size_t i = 0; i < MEDIA_TABLE_SIZE; i++) {
        const struct media_row *row = &svc__media_table[i];
        cr_expect(i == 0 || strcmp(row[-1].suffix, row->suffix) < 0, "%s", row->suffix);
        cr_expect_leq(strlen(row->suffix), MEDIA_SUFFIX_MAX, "%s", row->suffix);
        cr_expect(strchr(row->type, '/'), "%s", row->suffix);
    }
}
