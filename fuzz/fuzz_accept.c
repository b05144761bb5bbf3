/* What a client accepts: Accept, Accept-Language and Accept-Encoding. The first byte is the kind,
 * the first line an offer, and the rest the field. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/accept.h"

static struct fields read_field(struct field *field, enum accept_kind kind, struct bytes value)
{
    struct fields fields;
    *field = (struct field){svc__field_name_text(svc__accept_field(kind)), value};
    svc__fields_read(&fields, field, 1);
    return fields;
}

/* Whatever a field holds, each offer has a weight, and the chosen one the highest. */
static void check_choice(const struct fields *fields, enum accept_kind kind, const char *offer)
{
    static const char *const others[ACCEPT_KINDS][2] = {
        {"application/json", "text/html;level=1"}, {"en", "de-CH"}, {"gzip", "identity"}};
    const char *const list[] = {others[kind][0], offer, others[kind][1], NULL};
    int chosen = svc__accept_choose(fields, kind, list);
    unsigned highest = 0;
    REQUIRE(chosen == SVC_ENOTFOUND || (chosen >= 0 && chosen < 3));
    for (int i = 0; i < 3; i++) {
        unsigned weight = svc__accept_weight(fields, kind, svc__bytes_z(list[i]));
        REQUIRE(weight <= 1000);
        REQUIRE(weight <= highest || i <= chosen);
        highest = weight > highest ? weight : highest;
    }
    REQUIRE((chosen == SVC_ENOTFOUND) == (highest == 0));
    REQUIRE(highest == 0 ||
            svc__accept_weight(fields, kind, svc__bytes_z(list[chosen])) == highest);
}

/* A valid offer is acceptable to a client that sends it as its field, and is chosen before others.
 */
static void check_own(enum accept_kind kind, struct bytes offer)
{
    struct field field;
    struct fields fields = read_field(&field, kind, offer);
    if (!svc__accept_offer_valid(kind, offer))
        return;
    REQUIRE(!svc__accept_malformed(&fields, kind));
    REQUIRE(svc__accept_weight(&fields, kind, offer) == 1000);
}

/* Fields that are malformed as a whole say nothing: all types and languages are acceptable then. */
static void check_malformed(const struct fields *fields, enum accept_kind kind)
{
    static const char *const offers[ACCEPT_KINDS] = {"a/b", "xx", "identity"};
    if (svc__accept_malformed(fields, kind))
        REQUIRE(svc__accept_weight(fields, kind, svc__bytes_z(offers[kind])) == 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    enum accept_kind kind = (enum accept_kind)(data[0] % ACCEPT_KINDS);
    struct bytes rest = fuzz_input(data + 1, size - 1);
    struct bytes first = svc__bytes_cut(&rest, '\n');
    char *offer = fuzz_alloc(first.len + 1);
    if (first.len > 0)
        memcpy(offer, first.data, first.len);
    offer[first.len] = '\0';
    struct field field;
    struct fields fields = read_field(&field, kind, rest.data ? rest : svc__bytes("", 0));
    check_choice(&fields, kind, offer);
    check_own(kind, svc__bytes_z(offer));
    check_malformed(&fields, kind);
    free(offer);
    return 0;
}
