/* Media types and Accept fields. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/token.h"

static void check_type(struct bytes text)
{
    struct media media = {.type = {NULL, 0}};
    struct bytes value, charset = svc__bytes_z("CharSet");
    if (svc__media_parse(text, &media) != 0) {
        REQUIRE(media.type.data == NULL && !svc__media_is_json(text));
        return;
    }
    REQUIRE(svc__token_valid(media.type) && svc__token_valid(media.subtype));
    REQUIRE(media.subtype.data == media.type.data + media.type.len + 1);
    REQUIRE(media.params.data == media.subtype.data + media.subtype.len);
    REQUIRE(fuzz_inside(media.type, text) && fuzz_inside(media.params, text));
    if (svc__media_param(&media, charset, &value) == 0) {
        REQUIRE(fuzz_inside(value, media.params) && svc__token_value_valid(value));
        REQUIRE(!svc__media_is_json(text) || svc__bytes_eq_nocase(value, svc__bytes_z("utf-8")));
    }
}

static unsigned accept_json(struct bytes text)
{
    unsigned weight = svc__media_accept(text, "application", "json");
    const struct field list[] = {{{"accept", 6}, text}, {{"x", 1}, text}};
    struct fields fields;
    svc__fields_read(&fields, list, 2);
    REQUIRE(weight <= 1000);
    REQUIRE(svc__media_accept_fields(&fields, "application", "json") == weight);
    REQUIRE(svc__media_accepts_json(&fields) || weight == 0);
    struct media_answer version =
        svc__media_accept_version(&fields, "application", "json", ";version=1");
    REQUIRE(version.weight <= 1000);
    return weight;
}

/* No part of either field is case-sensitive. */
static void check_case(struct bytes text)
{
    char *copy = fuzz_alloc(text.len);
    struct bytes lower = {copy, text.len};
    for (size_t i = 0; i < text.len; i++)
        copy[i] = svc__bytes_lower(text.data[i]);
    REQUIRE(svc__media_is_json(lower) == svc__media_is_json(text));
    REQUIRE(accept_json(lower) == accept_json(text));
    free(copy);
}

/* An exact range in front of the list is heard, whatever follows it. */
static void check_first(struct bytes text)
{
    static const char first[] = "application/json;q=0.5,";
    char *copy = fuzz_alloc(sizeof first - 1 + text.len);
    struct bytes longer = {copy, sizeof first - 1 + text.len};
    memcpy(copy, first, sizeof first - 1);
    if (text.len > 0)
        memcpy(copy + sizeof first - 1, text.data, text.len);
    REQUIRE(accept_json(longer) >= 500);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    check_type(text);
    check_case(text);
    check_first(text);
    return 0;
}
