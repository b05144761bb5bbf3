/* Paths of files in requests: nothing that is accepted leads out of a folder or to a hidden file.
 */
#include "fuzz/fuzz.h"
#include "libsvc/files/file_path.h"
#include "libsvc/proto/disposition.h"
#include "libsvc/proto/uri.h"

static void check_part(struct bytes part, bool first)
{
    REQUIRE(part.len > 0);
    REQUIRE(part.data[0] != '.' || (first && svc__bytes_eq_z(part, ".well-known")));
    REQUIRE(!memchr(part.data, '\\', part.len));
}

static void check_path(const char *path)
{
    struct bytes rest = svc__bytes_z(path);
    bool first = true;
    while (rest.len > 0) {
        check_part(svc__bytes_cut(&rest, '/'), first);
        first = false;
    }
}

/* What is escaped is the same path when it is read again. */
static void check_again(const char *path)
{
    struct buf text;
    bool folder;
    svc__buf_init(&text, 1 << 20);
    svc__file_path_escape(&text, svc__bytes_z(path), true);
    char *again = malloc(text.len + 1);
    REQUIRE(again && svc__file_path_read(svc__buf_view(&text), again, &folder));
    REQUIRE(!strcmp(again, path));
    free(again);
    svc__buf_free(&text);
}

static void check_name(struct bytes name)
{
    struct buf out;
    svc__buf_init(&out, 1 << 20);
    svc__disposition_write(&out, svc__disposition_name(name));
    REQUIRE(!svc__buf_error(&out));
    for (size_t i = 0; i < out.len; i++)
        REQUIRE((unsigned char)out.data[i] >= 0x20 && (unsigned char)out.data[i] < 0x7f);
    svc__buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes raw = fuzz_input(data, size);
    bool folder;
    char *path = malloc(raw.len + 1);
    REQUIRE(path);
    if (raw.len <= 65536 && svc__file_path_read(raw, path, &folder)) {
        REQUIRE(strlen(path) <= raw.len);
        REQUIRE(folder == (raw.len == 0 || raw.data[raw.len - 1] == '/'));
        check_path(path);
        check_again(path);
    }
    if (raw.len <= 65536)
        check_name(raw);
    free(path);
    return 0;
}
