#include <criterion/criterion.h>

#include "libsvc/proto/accept_language.h"
#include "tests/unit/proto/vectors.h"

static unsigned weight(const char *first, const char *second, const char *tag)
{
    const struct field list[] = {{svc__bytes_z("accept-LANGUAGE"), svc__bytes_z(first)},
                                 {svc__bytes_z("Accept"), svc__bytes_z("xx")},
                                 {svc__bytes_z("Accept-Language"), svc__bytes_z(second)}};
    struct fields fields;
    svc__fields_read(&fields, list, second ? 3 : first ? 1 : 0);
    return svc__accept_language_weight(&fields, svc__bytes_z(tag));
}

Test(proto_accept_language, weights_follow_the_rfcs)
{
    static const struct {
        const char *accept, *tag;
        unsigned weight;
    } rows[] = {
        /* the example of RFC 9110 12.5.4 */
        {"da, en-gb;q=0.8, en;q=0.7", "da", 1000},
        {"da, en-gb;q=0.8, en;q=0.7", "en-GB", 800},
        {"da, en-gb;q=0.8, en;q=0.7", "en-US", 700},
        {"da, en-gb;q=0.8, en;q=0.7", "en", 700},
        {"da, en-gb;q=0.8, en;q=0.7", "fr", 0},
        /* the example of filtering, RFC 4647 3.3.1 */
        {"de-de", "de-DE-1996", 1000},
        {"de-de", "de-Deva", 0},
        {"de-de", "de-Latn-DE", 0},
        /* the example of lookup, RFC 4647 3.4 */
        {"zh-Hant-CN-x-private1-private2", "zh-Hant-CN-x-private1", 1000},
        {"zh-Hant-CN-x-private1-private2", "zh-Hant-CN", 1000},
        {"zh-Hant-CN-x-private1-private2", "zh-Hant", 1000},
        {"zh-Hant-CN-x-private1-private2", "zh", 1000},
        {"zh-Hant-CN-x-private1-private2", "zh-Hans", 0},
        /* the longest range decides, wherever it stands */
        {"en;q=0.9, en-GB;q=0.1, *;q=0.5", "en-GB", 100},
        {"en-GB;q=0.1, *;q=0.5, en;q=0.9", "en-GB-oed", 100},
        {"*;q=0.5, en;q=0.9", "en-AU", 900},
        {"*;q=0.5, en;q=0.9", "de", 500},
        {"en;q=0, *", "en-GB", 0},
        {"en;q=0, *", "de", 1000},
        {"*;q=0, de;q=0.2", "de-AT", 200},
        {"*;q=0, de;q=0.2", "fr", 0},
        /* of equal ones the highest weight */
        {"de;q=0.2, DE;q=0.6", "de", 600},
        {"de-CH;q=0.3, de-AT;q=0.4", "de", 400},
        /* a range that only lookup finds comes before "*", and excludes nothing but itself */
        {"en-US, *;q=0.1", "en", 1000},
        {"en-US;q=0, *;q=0.1", "en", 100},
        {"en-US;q=0", "en", 0},
        {"en-US, en;q=0.5", "en", 500},
        /* a part of a subtag is no match */
        {"en", "eng", 0},
        {"eng", "en", 0},
        {"en-", "en", 1000},
        /* what is malformed is skipped; nothing well-formed says nothing */
        {"en;q=2, de", "en", 0},
        {"en_US, de", "en", 0},
        {"toolongtag, de", "de", 1000},
        {"1a, de;q=0.1", "de", 100},
        {"-, ,;q=1", "de", 1000},
        {"", "de", 1000},
        {NULL, "de", 1000},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(weight(rows[i].accept, NULL, rows[i].tag), rows[i].weight, "%s for %s: %u",
                     rows[i].tag, rows[i].accept, weight(rows[i].accept, NULL, rows[i].tag));
}

Test(proto_accept_language, several_fields_are_one_list)
{
    cr_expect_eq(weight("en;q=0.9", "en-GB;q=0.3", "en-GB"), 300);
    cr_expect_eq(weight("fr", "de;q=0.2", "de"), 200);
}

Test(proto_accept_language, tags_are_subtags_with_hyphens)
{
    static const char *const good[] = {"en",         "en-GB",     "de-CH-1996",
                                       "zh-Hant-CN", "i-klingon", "abcdefgh-12345678"};
    static const char *const bad[] = {"",   "*",  "*-CH",      "en-",          "-en",   "en--gb",
                                      "1n", "e1", "abcdefghi", "en-123456789", "en gb", "en_GB"};
    for (size_t i = 0; i < ROWS(good); i++)
        cr_expect(svc__accept_language_valid(svc__bytes_z(good[i])), "%s", good[i]);
    for (size_t i = 0; i < ROWS(bad); i++)
        cr_expect_not(svc__accept_language_valid(svc__bytes_z(bad[i])), "%s", bad[i]);
}
