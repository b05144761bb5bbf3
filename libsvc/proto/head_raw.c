/* Checks the lines of a head before a parser edits them. */
#include "libsvc/proto/head_raw.h"

#include <stdint.h>
#include <string.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/head.h"

static const char lone_feed[] = "a line of the head ends with a line feed alone";

static int bad_line(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

/* Takes the next line, without its CRLF, off `*rest`. 0, HEAD_RAW_PART or a status. */
static int take_line(struct bytes *rest, struct bytes *line, const char **reason)
{
    const char *feed = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!feed)
        return HEAD_RAW_PART;
    size_t len = (size_t)(feed - rest->data);
    if (len == 0 || feed[-1] != '\r')
        return bad_line(reason, 400, lone_feed);
    *line = svc__bytes(rest->data, len - 1);
    *rest = svc__bytes(feed + 1, rest->len - len - 1);
    return 0;
}

/* Of " HTTP/d.d": 0 for 1.x. */
static int check_version(const char version[9], const char **reason)
{
    if (memcmp(version, " HTTP/", 6) != 0 || !svc__bytes_is_digit(version[6]) ||
        version[7] != '.' || !svc__bytes_is_digit(version[8]))
        return bad_line(reason, 400, "the request line has no HTTP version");
    if (version[6] != '1')
        return bad_line(reason, 505, "the only HTTP version understood here is 1.x");
    return 0;
}

int svc__head_raw_line(const char *data, size_t len, size_t *target, size_t *end,
                       const char **reason)
{
    enum { VERSION_LEN = 9 };
    struct bytes rest = {data, len}, line;
    int status = take_line(&rest, &line, reason);
    if (status)
        return status;
    const char *space = line.len ? memchr(line.data, ' ', line.len) : NULL;
    if (!space || space == line.data || !line.data[0])
        return bad_line(reason, 400, "the request line has no method");
    size_t begin = (size_t)(space - line.data);
    while (begin < line.len && line.data[begin] == ' ')
        begin++;
    if (line.len <= begin + VERSION_LEN)
        return bad_line(reason, 400, "the request line has no target or no HTTP version");
    status = check_version(line.data + line.len - VERSION_LEN, reason);
    if (status)
        return status;
    *target = begin;
    *end = (size_t)(rest.data - data);
    return 0;
}

/* Moves white space from behind a value to its front. */
static void move_space(char *value, size_t len)
{
    size_t kept = len;
    while (kept > 0 && (value[kept - 1] == ' ' || value[kept - 1] == '\t'))
        kept--;
    if (kept == len)
        return;
    memmove(value + len - kept, value, kept);
    memset(value, ' ', len - kept);
}

static bool is_length(const char *name, size_t len)
{
    static const char length[] = "content-length";
    return len == sizeof length - 1 &&
           svc__bytes_eq_nocase(svc__bytes(name, len), svc__bytes_z(length));
}

static int check_field(char *line, size_t len, const char **reason)
{
    if (line[0] == ' ' || line[0] == '\t')
        return bad_line(reason, 400, "the head holds a folded line");
    char *colon = memchr(line, ':', len);
    if (!colon || colon == line)
        return bad_line(reason, 400, "a line of the head has no name or no colon");
    size_t name_len = (size_t)(colon - line), value_len = len - name_len - 1;
    if (value_len && (colon[value_len] == ' ' || colon[value_len] == '\t'))
        move_space(colon + 1, value_len);
    uint64_t length;
    return is_length(line, name_len)
               ? svc__head_length(svc__bytes_trim(svc__bytes(colon + 1, value_len)), &length,
                                  reason)
               : 0;
}

/* Reads all lines up to the empty one. `*end` is the length of all complete lines, also when the
 * empty one is missing. */
static int check_fields(char *data, size_t len, size_t max_fields, size_t *end, const char **reason)
{
    for (size_t count = 0, at = 0;; count++) {
        *end = at;
        char *feed = at < len ? memchr(data + at, '\n', len - at) : NULL;
        if (!feed)
            return HEAD_RAW_PART;
        size_t line_len = (size_t)(feed - (data + at));
        if (!line_len || feed[-1] != '\r')
            return bad_line(reason, 400, lone_feed);
        at += line_len + 1;
        if (line_len == 1) {
            *end = at;
            return 0;
        }
        if (count == max_fields)
            return bad_line(reason, 431, "the request has too many header fields");
        int status = check_field(feed - line_len, line_len - 1, reason);
        if (status)
            return status;
    }
}

int svc__head_raw_fields(char *data, size_t len, size_t max_fields, size_t *end,
                         const char **reason)
{
    size_t checked;
    int status = check_fields(data, len, max_fields, &checked, reason);
    if (status > 0)
        return status;
    if (checked && memchr(data, '\0', checked))
        return bad_line(reason, 400, "the head holds a NUL");
    if (status == 0)
        *end = checked;
    return status;
}
