/* Whole sets of conditions: a line each, "Name: value", for a state and a method by the first byte.
 */
#include "fuzz/fuzz.h"
#include "libsvc/proto/precondition.h"

enum { MAX_FIELDS = 16, MODIFIED = 784111777 };

static size_t take_fields(struct bytes text, struct field *fields)
{
    size_t count = 0;
    while (text.data && count < MAX_FIELDS) {
        struct bytes line = svc__bytes_cut(&text, '\n');
        struct bytes name = svc__bytes_cut(&line, ':');
        fields[count++] = (struct field){name, svc__bytes_trim(line)};
    }
    return count;
}

static struct validators state_of(unsigned byte)
{
    struct validators state = {.exists = byte & 1, .modified = PRECONDITION_NO_DATE};
    if (byte & 2)
        state.tag = (struct etag){{"\"1\"", 3}, byte & 4};
    if (byte & 8)
        state.modified = MODIFIED;
    state.date_strong = byte & 16;
    state.now = 1795515326;
    return state;
}

static bool has(const struct field *fields, size_t count, const char *name)
{
    return svc__fields_find(fields, count, svc__bytes_z(name)) != NULL;
}

static void check(enum method method, const struct field *fields, size_t count,
                  const struct validators *state)
{
    struct fields read;
    bool any = has(fields, count, "if-match") || has(fields, count, "if-none-match") ||
               has(fields, count, "if-modified-since") ||
               has(fields, count, "if-unmodified-since") || has(fields, count, "if-range");
    svc__fields_read(&read, fields, count);
    REQUIRE(svc__precondition_any(&read) == any);
    enum precondition verdict = svc__precondition_evaluate(method, &read, state);
    if (method == METHOD_OPTIONS || !any) {
        REQUIRE(verdict == PRECONDITION_NONE);
        return;
    }
    bool reads = method == METHOD_GET || method == METHOD_HEAD;
    if (verdict == PRECONDITION_NOT_MODIFIED)
        REQUIRE(reads &&
                (has(fields, count, "if-none-match") || has(fields, count, "if-modified-since")));
    if (verdict == PRECONDITION_FAILED)
        REQUIRE(has(fields, count, "if-match") || has(fields, count, "if-unmodified-since") ||
                (has(fields, count, "if-none-match") && !reads));
    if (verdict == PRECONDITION_RANGE)
        REQUIRE(method == METHOD_GET && has(fields, count, "range") &&
                has(fields, count, "if-range"));
    if (verdict == PRECONDITION_NONE)
        REQUIRE(!has(fields, count, "if-match") && !has(fields, count, "if-none-match"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_OPTIONS};
    struct field fields[MAX_FIELDS];
    if (size == 0)
        return 0;
    struct validators state = state_of(data[0]);
    size_t count = take_fields(fuzz_input(data + 1, size - 1), fields);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        check(methods[i], fields, count, &state);
    return 0;
}
