#include <criterion/criterion.h>

#include "libsvc/proto/accept_element.h"
#include "tests/unit/proto/vectors.h"

Test(proto_accept_element, a_name_has_a_weight)
{
    static const struct {
        const char *text, *name;
        unsigned weight;
    } rows[] = {
        {"gzip", "gzip", 1000},
        {"gzip;q=0.5", "gzip", 500},
        {" gzip\t; Q=0.001", "gzip", 1},
        {"de-CH;q=1.000", "de-CH", 1000},
        {"*;q=0", "*", 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct accept_element element;
        cr_assert(svc__accept_element_read(svc__bytes_z(rows[i].text), &element), "%s",
                  rows[i].text);
        cr_expect(svc__bytes_eq_z(element.name, rows[i].name), "%s", rows[i].text);
        cr_expect_eq(element.weight, rows[i].weight, "%s", rows[i].text);
    }
}

Test(proto_accept_element, malformed_text_is_refused)
{
    static const char *const rows[] = {
        "",        ";q=1",      "a b",       "gzip;",    "gzip;q",
        "gzip;q=", "gzip;q=2",  "gzip;x=1",  "gzip; =1", "gzip;q=0.5;q=1",
        "\"a\"",   "gzip;q= 1", "gzip;q=-0", "g,z"};
    struct accept_element element = {{"as it was", 9}, 7};
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_not(svc__accept_element_read(svc__bytes_z(rows[i]), &element), "%s", rows[i]);
    cr_expect(element.name.len == 9 && element.weight == 7, "it is written only on success");
}
