/* Patterns of paths, and names with a hash. */
#include <criterion/criterion.h>

#include "libsvc/files/file_rule.h"

Test(files_file_rule, the_first_that_matches_applies)
{
    const svc_cache_policy a = SVC_CACHE_POLICY_INIT, b = SVC_CACHE_POLICY_INIT;
    const svc_file_rule rules[] = {
        {"*.js", true, &a}, {"assets/*", false, &b}, {NULL, false, NULL}};
    cr_expect_eq(svc__file_rule_find(rules, "app.3f2a9c1e.js"), &a);
    cr_expect_eq(svc__file_rule_find(rules, "assets/deep/app.3f2a9c1e.js"), &a);
    cr_expect_eq(svc__file_rule_find(rules, "assets/deep/app.js"), &b);
    cr_expect_null(svc__file_rule_find(rules, "app.js"));
    cr_expect_null(svc__file_rule_find(NULL, "app.js"));
}

Test(files_file_rule, a_hash_is_neither_a_date_nor_a_word)
{
    static const char *const hashed[] = {"app.3f2a9c1e.js", "index-BfF3x9aZ.css",
                                         "a_0123456789abcdef.js", "dir/main.8C2D4B0F.chunk.js",
                                         "logo-f00dcafe1.svg"};
    static const char *const plain[] = {"app.js",
                                        "report-20240131.pdf",
                                        "my-component.js",
                                        "3f2a9c1e.js",
                                        "annual-report2024.pdf",
                                        "a.deadbeef.js",
                                        "a.3f2a9c1.js",
                                        "app.3f2a9c1e/index.html",
                                        "v-1.2.3-beta.js",
                                        "",
                                        "a-ABCDEFGH.js",
                                        "a.3f2a9c1\xc3\xa4.js"};
    for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++)
        cr_expect(svc__file_rule_hashed(hashed[i]), "%s", hashed[i]);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        cr_expect(!svc__file_rule_hashed(plain[i]), "%s", plain[i]);
}
