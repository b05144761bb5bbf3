/* A parser of multipart/form-data, in pieces of any size. */
#include "libsvc/form/multipart_parser.h"

#include "libsvc/base/least.h"
#include "libsvc/proto/media.h"

/* Between two states of one call. */
enum { MULTIPART_GO_ON = -1 };

static void pass_over(struct bytes *in, size_t n)
{
    *in = svc__bytes(in->data + n, in->len - n);
}

static int refuse_body(struct multipart_parser *p, int status, const char *detail)
{
    p->state = MULTIPART_STOPPED;
    p->why = (struct refusal){status, detail};
    return MULTIPART_FAILED;
}

/* Where more bytes are needed, and none may come. */
static int await_more(struct multipart_parser *p, bool last)
{
    return last ? refuse_body(p, 400, "the form ends before its last boundary") : MULTIPART_MORE;
}

/* ---- The boundary */

/* bchars of RFC 2046 5.1.1; a space may not be the last one. */
static bool boundary_valid(struct bytes boundary)
{
    if (boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX ||
        boundary.data[boundary.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < boundary.len; i++) {
        char c = boundary.data[i];
        if (!svc__bytes_is_letter(c) && !svc__bytes_is_digit(c) && !memchr("'()+_,-./:=? ", c, 13))
            return false;
    }
    return true;
}

/* Undoes the backslash pairs of a quoted value. The length; 0 when there is no room. */
static size_t undo_pairs(char *to, size_t size, struct bytes value)
{
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '\\' && i + 1 < value.len)
            i++;
        if (len == size)
            return 0;
        to[len++] = value.data[i];
    }
    return len;
}

int svc__multipart_begin(struct multipart_parser *p, struct bytes content_type,
                         const struct multipart_limits *limits, char *text)
{
    struct media media;
    struct bytes boundary;
    *p = (struct multipart_parser){.limits = limits, .text = text};
    memcpy(p->delimiter, "\r\n--", 4);
    if (!content_type.data)
        refuse_body(p, 415,
                    "the body must be multipart/form-data, with a Content-Type that says so");
    else if (svc__media_parse(content_type, &media))
        refuse_body(p, 400, "the Content-Type is malformed");
    else if (!svc__media_is(&media, "multipart", "form-data"))
        refuse_body(p, 415,
                    "the body must be multipart/form-data, with a Content-Type that says so");
    else if (svc__media_repeats(&media))
        refuse_body(p, 400, "the Content-Type repeats a parameter");
    else if (svc__media_param(&media, svc__bytes_z("boundary"), &boundary))
        refuse_body(p, 400, "the Content-Type of the form has no boundary");
    else {
        size_t len = undo_pairs(p->delimiter + 4, MULTIPART_BOUNDARY_MAX, boundary);
        p->delimiter_len = 4 + len;
        if (!boundary_valid(svc__bytes(p->delimiter + 4, len)))
            refuse_body(p, 400, "the boundary of the form is malformed");
    }
    return p->why.status;
}

static const char *find_delimiter(const struct multipart_parser *p, struct bytes in)
{
    return in.len == 0 ? NULL : memmem(in.data, in.len, p->delimiter, p->delimiter_len);
}

/* How many bytes at the end of `in`, which has no delimiter, may be the beginning of one. CR is
 * only the first byte of a delimiter, so the last CR decides. */
static size_t count_held(const struct multipart_parser *p, struct bytes in)
{
    size_t most = svc__least(in.len, p->delimiter_len - 1);
    if (most == 0)
        return 0;
    const char *end = in.data + in.len;
    const char *cr = memrchr(end - most, '\r', most);
    size_t len = cr ? (size_t)(end - cr) : 0;
    return len > 0 && memcmp(cr, p->delimiter, len) == 0 ? len : 0;
}

/* Whether the input begins with a boundary that needs no CRLF of its own. `*is_open`: it is too
 * short to say. */
static bool begins_with_boundary(const struct multipart_parser *p, struct bytes in, bool *is_open)
{
    size_t len = p->delimiter_len - 2, least = svc__least(in.len, len);
    bool same = least == 0 || memcmp(in.data, p->delimiter + 2, least) == 0;
    *is_open = same && least < len;
    return same && least == len;
}

/* ---- States */

static int take_start(struct multipart_parser *p, struct bytes *in, bool last)
{
    bool is_open;
    bool found = begins_with_boundary(p, *in, &is_open);
    if (is_open && !last)
        return MULTIPART_MORE;
    if (found)
        pass_over(in, p->delimiter_len - 2);
    p->state = found ? MULTIPART_BEHIND_BOUNDARY : MULTIPART_IN_PREAMBLE;
    return MULTIPART_GO_ON;
}

static int take_preamble(struct multipart_parser *p, struct bytes *in, bool last)
{
    const char *found = find_delimiter(p, *in);
    if (!found) {
        pass_over(in, in->len - count_held(p, *in));
        return last ? refuse_body(p, 400, "the form does not have the boundary of its Content-Type")
                    : MULTIPART_MORE;
    }
    pass_over(in, (size_t)(found - in->data) + p->delimiter_len);
    p->state = MULTIPART_BEHIND_BOUNDARY;
    return MULTIPART_GO_ON;
}

static int take_boundary(struct multipart_parser *p, struct bytes *in, bool last)
{
    if (in->len == 0 || (in->len == 1 && *in->data == '-'))
        return await_more(p, last);
    bool closes = in->len > 1 && in->data[0] == '-' && in->data[1] == '-';
    if (closes)
        pass_over(in, 2);
    p->state = closes ? MULTIPART_BEHIND_CLOSE : MULTIPART_IN_PADDING;
    return MULTIPART_GO_ON;
}

