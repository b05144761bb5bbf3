/* Entity tags and lists of them, and what conditions make of such lists. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/etag.h"
#include "libsvc/proto/precondition.h"

static void check_tag(struct bytes list, const struct etag *tag)
{
    struct bytes opaque = tag->opaque, inner = {opaque.data + 1, opaque.len - 2};
    struct etag again;
    REQUIRE(fuzz_inside(opaque, list) && opaque.len >= 2);
    REQUIRE(opaque.data[0] == '"' && opaque.data[opaque.len - 1] == '"');
    REQUIRE(svc__etag_text_valid(inner));
    REQUIRE(svc__etag_parse(opaque, &again) == 0 && !again.weak);
    REQUIRE(svc__etag_equal(&again, tag, false));
    REQUIRE(svc__etag_equal(&again, tag, true) == !tag->weak);
}

/* Walks the list; `*broken` tells whether it could not be read to its end. */
static size_t count_tags(struct bytes list, bool *broken)
{
    struct bytes rest = list;
    struct etag tag;
    size_t count = 0;
    int taken;
    for (; (taken = svc__etag_next(&rest, &tag)) > 0; count++)
        check_tag(list, &tag);
    REQUIRE(taken == 0 || taken == SVC_ESYNTAX);
    REQUIRE(taken != 0 || rest.len == 0);
    *broken = taken != 0;
    return count;
}

static enum precondition decide(enum method method, const char *name, struct bytes list,
                                const struct validators *state)
{
    struct field field = {svc__bytes_z(name), list};
    struct fields fields;
    svc__fields_read(&fields, &field, 1);
    REQUIRE(svc__precondition_any(&fields));
    return svc__precondition_evaluate(method, &fields, state);
}

static const enum method writing = METHOD_PUT;

/* For a resource whose tag is the list's first one. */
static void check_first(struct bytes list)
{
    struct bytes rest = list;
    struct validators state = {.exists = true, .modified = PRECONDITION_NO_DATE};
    if (svc__etag_next(&rest, &state.tag) <= 0)
        return;
    REQUIRE(decide(METHOD_GET, "If-None-Match", list, &state) == PRECONDITION_NOT_MODIFIED);
    REQUIRE(decide(writing, "If-None-Match", list, &state) == PRECONDITION_FAILED);
    if (!state.tag.weak)
        REQUIRE(decide(writing, "If-Match", list, &state) == PRECONDITION_HOLDS);
}

/* For a resource that exists and has no tag, only "*" matches. */
static void check_bare(struct bytes list, bool broken)
{
    const struct validators bare = {.exists = true, .modified = PRECONDITION_NO_DATE};
    bool star = svc__bytes_eq_z(list, "*");
    REQUIRE((decide(writing, "If-Match", list, &bare) == PRECONDITION_HOLDS) == star);
    REQUIRE((decide(METHOD_GET, "If-None-Match", list, &bare) == PRECONDITION_HOLDS) == !star);
    REQUIRE((decide(writing, "If-None-Match", list, &bare) == PRECONDITION_HOLDS) == !broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes list = fuzz_input(data, size);
    bool broken;
    struct etag tag = {.weak = false};
    size_t count = count_tags(list, &broken);
    if (svc__etag_parse(list, &tag) == 0)
        REQUIRE(count == 1 && !broken);
    else
        REQUIRE(tag.opaque.data == NULL);
    check_first(list);
    check_bare(list, broken);
    return 0;
}
