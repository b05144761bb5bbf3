/* Spans in JSON, of any names and texts: lines of the input, the last with all that follows. */
#include <jansson.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/utf8.h"
#include "libsvc/otlp/otlp_json.h"

static char *string_of(struct bytes text)
{
    char *z = fuzz_alloc(text.len + 1);
    memcpy(z, text.len ? text.data : "", text.len);
    z[text.len] = '\0';
    return z;
}

/* What is UTF-8 comes through, and what is not is UTF-8 behind it. */
static void check_text(const json_t *json, struct bytes text)
{
    REQUIRE(json_is_string(json));
    struct bytes read = svc__bytes(json_string_value(json), json_string_length(json));
    REQUIRE(svc__utf8_valid(read));
    REQUIRE(!svc__utf8_valid(text) || svc__bytes_eq(read, text));
}

static const json_t *first_of(const json_t *json, const char *key)
{
    const json_t *first = json_array_get(json_object_get(json, key), 0);
    REQUIRE(json_is_object(first));
    return first;
}

static void check_document(const struct otlp_text *text, const svc_sys_span *span)
{
    /* A large double has no point, and no place among jansson's integers. */
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    REQUIRE(!text->failed);
    json_t *json = json_loadb(text->data, text->len, flags, NULL);
    REQUIRE(json != NULL);
    const json_t *found =
        first_of(first_of(first_of(json, "resourceSpans"), "scopeSpans"), "spans");
    check_text(json_object_get(found, "name"), svc__bytes_z(span->name));
    check_text(json_object_get(json_object_get(found, "status"), "message"),
               svc__bytes_z(span->message));
    const json_t *items = json_object_get(found, "attributes");
    REQUIRE(json_array_size(items) == span->attribute_count);
    check_text(json_object_get(json_array_get(items, 0), "key"),
               svc__bytes_z(span->attributes[0].key));
    check_text(json_object_get(json_object_get(json_array_get(items, 0), "value"), "stringValue"),
               svc__bytes(span->attributes[0].value.text, span->attributes[0].len));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = fuzz_input(data, size);
    char *name = string_of(svc__bytes_cut(&rest, '\n'));
    char *message = string_of(svc__bytes_cut(&rest, '\n'));
    char *key = string_of(svc__bytes_cut(&rest, '\n'));
    char *value = fuzz_alloc(rest.len);
    double number = 0;
    if (rest.len > 0)
        memcpy(value, rest.data, rest.len);
    memcpy(&number, value, rest.len < sizeof number ? rest.len : sizeof number);
    const svc_kv items[] = {svc_kv_bytes(key, value, rest.len), svc_kv_double("number", number)};
    const svc_sys_span span = {.size = sizeof span,
                               .failed = true,
                               .name = name,
                               .state = "",
                               .message = *message ? message : "none",
                               .attributes = items,
                               .attribute_count = 2};
    struct otlp_json json = {.text = {.ceiling = 1 << 24}};
    svc__otlp_json_begin(&json, items, 2);
    svc__otlp_json_span(&json, &span);
    svc__otlp_json_span(&json, &span);
    svc__otlp_json_end(&json);
    check_document(&json.text, &span);
    svc__otlp_text_free(&json.text);
    free(name);
    free(message);
    free(key);
    free(value);
    return 0;
}
