/* Documents: what is parsed, and what is refused, against jansson; what is written reads as the
 * same. */
#include <jansson.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/json_scan.h"
#include "libsvc/base/num.h"
#include "libsvc/json/json_parse.h"
#include "libsvc/json/json_tree.h"

enum { FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY };

/* As json_equal, but that 1 equals 1.0, as which a whole double is written. */
static bool equal(json_t *a, json_t *b)
{
    const char *name;
    json_t *value;
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b) || json_object_size(a) != json_object_size(b) ||
        json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!equal(json_array_get(a, i), json_array_get(b, i)))
            return false;
    json_object_foreach(a, name, value)
    {
        json_t *other = json_object_get(b, name);
        if (!other || !equal(value, other))
            return false;
    }
    return json_is_array(a) || json_is_object(a) || json_equal(a, b);
}

static void check_written(json_t *json)
{
    struct buf out;
    svc__buf_init(&out, 1 << 24);
    REQUIRE(svc__json_tree_write(&out, json) == 0);
    /* Of whole doubles some are whole numbers of more than 64 bits. */
    json_t *again = json_loadb(out.data, out.len, FLAGS | JSON_DECODE_INT_AS_REAL, NULL);
    REQUIRE(again && equal(again, json));
    json_decref(again);
    svc__buf_free(&out);
}

/* Jansson takes numbers of any length, and a NUL behind one. */
static bool may_differ(struct bytes text)
{
    return text.len > NUM_DOUBLE_LEN || (text.len > 0 && memchr(text.data, '\0', text.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    struct json_fault fault = {"", 0, 0};
    struct arena arena;
    struct buf scratch;
    svc__arena_init(&arena, NULL, SIZE_MAX);
    svc__buf_init(&scratch, 2 * size + 2);
    json_t *ours = svc__json_parse(text, JSON_SCAN_DEPTH, &arena, &scratch, &fault);
    json_t *theirs = size > 0 ? json_loadb(text.data, text.len, FLAGS, NULL) : NULL;
    REQUIRE(ours || (fault.reason && fault.line > 0 && fault.column > 0));
    if (!may_differ(text)) {
        REQUIRE(!ours == !theirs);
        REQUIRE(!ours || json_equal(ours, theirs));
    }
    if (ours)
        check_written(ours);
    svc__json_tree_free(ours);
    json_decref(theirs);
    svc__buf_free(&scratch);
    svc__arena_reset(&arena);
    return 0;
}
