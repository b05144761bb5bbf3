/* Environment files: what is read can be written, and is then read as the same. */
#include "fuzz/fuzz.h"
#include "libsvc/base/env_file.h"
#include "libsvc/base/utf8.h"

static bool name_is_valid(struct bytes name)
{
    bool valid = name.len > 0 && !(name.data[0] >= '0' && name.data[0] <= '9');
    for (size_t i = 0; i < name.len; i++) {
        char c = svc__bytes_lower(name.data[i]);
        valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
    }
    return valid;
}

/* UTF-8 without control characters but tab and line ends: also none of U+0080 to U+009F. */
static bool value_is_valid(struct bytes value)
{
    bool valid = svc__utf8_valid(value);
    for (size_t i = 0; i < value.len && valid; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == 0xc2)
            valid = (unsigned char)value.data[i + 1] >= 0xa0;
        else
            valid = c != 0x7f && (c >= 0x20 || c == '\t' || c == '\n' || c == '\r');
    }
    return valid;
}

static size_t count_lines(struct bytes text)
{
    size_t lines = 0;
    while (text.data != NULL) {
        svc__bytes_cut(&text, '\n');
        lines++;
    }
    return lines;
}

/* Reads what was written of one entry, which must be all there is. */
static void check_written(struct buf *line, struct bytes name, struct bytes *value)
{
    struct env_file file;
    struct env_entry entry, none;
    svc__env_file_init(&file, line->data, line->len);
    REQUIRE(svc__env_file_next(&file, &entry));
    REQUIRE(entry.reason == NULL && svc__bytes_eq(entry.name, name));
    REQUIRE(!svc__env_file_next(&file, &none));
    *value = entry.value;
}

static void check_round_trip(const struct env_entry *entry)
{
    struct buf line;
    struct bytes again;
    svc__buf_init(&line, SIZE_MAX);
    svc__buf_puts(&line, "export ");
    svc__buf_bytes(&line, entry->name);
    svc__buf_putc(&line, '=');
    svc__env_file_quote(&line, entry->value);
    svc__buf_puts(&line, " # 'a comment\r\n");
    REQUIRE(svc__buf_error(&line) == 0);
    check_written(&line, entry->name, &again);
    REQUIRE(svc__bytes_eq(again, entry->value));
    svc__buf_free(&line);
}

/* Whatever the bytes are, what is written of them is a value; the same one where it can be. */
static void check_quote(struct bytes text)
{
    struct buf line;
    struct bytes value;
    svc__buf_init(&line, SIZE_MAX);
    svc__buf_puts(&line, "A=");
    svc__env_file_quote(&line, text);
    check_written(&line, svc__bytes_z("A"), &value);
    REQUIRE(value_is_valid(value));
    REQUIRE(value_is_valid(text) == svc__bytes_eq(value, text));
    svc__buf_free(&line);
}

static void check_file(struct bytes text)
{
    char *copy = fuzz_alloc(text.len);
    struct bytes whole = {copy, text.len};
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    struct env_file file;
    struct env_entry entry;
    size_t last = 0, lines = count_lines(text);
    svc__env_file_init(&file, copy, text.len);
    while (svc__env_file_next(&file, &entry)) {
        REQUIRE(entry.line > last && entry.line <= lines);
        last = entry.line;
        if (entry.reason != NULL)
            continue;
        REQUIRE(fuzz_inside(entry.name, whole) && fuzz_inside(entry.value, whole));
        REQUIRE(name_is_valid(entry.name) && value_is_valid(entry.value));
        check_round_trip(&entry);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    check_file(text);
    check_quote(text);
    return 0;
}
