/* A faultless line is read in one pass. Only a line that is not is searched for its end, to tell a
 * line that has not come whole from one that is refused, and why. */
#include "libsvc/proto/http1_head.h"

#include <string.h>

#include "libsvc/proto/method.h"
#include "libsvc/proto/token.h"

/* The data of one call, as far as a head or trailers may reach. */
struct window {
    struct bytes data;
    bool full; /* nothing behind it can belong to them */
    const char **reason;
};

static struct window make_window(const struct http1_reading *r, const char *data, size_t len,
                                 size_t max_bytes, const char **reason)
{
    bool full = len - r->begin >= max_bytes;
    return (struct window){{data, full ? r->begin + max_bytes : len}, full, reason};
}

static struct bytes skip(struct bytes text, size_t len)
{
    return svc__bytes(text.data + len, text.len - len);
}

static bool begins_with_end(struct bytes text)
{
    return text.len >= 2 && text.data[0] == '\r' && text.data[1] == '\n';
}

static int refuse_line(const struct window *window, int status, const char *text)
{
    *window->reason = text;
    return status;
}

/* ---- Faultless lines */

/* Takes a request line off `*rest`. False if it has a fault or is not whole. */
static bool take_request_line(struct bytes *rest, struct head *out)
{
    static const char version[] = " HTTP/1.";
    enum { MINOR_AT = sizeof version - 1 };
    size_t method = svc__token_span(*rest);
    if (!method || method == rest->len || rest->data[method] != ' ')
        return false;
    struct bytes behind = skip(*rest, method + 1);
    size_t target = svc__token_visible_span(behind);
    struct bytes end = skip(behind, target);
    if (!target || end.len <= MINOR_AT || memcmp(end.data, version, MINOR_AT) != 0 ||
        !svc__bytes_is_digit(end.data[MINOR_AT]) || !begins_with_end(skip(end, MINOR_AT + 1)))
        return false;
    *out = (struct head){.method = {rest->data, method},
                         .target_raw = {behind.data, target},
                         .minor = (unsigned)(end.data[MINOR_AT] - '0')};
    *rest = skip(end, MINOR_AT + 3);
    return true;
}

/* Takes a field line off `*rest`. False if it has a fault or is not whole. */
static bool take_field(struct bytes *rest, struct field *out)
{
    size_t name = svc__token_span(*rest);
    if (!name || name == rest->len || rest->data[name] != ':')
        return false;
    struct bytes behind = skip(*rest, name + 1);
    size_t value = svc__token_value_span(behind);
    if (!begins_with_end(skip(behind, value)))
        return false;
    out->name = svc__bytes(rest->data, name);
    out->value = svc__bytes_trim(svc__bytes(behind.data, value));
    *rest = skip(behind, value + 2);
    return true;
}

/* ---- Other lines */

/*
 * Finds the line that begins at `r->line`, without its CRLF. Returns 0; HTTP1_PART if it is not
 * whole; `too_long` if it cannot become whole within the window; or 400.
 */
static int find_line(struct http1_reading *r, const struct window *window, int too_long,
                     struct bytes *line)
{
    size_t from = r->looked > r->line ? r->looked : r->line;
    const char *feed = NULL;
    if (from < window->data.len)
        feed = memchr(window->data.data + from, '\n', window->data.len - from);
    if (!feed) {
        r->looked = window->data.len;
        if (!window->full)
            return HTTP1_PART;
        return refuse_line(window, too_long,
                           too_long == 414 ? "the request line is too long"
                                           : "the request's fields are too large");
    }
    struct bytes whole = skip(window->data, r->line);
    whole.len = (size_t)(feed - whole.data);
    if (!whole.len || feed[-1] != '\r')
        return refuse_line(window, 400, "a line ends with a line feed alone");
    *line = svc__bytes(whole.data, whole.len - 1);
    return 0;
}

/* Of "HTTP/d.d", where the first digit is not 1. */
static bool is_other_version(struct bytes version)
{
    return version.len == 8 && memcmp(version.data, "HTTP/", 5) == 0 &&
           svc__bytes_is_digit(version.data[5]) && version.data[5] != '1' &&
           version.data[6] == '.' && svc__bytes_is_digit(version.data[7]);
}

