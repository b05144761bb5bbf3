/* The header fields of one part of a form. */
#include "libsvc/form/multipart_head.h"

#include "libsvc/base/utf8.h"
#include "libsvc/proto/disposition.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/token.h"
#include "libsvc/proto/uri.h"

/* The fields that matter; all others are ignored (RFC 7578 4.8). "None" where one is absent. */
struct part_fields {
    struct bytes disposition, type, encoding;
};

/* A head that is being read: texts go to `to`. */
struct head_reader {
    struct multipart_head head;
    char *to;
    size_t max_name;
    bool is_named, has_filename, is_extended;
    struct refusal *why;
};

static bool refuse_part(struct refusal *why, int status, const char *detail)
{
    *why = (struct refusal){status, detail};
    return false;
}

static void pass_over(struct bytes *text, size_t n)
{
    *text = svc__bytes(text->data + n, text->len - n);
}

static bool starts_with(struct bytes text, char c)
{
    return text.len > 0 && *text.data == c;
}

/* ---- Lines */

/* Takes a line off `*rest`, which becomes "none" behind the last one. */
static struct bytes take_line(struct bytes *rest)
{
    const char *end = memmem(rest->data, rest->len, "\r\n", 2);
    struct bytes line = *rest;
    if (!end) {
        *rest = svc__bytes(NULL, 0);
        return line;
    }
    line.len = (size_t)(end - line.data);
    pass_over(rest, line.len + 2);
    return line;
}

static struct bytes *find_field(struct part_fields *fields, struct bytes name)
{
    if (svc__bytes_eq_nocase(name, svc__bytes_z("Content-Disposition")))
        return &fields->disposition;
    if (svc__bytes_eq_nocase(name, svc__bytes_z("Content-Type")))
        return &fields->type;
    if (svc__bytes_eq_nocase(name, svc__bytes_z("Content-Transfer-Encoding")))
        return &fields->encoding;
    return NULL;
}

static bool read_line(struct part_fields *fields, struct bytes line, struct refusal *why)
{
    size_t len = svc__token_span(line);
    if (starts_with(line, ' ') || starts_with(line, '\t'))
        return refuse_part(why, 400, "a header field of a part is folded into two lines");
    if (len == 0 || len == line.len || line.data[len] != ':')
        return refuse_part(why, 400, "a header field of a part is malformed");
    struct bytes *field = find_field(fields, svc__bytes(line.data, len));
    pass_over(&line, len + 1);
    if (!svc__token_value_valid(line))
        return refuse_part(why, 400, "a header field of a part has a control character");
    if (field && field->data)
        return refuse_part(why, 400, "a header field of a part is repeated");
    if (field)
        *field = svc__bytes_trim(line);
    return true;
}

static bool read_lines(struct part_fields *fields, struct bytes lines, struct refusal *why)
{
    while (lines.data)
        if (!read_line(fields, take_line(&lines), why))
            return false;
    return true;
}

/* ---- Content-Disposition */

/* The character that an escape of browsers stands for; 0 where none begins. */
static char find_escaped(struct bytes text)
{
    if (text.len < 3 || *text.data != '%')
        return 0;
    struct bytes digits = svc__bytes(text.data + 1, 2);
    if (svc__bytes_eq_z(digits, "22"))
        return '"';
    if (svc__bytes_eq_nocase(digits, svc__bytes_z("0D")))
        return '\r';
    return svc__bytes_eq_nocase(digits, svc__bytes_z("0A")) ? '\n' : 0;
}

/*
 * Takes a character off a quoted string. Old browsers send backslashes of a path as they are, so a
 * backslash is an escape only where one is needed.
 */
static char take_character(struct bytes *text)
{
    char c = find_escaped(*text);
    if (c) {
        pass_over(text, 3);
        return c;
    }
    if (*text->data == '\\' && text->len > 1 && (text->data[1] == '"' || text->data[1] == '\\'))
        pass_over(text, 1);
    c = *text->data;
    pass_over(text, 1);
    return c;
}

/* Takes a quoted string off `*text`, which begins with its first quote. False if it has no end. */
static bool take_quoted(struct bytes *text, char **to, struct bytes *out)
{
    char *begin = *to;
    pass_over(text, 1);
    while (text->len > 0 && *text->data != '"')
        *(*to)++ = take_character(text);
    if (text->len == 0)
        return false;
    pass_over(text, 1);
    *out = svc__bytes(begin, (size_t)(*to - begin));
    *(*to)++ = '\0';
    return true;
}

static bool take_param_value(struct bytes *text, char **to, struct bytes *out)
{
    if (starts_with(*text, '"'))
        return take_quoted(text, to, out);
    size_t len = svc__token_span(*text);
    *out = svc__bytes_copy(to, svc__bytes(text->data, len));
    pass_over(text, len);
    return len > 0;
}

/* A name of the client's, once decoded. */
static bool check_name(const struct head_reader *r, struct bytes name)
{
    if (name.len > r->max_name)
        return refuse_part(r->why, 413, "the name of a part or of its file is too long");
    if (!svc__utf8_text(name))
        return refuse_part(r->why, 400,
                           "the name of a part or of its file is not UTF-8, or holds NUL");
    return true;
}

