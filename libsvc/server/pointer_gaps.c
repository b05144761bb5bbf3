/* What pointers into libmicrohttpd 0.9.75's read buffer tell of the bytes between them. */
#include "libsvc/server/pointer_gaps.h"

enum { VERSION_LEN = 8, LINE_END = 2 };

bool svc__pointer_gaps_clean(const char *version, const struct field *fields, size_t count,
                             const char *end)
{
    const char *line_end = version + VERSION_LEN;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name.data != line_end + LINE_END)
            return false;
        line_end = fields[i].value.data + fields[i].value.len;
    }
    return end == line_end + LINE_END + LINE_END;
}