static int refuse_request_line(struct http1_reading *r, const struct window *window)
{
    struct bytes line;
    int status = find_line(r, window, 414, &line);
    if (status)
        return status;
    if (!svc__method_valid(svc__bytes_cut(&line, ' ')) || !line.data)
        return refuse_line(window, 400, "the request line does not begin with a method");
    struct bytes target = svc__bytes_cut(&line, ' ');
    if (!target.len || svc__token_visible_span(target) < target.len)
        return refuse_line(window, 400, "the request line has no target, or not one alone");
    if (is_other_version(line))
        return refuse_line(window, 505, "the only HTTP version understood here is 1.x");
    return refuse_line(window, 400, "the request line does not end with an HTTP version");
}

static int refuse_field(struct http1_reading *r, const struct window *window, size_t max_fields)
{
    struct bytes line;
    int status = find_line(r, window, 431, &line);
    if (status)
        return status;
    if (r->count == max_fields)
        return refuse_line(window, 431, "the request has too many fields");
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return refuse_line(window, 400, "a field is folded, or has white space before its name");
    struct bytes name = svc__bytes_cut(&line, ':');
    if (!name.len || !line.data)
        return refuse_line(window, 400, "a field has no name or no colon");
    if (!svc__token_valid(name))
        return refuse_line(window, 400, "a field's name is not a token, or has a space behind it");
    return refuse_line(window, 400, "a field's value has a control character");
}

/* ---- Readings */

/* RFC 9112 2.2: a server should ignore at least one empty line before a request line. */
static bool skip_empty_lines(struct http1_reading *r, struct bytes data)
{
    while (begins_with_end(skip(data, r->begin))) {
        if (r->begin == 2 * HTTP1_EMPTY_LINES)
            return false;
        r->line = r->begin += 2;
    }
    return true;
}

static int read_request_line(struct http1_reading *r, const struct window *window,
                             size_t max_target, struct head *out)
{
    struct bytes rest = skip(window->data, r->line);
    if (!take_request_line(&rest, out))
        return refuse_request_line(r, window);
    r->line = window->data.len - rest.len;
    return out->target_raw.len > max_target
               ? refuse_line(window, 414, "the request target is too long")
               : 0;
}

/* Reads field lines up to behind the empty one. */
static int read_fields(struct http1_reading *r, const struct window *window, size_t max_fields,
                       struct field *fields)
{
    struct bytes rest = skip(window->data, r->line);
    while (!begins_with_end(rest)) {
        if (r->count == max_fields || !take_field(&rest, &fields[r->count]))
            return refuse_field(r, window, max_fields);
        r->count++;
        r->line = window->data.len - rest.len;
    }
    r->line += 2;
    return 0;
}

/* A line that had not come whole is read again only when its end has come. 0, or as find_line. */
static int await_line(struct http1_reading *r, const struct window *window, int too_long)
{
    struct bytes line;
    return r->looked > r->line ? find_line(r, window, too_long, &line) : 0;
}

/* Reads lines that were read in earlier calls, perhaps at another address. */
static void read_again(struct bytes lines, struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        take_field(&lines, &fields[i]);
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
static int read_head(struct http1_reading *r, const struct window *window,
                     const struct head_limits *limits, struct field *fields, struct head *head)
{
    bool in_fields = r->line > r->begin;
    int status = await_line(r, window, in_fields ? 431 : 414);
    if (!status && !in_fields)
        status = read_request_line(r, window, limits->max_target, head);
    return status ? status : read_fields(r, window, limits->max_fields, fields);
}

int svc__http1_head_read(struct http1_reading *r, char *data, size_t len,
                         const struct head_limits *limits, struct field *fields, struct head *out,
                         const char **reason)
{
    struct head head = {.method = {NULL, 0}};
    bool resumed = r->line > r->begin;
    if (!resumed && !skip_empty_lines(r, svc__bytes(data, len))) {
        *reason = "there are too many empty lines before the request";
        *out = head;
        return 400;
    }
    const struct window window = make_window(r, data, len, limits->max_bytes, reason);
    int status = read_head(r, &window, limits, fields, &head);
    if (status == HTTP1_PART)
        return status;
    if (resumed) {
        struct bytes lines = skip(window.data, r->begin);
        take_request_line(&lines, &head);
        read_again(lines, fields, r->count);
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
    const struct window window = make_window(r, data, len, limits->max_bytes, reason);
    int status = await_line(r, &window, 431);
    if (!status)
        status = read_fields(r, &window, limits->max_fields, fields);
    if (status)
        return status;
    if (resumed)
        read_again(window.data, fields, r->count);
    end_fields(data, fields, r->count);
    *count = r->count;
    return 0;
}
