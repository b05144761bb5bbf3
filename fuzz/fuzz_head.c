/*
 * Request heads, written as on the wire: "METHOD target minor", then "name: value" lines. The parts
 * are cut at the first separators only, so that what MHD would let through gets here too.
 */
#include "fuzz/fuzz.h"
#include "libsvc/proto/head.h"
#include "libsvc/proto/host.h"
#include "libsvc/proto/token.h"

enum { FIELDS_MAX = 64 };

static const struct head_limits limits = {256, 2048, 32};

static size_t read_fields(struct bytes text, struct field *fields)
{
    size_t count = 0;
    while (text.data != NULL && count < FIELDS_MAX) {
        struct bytes value = svc__bytes_cut(&text, '\n');
        fields[count].name = svc__bytes_cut(&value, ':');
        fields[count++].value = value;
    }
    return count;
}

static size_t count(const struct head *head, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < head->count; i++)
        n += svc__bytes_eq_nocase(head->fields[i].name, svc__bytes_z(name));
    return n;
}

static struct bytes value(const struct head *head, const char *name)
{
    return svc__fields_find(head->fields, head->count, svc__bytes_z(name))->value;
}

/* What two servers could disagree on must not be in a head that passed. */
static void check_framing(const struct head *head, const struct framing *framing)
{
    size_t lengths = count(head, "Content-Length"), codings = count(head, "Transfer-Encoding");
    REQUIRE(lengths + codings <= 1);
    REQUIRE((framing->kind == BODY_CHUNKED) == (codings == 1));
    REQUIRE((framing->kind == BODY_LENGTH) == (framing->length > 0));
    REQUIRE(framing->length <= INT64_MAX);
    if (codings == 1) {
        REQUIRE(head->minor > 0);
        REQUIRE(svc__bytes_eq_nocase(value(head, "transfer-encoding"), svc__bytes_z("chunked")));
    }
    if (lengths == 1) {
        unsigned __int128 length = 0;
        struct bytes digits = value(head, "content-length");
        REQUIRE(digits.len > 0);
        for (size_t i = 0; i < digits.len; i++) {
            REQUIRE(digits.data[i] >= '0' && digits.data[i] <= '9');
            length = length * 10 + (unsigned)(digits.data[i] - '0');
            REQUIRE(length <= INT64_MAX);
        }
        REQUIRE(framing->length == length);
    }
}

static void check_accepted(const struct head *head, const struct framing *framing)
{
    REQUIRE(head->target_raw.len <= limits.max_target && head->count <= limits.max_fields);
    REQUIRE(head->bytes <= limits.max_bytes && svc__token_valid(head->method));
    for (size_t i = 0; i < head->count; i++) {
        REQUIRE(svc__token_valid(head->fields[i].name));
        REQUIRE(!fuzz_has(head->fields[i].value, '\r') && !fuzz_has(head->fields[i].value, '\0'));
    }
    REQUIRE(count(head, "host") == 1 || (count(head, "host") == 0 && head->minor == 0));
    REQUIRE(svc__host_valid(framing->host));
    REQUIRE(!framing->expect_continue || (head->minor > 0 && count(head, "expect") > 0));
    REQUIRE(framing->close == (head->minor == 0) || count(head, "connection") > 0);
    check_framing(head, framing);
}

static bool is_refusal(int status)
{
    static const int known[] = {400, 413, 414, 417, 431, 501};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (status == known[i])
            return true;
    return false;
}

/* What is found without a search is what a search finds, for the known names and those sent. */
static void check_lookup(const struct fields *fields, struct bytes name)
{
    const struct field *field = NULL, *want;
    do {
        want = svc__fields_next(fields->list, fields->count, field, name);
        field = svc__fields_named(fields, field, name);
        REQUIRE(field == want);
    } while (field);
}

static void check_fields(const struct fields *fields)
{
    bool bad_name = false, bad_value = false;
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes value = fields->list[i].value;
        bad_name |= !svc__token_valid(fields->list[i].name);
        for (size_t c = 0; c < value.len; c++)
            bad_value |= ((unsigned char)value.data[c] < 0x20 && value.data[c] != '\t') ||
                         value.data[c] == 0x7f;
        check_lookup(fields, fields->list[i].name);
    }
    REQUIRE(fields->bad_name == bad_name && fields->bad_value == bad_value);
    for (int number = FIELD_OTHER + 1; number < FIELD_NAME_COUNT; number++)
        check_lookup(fields, svc__field_name_text((enum field_name)number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct field fields[FIELDS_MAX];
    struct bytes text = fuzz_input(data, size);
    struct bytes line = svc__bytes_cut(&text, '\n');
    struct head head = {.fields = fields, .count = read_fields(text, fields)};
    head.method = svc__bytes_cut(&line, ' ');
    head.target_raw = svc__bytes_cut(&line, ' ');
    head.minor = !svc__bytes_eq_z(line, "0");
    head.bytes = svc__head_size(&head);
    struct fields read;
    svc__fields_read(&read, head.fields, head.count);
    check_fields(&read);
    struct framing framing = {.kind = BODY_CHUNKED, .length = 77};
    const char *reason = NULL;
    int status = svc__head_check(&head, &read, &limits, &framing, &reason);
    REQUIRE((status != 0) == (reason != NULL));
    if (status == 0) {
        check_accepted(&head, &framing);
    } else {
        REQUIRE(is_refusal(status));
        REQUIRE(framing.kind == BODY_CHUNKED && framing.length == 77);
    }
    return 0;
}
