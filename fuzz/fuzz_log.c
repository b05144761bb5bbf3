/* Log lines of any message, key and value: lines of the input, the third with all that follows. */
#include <jansson.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/utf8.h"
#include "libsvc/log/log_format.h"

/* Text is given NUL-terminated. */
static char *string_of(struct bytes text)
{
    char *z = fuzz_alloc(text.len + 1);
    memcpy(z, text.len ? text.data : "", text.len);
    z[text.len] = '\0';
    return z;
}

/* One line of UTF-8 without anything that a terminal obeys. */
static void check_line(const struct buf *line)
{
    struct bytes text = svc__buf_view(line);
    REQUIRE(svc__buf_error(line) == 0 && svc__utf8_valid(text));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        REQUIRE(c >= 0x20 && c != 0x7f);
        REQUIRE(c != 0xc2 || (unsigned char)text.data[i + 1] >= 0xa0);
    }
}

/* The key's member, or one with an underscore behind a name that is the library's own. */
static const json_t *member_of(const json_t *json, const char *key)
{
    size_t len = strlen(key);
    char *other = fuzz_alloc(len + 2);
    memcpy(other, key, len);
    memcpy(other + len, "_", 2);
    const json_t *found = json_object_get(json, other);
    free(other);
    return found ? found : json_object_get(json, key);
}

static void check_json(const struct buf *line, const char *key)
{
    json_t *json = json_loadb(line->data, line->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    REQUIRE(json_is_object(json));
    REQUIRE(!strcmp(json_string_value(json_object_get(json, "level")), "error"));
    REQUIRE(json_is_string(json_object_get(json, "msg")));
    REQUIRE(!svc__utf8_valid(svc__bytes_z(key)) || member_of(json, key));
    json_decref(json);
}

/* Pairs, each of a key without quotes and a value that is plain or quoted. */
static void check_pairs(struct bytes text)
{
    while (text.len > 0) {
        struct bytes key = svc__bytes_cut(&text, '=');
        REQUIRE(key.len > 0 && text.data && text.len > 0 && !fuzz_has(key, ' ') &&
                !fuzz_has(key, '"'));
        size_t end = 0;
        bool quoted = text.data[0] == '"';
        if (quoted)
            for (end = 1; text.data[end] != '"'; end++)
                end += text.data[end] == '\\';
        for (end += quoted; end < text.len && text.data[end] != ' '; end++)
            REQUIRE(!quoted && text.data[end] != '"' && text.data[end] != '=');
        end += end < text.len;
        text = svc__bytes(text.data + end, text.len - end);
    }
}

static void check_record(const svc_log_record *record, const char *key)
{
    struct buf line;
    svc__buf_init(&line, 1 << 24);
    for (int format = SVC_LOG_JSON; format <= SVC_LOG_TEXT; format++) {
        svc__buf_clear(&line);
        svc__log_format_line((enum svc_log_format)format, &line, record);
        check_line(&line);
        if (format == SVC_LOG_JSON)
            check_json(&line, key);
        if (format == SVC_LOG_LOGFMT)
            check_pairs(svc__buf_view(&line));
    }
    svc__buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = fuzz_input(data, size);
    char *message = string_of(svc__bytes_cut(&rest, '\n'));
    char *key = string_of(svc__bytes_cut(&rest, '\n'));
    const svc_kv items[] = {svc_kv_bytes(key, rest.data, rest.len), SVC_KV_END};
    const svc_log_record record = {.size = sizeof record,
                                   .level = SVC_LEVEL_ERROR,
                                   .app = "fuzz",
                                   .module = message,
                                   .message = message,
                                   .file = "",
                                   .request_id = "",
                                   .trace_id = "",
                                   .span_id = "",
                                   .route = message,
                                   .items = items};
    check_record(&record, key);
    free(message);
    free(key);
    return 0;
}
