/* A faultless line is read in one pass. Only a line that is not is searched for its end, to tell a
 * line that has not come whole from one that is refused, and why. */
#include "libsvc/proto/http1_head.h"

#include <string.h>

#include "libsvc/proto/method.h"
#include "libsvc/proto/scan.h"
#include "libsvc/proto/target.h"
#include "libsvc/proto/token.h"

/* The data of one call, as far as a head or trailers may reach. */
struct window {
    const char *begin, *end;
};

static struct window make_window(const struct http1_reading *r, const char *data, size_t len,
                                 const struct head_limits *limits)
{
    bool full = len - r->begin >= limits->max_bytes;
    return (struct window){data, data + (full ? r->begin + limits->max_bytes : len)};
}

static size_t count_left(struct window window, const char *at)
{
    return (size_t)(window.end - at);
}

static bool is_crlf(struct window window, const char *at)
{
    return count_left(window, at) >= 2 && memcmp(at, "\r\n", 2) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- Faultless lines. Each function returns NULL if there is a fault or a part is missing. */

/* Finds the byte `behind` directly behind a token. */
static inline const char *find_behind_token(struct window window, const char *at, char behind)
{
    const char *end = svc__scan_end(SCAN_PLAIN, window.begin, at, window.end);
    if (end < window.end && *end != behind)
        end += svc__token_span(svc__bytes(end, count_left(window, end)));
    return end < window.end && *end == behind && end > at ? end : NULL;
}

/* Parses a request line. Returns the next line. */
static const char *parse_request_line(struct window window, const char *at, struct head *out)
{
    static const char version[] = " HTTP/1.";
    enum { MINOR_AT = sizeof version - 1 };
    const char *space = find_behind_token(window, at, ' ');
    if (!space)
        return NULL;
    const char *target = space + 1;
    const char *end = svc__scan_end(SCAN_VISIBLE, window.begin, target, window.end);
    if (end == target || count_left(window, end) <= MINOR_AT ||
        memcmp(end, version, MINOR_AT) != 0 || !svc__bytes_is_digit(end[MINOR_AT]) ||
        !is_crlf(window, end + MINOR_AT + 1))
        return NULL;
    *out = (struct head){.method = {at, (size_t)(space - at)},
                         .target_raw = {target, (size_t)(end - target)},
                         .minor = (unsigned)(end[MINOR_AT] - '0')};
    return end + MINOR_AT + 3;
}

/* Parses a field line. Returns the next line. */
static const char *parse_field_line(struct window window, const char *at, struct field *out)
{
    const char *colon = find_behind_token(window, at, ':');
    if (!colon)
        return NULL;
    const char *value = colon + 1;
    const char *end = svc__scan_end(SCAN_VALUE, window.begin, value, window.end);
    if (!is_crlf(window, end))
        return NULL;
    const char *next = end + 2;
    while (is_blank(*value)) /* a CR is behind it */
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    out->name = svc__bytes(at, (size_t)(colon - at));
    out->value = svc__bytes(value, (size_t)(end - value));
    return next;
}

/* ---- Other lines */

static int refuse_line(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

/*
 * Finds the line that is to be read next, without its CRLF. Returns 0; HTTP1_PART if it is not
 * whole; `too_long` if it cannot become whole within the window; or 400.
 */
static int find_line(struct http1_reading *r, struct window window,
                     const struct head_limits *limits, int too_long, struct bytes *line,
                     const char **reason)
{
    const char *from = window.begin + (r->looked > r->line ? r->looked : r->line);
    const char *begin = window.begin + r->line;
    const char *feed = memchr(from, '\n', count_left(window, from));
    if (!feed) {
        r->looked = (size_t)(window.end - window.begin);
        if (r->looked - r->begin < limits->max_bytes)
            return HTTP1_PART;
        return refuse_line(reason, too_long,
                           too_long == 414 ? "the request line is too long"
                                           : "the request's fields are too large");
    }
    if (feed == begin || feed[-1] != '\r')
        return refuse_line(reason, 400, "a line ends with a line feed alone");
    *line = svc__bytes(begin, (size_t)(feed - begin) - 1);
    return 0;
}

/* Whether it is "HTTP/d.d", where the first digit is not 1. */
static bool is_other_version(struct bytes version)
{
    return version.len == 8 && memcmp(version.data, "HTTP/", 5) == 0 &&
           svc__bytes_is_digit(version.data[5]) && version.data[5] != '1' &&
           version.data[6] == '.' && svc__bytes_is_digit(version.data[7]);
}

/* RFC 9112 3 recommends 501 for a method that is too long. A line without an end may be too long by
 * its target as well, for which 414 is required. */
static int refuse_request_line(struct http1_reading *r, struct window window,
                               const struct head_limits *limits, const char **reason)
{
    struct bytes line;
    int status = find_line(r, window, limits, 414, &line, reason);
    if (status)
        return status;
    if (!svc__method_valid(svc__bytes_cut(&line, ' ')) || !line.data)
        return refuse_line(reason, 400, "the request line does not begin with a method");
    struct bytes target = svc__bytes_cut(&line, ' ');
    if (!target.len || svc__target_ends_early(target))
        return refuse_line(reason, 400, "the request line has no target, or not one alone");
    if (is_other_version(line))
        return refuse_line(reason, 505, "the only HTTP version understood here is 1.x");
    return refuse_line(reason, 400, "the request line does not end with an HTTP version");
}

static int refuse_field(struct http1_reading *r, struct window window,
                        const struct head_limits *limits, const char **reason)
{
    struct bytes line;
    int status = find_line(r, window, limits, 431, &line, reason);
    if (status)
        return status;
    if (r->count == limits->max_fields)
        return refuse_line(reason, 431, "the request has too many fields");
    if (is_blank(line.data[0]))
        return refuse_line(reason, 400, "a field is folded, or has white space before its name");
    struct bytes name = svc__bytes_cut(&line, ':');
    if (!name.len || !line.data)
        return refuse_line(reason, 400, "a field has no name or no colon");
    if (!svc__token_valid(name))
        return refuse_line(reason, 400, "a field's name is not a token");
    return refuse_line(reason, 400, "a field's value has a control character");
}

/* ---- Readings */

/* RFC 9112 2.2: a server should ignore at least one empty line before a request line. */
static bool skip_empty_lines(struct http1_reading *r, const char *data, size_t len)
{
    struct window window = {data, data + len};
    while (is_crlf(window, data + r->begin)) {
        if (r->begin == 2 * HTTP1_EMPTY_LINES)
            return false;
        r->line = r->begin += 2;
    }
    return true;
}

static int read_request_line(struct http1_reading *r, struct window window,
                             const struct head_limits *limits, struct head *out,
                             const char **reason)
{
    const char *next = parse_request_line(window, window.begin + r->line, out);
    if (!next)
        return refuse_request_line(r, window, limits, reason);
    r->line = (size_t)(next - window.begin);
    return out->target_raw.len > limits->max_target
               ? refuse_line(reason, 414, "the request target is too long")
               : 0;
}

/* Reads field lines up to behind the empty one. */
static int read_fields(struct http1_reading *r, struct window window,
                       const struct head_limits *limits, struct field *fields, const char **reason)
{
    const char *at = window.begin + r->line, *next;
    size_t count = r->count;
    for (; !is_crlf(window, at) && count < limits->max_fields; at = next, count++)
        if (!(next = parse_field_line(window, at, &fields[count])))
            break;
    r->line = (size_t)(at - window.begin);
    r->count = count;
    if (!is_crlf(window, at))
        return refuse_field(r, window, limits, reason);
    r->line += 2;
    return 0;
}

/* A line that had not come whole is read again only when its end has come. 0, or as find_line. */
static int await_line(struct http1_reading *r, struct window window,
                      const struct head_limits *limits, int too_long, const char **reason)
{
    struct bytes line;
    return r->looked > r->line ? find_line(r, window, limits, too_long, &line, reason) : 0;
}

static void end_text(char *data, struct bytes text)
{
    data[(size_t)(text.data - data) + text.len] = '\0';
}

static void end_fields(char *data, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        end_text(data, fields[i].name);
        end_text(data, fields[i].value);
    }
}

/* Reads on where the last call has ended. `*head` gets the request line if this call reads it. */
static int read_head(struct http1_reading *r, struct window window,
                     const struct head_limits *limits, struct field *fields, struct head *head,
                     const char **reason)
{
    bool in_fields = r->line > r->begin;
    int status = await_line(r, window, limits, in_fields ? 431 : 414, reason);
    if (!status && !in_fields)
        status = read_request_line(r, window, limits, head, reason);
    return status ? status : read_fields(r, window, limits, fields, reason);
}

int svc__http1_head_read(struct http1_reading *r, char *data, size_t len,
                         const struct head_limits *limits, struct field *fields, struct head *out,
                         const char **reason)
{
    struct head head = {.method = {NULL, 0}};
    bool resumed = r->line > r->begin;
    if (!resumed && !skip_empty_lines(r, data, len)) {
        *out = head;
        return refuse_line(reason, 400, "there are too many empty lines before the request");
    }
    struct window window = make_window(r, data, len, limits);
    int status = read_head(r, window, limits, fields, &head, reason);
    if (status == HTTP1_PART)
        return status;
    if (resumed) { /* the bytes may have moved since the lines were read */
        const char *next = parse_request_line(window, data + r->begin, &head);
        struct http1_reading again = {.begin = r->begin, .line = (size_t)(next - data)};
        if (!status)
            read_fields(&again, window, limits, fields, reason);
    }
    if (head.method.len) {
        end_text(data, head.method);
        end_text(data, head.target_raw);
    }
    if (!status) {
        end_fields(data, fields, r->count);
        head.fields = r->count ? fields : NULL;
        head.count = r->count;
        head.bytes = r->line - r->begin;
    }
    *out = head;
    return status;
}

int svc__http1_head_trailers(struct http1_reading *r, char *data, size_t len,
                             const struct head_limits *limits, struct field *fields, size_t *count,
                             const char **reason)
{
    bool resumed = r->line > 0;
    struct window window = make_window(r, data, len, limits);
    int status = await_line(r, window, limits, 431, reason);
    if (!status)
        status = read_fields(r, window, limits, fields, reason);
    if (status)
        return status;
    if (resumed) {
        struct http1_reading again = {0};
        read_fields(&again, window, limits, fields, reason);
    }
    end_fields(data, fields, r->count);
    *count = r->count;
    return 0;
}
