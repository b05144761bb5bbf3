#include "libsvc/coding/compressible.h"

#include <criterion/criterion.h>

Test(coding_compressible, formats_of_text_shrink_and_compressed_ones_do_not)
{
    static const char *const shrink[] = {
        "text/html",        "text/plain; charset=utf-8",
        "TEXT/CSS",         "text/event-stream",
        "application/json", "application/problem+json",
        "image/svg+xml",    "application/wasm",
        "font/ttf",         "application/vnd.api+json",
        "application/xml",  "model/gltf+json",
        "application/yaml", "application/openmetrics-text; version=1.0.0",
        " text/csv "};
    static const char *const stay[] = {"image/png",
                                       "image/jpeg",
                                       "image/webp",
                                       "video/mp4",
                                       "audio/ogg",
                                       "font/woff2",
                                       "font/woff",
                                       "application/zip",
                                       "application/pdf",
                                       "application/gzip",
                                       "",
                                       "text",
                                       "text/",
                                       "text /html",
                                       "application/octet-stream",
                                       "json",
                                       "a/+json"};
    for (size_t i = 0; i < sizeof shrink / sizeof *shrink; i++)
        cr_expect(svc__compressible_known(svc__bytes_z(shrink[i])), "%s", shrink[i]);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        cr_expect_not(svc__compressible_known(svc__bytes_z(stay[i])), "%s", stay[i]);
}

Test(coding_compressible, a_list_adds_types)
{
    struct bytes list = svc__bytes_z("application/x-ours, model/* ,image/PNG");
    cr_assert(svc__compressible_list_valid(list));
    cr_expect(svc__compressible_listed(svc__bytes_z("application/x-ours; a=b"), list));
    cr_expect(svc__compressible_listed(svc__bytes_z("Model/obj"), list));
    cr_expect(svc__compressible_listed(svc__bytes_z("image/png"), list));
    cr_expect_not(svc__compressible_listed(svc__bytes_z("image/jpeg"), list));
    cr_expect_not(svc__compressible_listed(svc__bytes_z("model"), list));
    cr_expect_not(svc__compressible_listed(svc__bytes_z("image/png"), svc__bytes_z(NULL)));
}

Test(coding_compressible, a_malformed_list_is_none)
{
    static const char *const bad[] = {
        "",       "text",       "text/",          "/html",         "*/*",
        "*/html", "text/html,", "text/html,,a/b", "text/html;q=1", "a b/c"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(svc__compressible_list_valid(svc__bytes_z(bad[i])), "%s", bad[i]);
}
