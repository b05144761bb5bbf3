/* The fields have been read before, so that the framing of a request is a list of rules here. */
#include "libsvc/proto/head.h"

#include <svc/errors.h>

#include "libsvc/base/num.h"
#include "libsvc/proto/host.h"
#include "libsvc/proto/method.h"
#include "libsvc/proto/token.h"

static int refuse(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

/* Whether a list in one of the fields of that name has the member `option`. */
static bool has_option(const struct fields *fields, enum field_name name, struct bytes option)
{
    const struct field *field = NULL;
    while ((field = svc__fields_each(fields, field, name))) {
        struct bytes rest = field->value;
        while (rest.data)
            if (svc__bytes_eq_nocase(svc__bytes_trim(svc__bytes_cut(&rest, ',')), option))
                return true;
    }
    return false;
}

static int check_size(const struct head *head, const struct head_limits *limits,
                      const char **reason)
{
    if (head->target_raw.len > limits->max_target)
        return refuse(reason, 414, "the request target is too long");
    if (head->count > limits->max_fields)
        return refuse(reason, 431, "the request has too many header fields");
    if (head->bytes > limits->max_bytes)
        return refuse(reason, 431, "the request's header fields are too large");
    return 0;
}

static int check_fields(const struct head *head, const struct fields *fields, const char **reason)
{
    if (!svc__method_valid(head->method))
        return refuse(reason, 400, "the method is not a token");
    if (fields->bad_name)
        return refuse(reason, 400, "a header field's name is not a token");
    if (fields->bad_value)
        return refuse(reason, 400, "a header field's value has a control character");
    return 0;
}

static int check_host(const struct fields *fields, unsigned minor, struct framing *framing,
                      const char **reason)
{
    if (svc__fields_repeats(fields, FIELD_HOST))
        return refuse(reason, 400, "the request has more than one Host");
    if (!svc__fields_has(fields, FIELD_HOST) && minor > 0)
        return refuse(reason, 400, "the request has no Host");
    framing->host = svc__bytes_trim(svc__fields_value(fields, FIELD_HOST));
    if (!svc__host_valid(framing->host))
        return refuse(reason, 400, "the Host is malformed");
    return 0;
}

/* "chunked" must be the whole value: libmicrohttpd compares it so, and for any other value takes
 * all further bytes of the connection for the body. */
static int check_coding(const struct fields *fields, unsigned minor, struct framing *framing,
                        const char **reason)
{
    if (svc__fields_repeats(fields, FIELD_TRANSFER_ENCODING))
        return refuse(reason, 400, "the request has more than one Transfer-Encoding");
    if (svc__fields_has(fields, FIELD_CONTENT_LENGTH))
        return refuse(reason, 400, "the request has both Transfer-Encoding and Content-Length");
    if (minor == 0)
        return refuse(reason, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (!svc__bytes_eq_nocase(svc__fields_value(fields, FIELD_TRANSFER_ENCODING),
                              svc__bytes_z("chunked")))
        return refuse(reason, 501, "the only Transfer-Encoding understood is chunked");
    framing->kind = BODY_CHUNKED;
    return 0;
}

int svc__head_length(struct bytes value, uint64_t *length, const char **reason)
{
    int rc = svc__num_u64(value, INT64_MAX, length);
    if (rc == SVC_ETOOBIG)
        return refuse(reason, 413, "the Content-Length is too large");
    return rc ? refuse(reason, 400, "the Content-Length is not a number") : 0;
}

static int check_length(const struct fields *fields, struct framing *framing, const char **reason)
{
    if (svc__fields_repeats(fields, FIELD_CONTENT_LENGTH))
        return refuse(reason, 400, "the request has more than one Content-Length");
    int status =
        svc__head_length(svc__fields_value(fields, FIELD_CONTENT_LENGTH), &framing->length, reason);
    if (status)
        return status;
    framing->kind = framing->length > 0 ? BODY_LENGTH : BODY_NONE;
    return 0;
}

static int check_body(const struct fields *fields, unsigned minor, struct framing *framing,
                      const char **reason)
{
    if (svc__fields_has(fields, FIELD_TRANSFER_ENCODING))
        return check_coding(fields, minor, framing, reason);
    if (svc__fields_has(fields, FIELD_CONTENT_LENGTH))
        return check_length(fields, framing, reason);
    return 0;
}

/* HTTP/1.0 has no Expect: RFC 9110 10.1.1 demands that it is ignored there. */
static int check_expect(const struct fields *fields, unsigned minor, struct framing *framing,
                        const char **reason)
{
    const struct field *field = NULL;
    while (minor > 0 && (field = svc__fields_each(fields, field, FIELD_EXPECT))) {
        if (!svc__bytes_eq_nocase(svc__bytes_trim(field->value), svc__bytes_z("100-continue")))
            return refuse(reason, 417, "the only expectation understood is 100-continue");
        framing->expect_continue = true;
    }
    return 0;
}

/* HTTP/1.0 closes unless the client asks for the opposite. */
static bool closes(const struct fields *fields, unsigned minor)
{
    return has_option(fields, FIELD_CONNECTION, svc__bytes_z("close")) ||
           (minor == 0 && !has_option(fields, FIELD_CONNECTION, svc__bytes_z("keep-alive")));
}

int svc__head_check(const struct head *head, const struct fields *fields,
                    const struct head_limits *limits, struct framing *out, const char **reason)
{
    struct framing framing = {.kind = BODY_NONE};
    int status = check_size(head, limits, reason);
    if (status == 0)
        status = check_fields(head, fields, reason);
    if (status == 0)
        status = check_host(fields, head->minor, &framing, reason);
    if (status == 0)
        status = check_body(fields, head->minor, &framing, reason);
    if (status == 0)
        status = check_expect(fields, head->minor, &framing, reason);
    if (status != 0)
        return status;
    framing.chunks = head->minor > 0;
    framing.close = closes(fields, head->minor);
    *out = framing;
    return 0;
}

static size_t add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

size_t svc__head_size(const struct head *head)
{
    /* "method target HTTP/1.1\r\n", "name: value\r\n" each, "\r\n" */
    size_t size = add(head->method.len, add(head->target_raw.len, 12 + 2));
    for (size_t i = 0; i < head->count; i++) {
        const struct field *field = &head->fields[i];
        size = add(size, add(field->name.len, add(field->value.len, 4)));
    }
    return size;
}
