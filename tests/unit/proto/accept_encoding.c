#include <criterion/criterion.h>

#include "libsvc/proto/accept_encoding.h"
#include "tests/unit/proto/vectors.h"

/* The weights of three codings by one request's fields; NULL: no such field. */
static const struct {
    const char *first, *second;
    unsigned gzip, br, identity;
} rows[] = {
    {NULL, NULL, 0, 0, 1000},
    {"", NULL, 0, 0, 1000},
    {" , ,", NULL, 0, 0, 1000},
    {"gzip", NULL, 1000, 0, 1},
    {"GZip;Q=0.5", NULL, 500, 0, 1},
    {"x-gzip", NULL, 1000, 0, 1},
    {"x-br", NULL, 0, 0, 1},
    {"compress, gzip", NULL, 1000, 0, 1},
    {"gzip, deflate, br, zstd", NULL, 1000, 1000, 1},
    {"*", NULL, 1000, 1000, 1000},
    {"compress;q=0.5, gzip;q=1.0", NULL, 1000, 0, 1},
    {"gzip;q=1.0, identity; q=0.5, *;q=0", NULL, 1000, 0, 500},
    {"gzip;q=0, *", NULL, 0, 1000, 1000},
    {"gzip;q=0", NULL, 0, 0, 1},
    {"identity;q=0", NULL, 0, 0, 0},
    {"*;q=0", NULL, 0, 0, 0},
    {"*;q=0, identity", NULL, 0, 0, 1000},
    {"gzip;q=0.8", "br;q=0.801", 800, 801, 1},
    {"gzip;q=0.2", "gzip \t;\tq=0.7", 700, 0, 1},
    {"gzip", "*;q=0", 1000, 0, 0},
    /* what is malformed is skipped, and the rest counts */
    {"gzip;q=1.5", NULL, 0, 0, 1000},
    {"gzip;q=, br", NULL, 0, 1000, 1},
    {"gzip;x=1, br;q=0.001", NULL, 0, 1, 1},
    {"g zip, \"br\", gzip;q=0.1;q=1", NULL, 0, 0, 1000},
    {"gzip;q=-1, gzip;q=0.3", NULL, 300, 0, 1},
};

static unsigned weight(const struct field *list, size_t count, const char *coding)
{
    struct fields fields;
    svc__fields_read(&fields, list, count);
    return svc__accept_encoding_weight(&fields, svc__bytes_z(coding));
}

Test(proto_accept_encoding, weights_follow_the_rfc)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct field fields[] = {
            {svc__bytes_z("Accept"), svc__bytes_z("br")},
            {svc__bytes_z("ACCEPT-encoding"), svc__bytes_z(rows[i].first)},
            {svc__bytes_z("accept-encoding"), svc__bytes_z(rows[i].second)},
        };
        size_t count = rows[i].second ? 3 : rows[i].first ? 2 : 1;
        cr_expect_eq(weight(fields, count, "gzip"), rows[i].gzip, "gzip in row %zu", i);
        cr_expect_eq(weight(fields, count, "Br"), rows[i].br, "br in row %zu", i);
        cr_expect_eq(weight(fields, count, "identity"), rows[i].identity, "identity in row %zu", i);
    }
}

Test(proto_accept_encoding, what_is_no_coding_is_not_wanted)
{
    const struct field field = {svc__bytes_z("Accept-Encoding"), svc__bytes_z("gzip")};
    cr_expect_eq(weight(&field, 1, ""), 0);
    cr_expect_eq(weight(&field, 1, "gzip,"), 0);
    cr_expect_eq(weight(&field, 1, "X-Gzip"), 1000);
}
