/*
 * A head as it was sent. What passes must be what a plain reading of RFC 9112 makes of it, byte by
 * byte, and nothing outside of it may have been touched.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/head_raw.h"

enum { MAX_FIELDS = 16 };

/* The length of field lines up to behind the empty one; 0 when they are not in order. */
static size_t read_plainly(const uint8_t *data, size_t size)
{
    size_t begin = 0, colons = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\0' || (i == begin && (data[i] == ' ' || data[i] == '\t')))
            return 0;
        colons += data[i] == ':' && i > begin;
        if (data[i] != '\n')
            continue;
        if (i == begin || data[i - 1] != '\r')
            return 0;
        if (i == begin + 1)
            return i + 1;
        if (!colons || data[begin] == ':')
            return 0;
        begin = i + 1;
        colons = 0;
    }
    return 0;
}

static void check_fields(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    size_t end = 0, again = 0;
    const char *reason = NULL;
    REQUIRE(copy);
    memcpy(copy, data, size);
    int status = svc__head_raw_fields(copy, size, MAX_FIELDS, &end, &reason);
    REQUIRE((status > 0) == (reason != NULL));
    REQUIRE(status <= 0 || status == 400 || status == 413 || status == 431);
    if (status == 0) {
        REQUIRE(end == read_plainly(data, size));
        REQUIRE(end == read_plainly((const uint8_t *)copy, size));
        REQUIRE(memcmp(copy + end, data + end, size - end) == 0);
        REQUIRE(svc__head_raw_fields(copy, size, MAX_FIELDS, &again, &reason) == 0 && again == end);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t target = 0, end = 0;
    const char *reason = NULL;
    int status = svc__head_raw_line((const char *)data, size, &target, &end, &reason);
    REQUIRE((status > 0) == (reason != NULL));
    REQUIRE(status <= 0 || status == 400 || status == 505);
    if (status == 0) {
        REQUIRE(end <= size && target + 12 <= end);
        REQUIRE(memcmp(data + end - 11, " HTTP/1.", 8) == 0);
        check_fields(data + end, size - end);
    }
    check_fields(data, size);
    return 0;
}