/* A name that is not empty must not become so, nor lead to another folder. */
static bool take_filename(struct head_reader *r, struct bytes sent)
{
    struct bytes name = svc__disposition_name(sent);
    if (!check_name(r, sent))
        return false;
    if (sent.len > 0 &&
        (name.len == 0 || svc__bytes_eq_z(name, ".") || svc__bytes_eq_z(name, "..")))
        return refuse_part(r->why, 400, "the name of a part's file is that of a folder");
    r->head.filename = name;
    return true;
}

/* Decodes an extended value (RFC 8187 3.2) where it lies. */
static bool take_extended(struct head_reader *r, struct bytes value)
{
    struct bytes rest = value;
    struct bytes charset = svc__bytes_cut(&rest, '\'');
    svc__bytes_cut(&rest, '\''); /* the language */
    if (!rest.data || !svc__uri_escapes_valid(rest))
        return refuse_part(r->why, 400, "the filename* of a part is malformed");
    if (!svc__bytes_eq_nocase(charset, svc__bytes_z("UTF-8")))
        return refuse_part(r->why, 415, "the filename* of a part is not in UTF-8");
    char *data = r->to - 1 - rest.len;
    size_t len = svc__uri_decode(data, rest, false);
    data[len] = '\0';
    r->to = data + len + 1;
    return take_filename(r, svc__bytes(data, len));
}

static bool take_param(struct head_reader *r, struct bytes name, struct bytes value)
{
    bool *seen = NULL;
    if (svc__bytes_eq_nocase(name, svc__bytes_z("name")))
        seen = &r->is_named;
    else if (svc__bytes_eq_nocase(name, svc__bytes_z("filename")))
        seen = &r->has_filename;
    else if (svc__bytes_eq_nocase(name, svc__bytes_z("filename*")))
        seen = &r->is_extended;
    if (!seen)
        return true;
    if (*seen)
        return refuse_part(r->why, 400, "Content-Disposition of a part repeats a parameter");
    *seen = true;
    if (seen == &r->is_extended)
        return take_extended(r, value);
    if (seen == &r->has_filename)
        return r->is_extended || take_filename(r, value);
    r->head.name = value;
    return check_name(r, value);
}

static bool read_params(struct head_reader *r, struct bytes text)
{
    static const char malformed[] = "Content-Disposition of a part is malformed";
    while ((text = svc__bytes_trim(text)).len > 0) {
        struct bytes value;
        if (*text.data != ';')
            return refuse_part(r->why, 400, malformed);
        pass_over(&text, 1);
        text = svc__bytes_trim(text);
        size_t len = svc__token_span(text);
        if (len == 0 && (text.len == 0 || *text.data == ';'))
            continue; /* an empty one */
        struct bytes name = svc__bytes(text.data, len);
        pass_over(&text, len);
        if (len == 0 || !starts_with(text, '='))
            return refuse_part(r->why, 400, malformed);
        pass_over(&text, 1);
        if (!take_param_value(&text, &r->to, &value))
            return refuse_part(r->why, 400, malformed);
        if (!take_param(r, name, value))
            return false;
    }
    return r->is_named || refuse_part(r->why, 400, "a part has no name");
}

static bool read_disposition(struct head_reader *r, struct bytes text)
{
    size_t len = svc__token_span(text);
    if (!text.data)
        return refuse_part(r->why, 400, "a part has no Content-Disposition");
    if (!svc__bytes_eq_nocase(svc__bytes(text.data, len), svc__bytes_z("form-data")))
        return refuse_part(r->why, 400, "Content-Disposition of a part is not form-data");
    pass_over(&text, len);
    return read_params(r, text);
}

/* ---- The other fields */

/* RFC 7578 4.7: nothing but the bytes themselves has a use in HTTP. */
static bool check_encoding(struct bytes encoding, struct refusal *why)
{
    static const char *const known[] = {"7bit", "8bit", "binary"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!encoding.data || svc__bytes_eq_nocase(encoding, svc__bytes_z(known[i])))
            return true;
    return refuse_part(why, 415, "Content-Transfer-Encoding of a part is not 7bit, 8bit or binary");
}

/* A text that says it is in another charset would be misread. */
static bool check_charset(const struct multipart_head *head, struct refusal *why)
{
    struct media media;
    struct bytes charset;
    if (head->filename.data || svc__media_parse(head->type, &media) ||
        svc__media_param(&media, svc__bytes_z("charset"), &charset) ||
        svc__bytes_eq_nocase(charset, svc__bytes_z("utf-8")) ||
        svc__bytes_eq_nocase(charset, svc__bytes_z("us-ascii")))
        return true;
    return refuse_part(why, 415, "the charset of a part is not UTF-8");
}

bool svc__multipart_head_read(struct bytes lines, size_t max_name, char *text,
                              struct multipart_head *out, struct refusal *why)
{
    struct part_fields fields = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct head_reader r = {.to = text, .max_name = max_name, .why = why};
    if (!read_lines(&fields, lines, why) || !read_disposition(&r, fields.disposition))
        return false;
    r.head.type = fields.type.data ? svc__bytes_copy(&r.to, fields.type)
                                   : svc__bytes_z("text/plain"); /* RFC 7578 4.4 */
    if (!check_encoding(fields.encoding, why) || !check_charset(&r.head, why))
        return false;
    *out = r.head;
    return true;
}