/* RFC 2046 5.1.1: gateways may have added white space. */
static void skip_padding(struct bytes *in)
{
    while (in->len > 0 && (*in->data == ' ' || *in->data == '\t'))
        pass_over(in, 1);
}

/* A boundary is one even if more stands in its line (RFC 2046 5.1.1), where parsers disagree: so
 * such a form is refused. */
static int end_line(struct multipart_parser *p, struct bytes *in, bool last,
                    enum multipart_state next)
{
    if (in->len == 0 || (in->len == 1 && *in->data == '\r'))
        return await_more(p, last);
    if (in->data[0] != '\r' || in->data[1] != '\n')
        return refuse_body(p, 400, "a boundary of the form is followed by other bytes in its line");
    pass_over(in, 2);
    p->state = next;
    p->seen = 0;
    return MULTIPART_GO_ON;
}

static int take_padding(struct multipart_parser *p, struct bytes *in, bool last)
{
    skip_padding(in);
    return end_line(p, in, last, MULTIPART_IN_HEAD);
}

static int take_close(struct multipart_parser *p, struct bytes *in, bool last)
{
    skip_padding(in);
    if (in->len == 0 && last) {
        p->state = MULTIPART_STOPPED;
        return MULTIPART_END;
    }
    return end_line(p, in, last, MULTIPART_IN_EPILOGUE);
}

static int take_epilogue(struct multipart_parser *p, struct bytes *in, bool last)
{
    pass_over(in, in->len);
    if (last)
        p->state = MULTIPART_STOPPED;
    return last ? MULTIPART_END : MULTIPART_MORE;
}

static int begin_part(struct multipart_parser *p, struct bytes lines)
{
    bool is_open;
    if (p->parts == p->limits->parts)
        return refuse_body(p, 413, "the form has too many parts");
    p->parts++;
    if (begins_with_boundary(p, lines, &is_open) || find_delimiter(p, lines))
        return refuse_body(p, 400, "a part has no empty line behind its header fields");
    if (!svc__multipart_head_read(lines, p->limits->name, p->text, &p->head, &p->why))
        return refuse_body(p, p->why.status, p->why.detail);
    p->left = p->head.filename.data ? p->limits->file : p->limits->field;
    p->state = MULTIPART_BEHIND_HEAD;
    return MULTIPART_PART;
}

static int take_head(struct multipart_parser *p, struct bytes *in, bool last)
{
    size_t most = svc__least(in->len, p->limits->head + 4);
    if (most >= 2 && memcmp(in->data, "\r\n", 2) == 0)
        return refuse_body(p, 400, "a part has no header fields");
    const char *end =
        most > p->seen ? memmem(in->data + p->seen, most - p->seen, "\r\n\r\n", 4) : NULL;
    if (!end) {
        if (most == p->limits->head + 4)
            return refuse_body(p, 413, "the header fields of a part are too large");
        p->seen = most > 3 ? most - 3 : 0;
        return await_more(p, last);
    }
    struct bytes lines = svc__bytes(in->data, (size_t)(end - in->data));
    pass_over(in, lines.len + 4);
    return begin_part(p, lines);
}

/* RFC 2046 5.1.1: the empty line of a part without a body may be that of the next boundary. */
static int take_head_end(struct multipart_parser *p, struct bytes *in, bool last)
{
    bool is_open;
    bool found = begins_with_boundary(p, *in, &is_open);
    if (is_open && !last)
        return MULTIPART_MORE;
    p->state = found ? MULTIPART_BEHIND_BOUNDARY : MULTIPART_IN_DATA;
    if (found)
        pass_over(in, p->delimiter_len - 2);
    return found ? MULTIPART_PART_END : MULTIPART_GO_ON;
}

static int take_data(struct multipart_parser *p, struct bytes *in, bool last)
{
    const char *found = find_delimiter(p, *in);
    size_t len = found ? (size_t)(found - in->data) : in->len - count_held(p, *in);
    if (len == 0 && found) {
        pass_over(in, p->delimiter_len);
        p->state = MULTIPART_BEHIND_BOUNDARY;
        return MULTIPART_PART_END;
    }
    if (len == 0)
        return await_more(p, last);
    if (p->left == 0)
        return refuse_body(p, 413, "a part of the form is over the limit");
    len = p->left < len ? (size_t)p->left : len;
    p->left -= len;
    p->data = svc__bytes(in->data, len);
    pass_over(in, len);
    return MULTIPART_DATA;
}

static int take_nothing(struct multipart_parser *p, struct bytes *in, bool last)
{
    (void)in, (void)last;
    return p->why.status ? MULTIPART_FAILED : MULTIPART_END;
}

enum multipart_event svc__multipart_parse(struct multipart_parser *p, struct bytes *in, bool last)
{
    static int (*const states[])(struct multipart_parser * p, struct bytes * in, bool last) = {
        [MULTIPART_AT_START] = take_start,
        [MULTIPART_IN_PREAMBLE] = take_preamble,
        [MULTIPART_BEHIND_BOUNDARY] = take_boundary,
        [MULTIPART_IN_PADDING] = take_padding,
        [MULTIPART_IN_HEAD] = take_head,
        [MULTIPART_BEHIND_HEAD] = take_head_end,
        [MULTIPART_IN_DATA] = take_data,
        [MULTIPART_BEHIND_CLOSE] = take_close,
        [MULTIPART_IN_EPILOGUE] = take_epilogue,
        [MULTIPART_STOPPED] = take_nothing,
    };
    int event;
    do
        event = states[p->state](p, in, last);
    while (event == MULTIPART_GO_ON);
    return (enum multipart_event)event;
}
