/* One pass over the fields picks the five that frame a request; the rules then read like a list. */
#include "libsvc/proto/head.h"

#include <svc/errors.h>

#include "libsvc/base/num.h"
#include "libsvc/proto/host.h"
#include "libsvc/proto/method.h"
#include "libsvc/proto/token.h"

enum header {
    HEADER_OTHER,
    HEADER_HOST,
    HEADER_EXPECT,
    HEADER_CONNECTION,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_COUNT
};

struct seen {
    size_t count[HEADER_COUNT];
    struct bytes value[HEADER_COUNT]; /* of the latest field of each kind */
    bool close, keep_alive;
    bool expect_continue, expect_other;
};

static int refuse(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

static enum header match(struct bytes name, const char *known, enum header header)
{
    return svc__bytes_eq_nocase(name, svc__bytes_z(known)) ? header : HEADER_OTHER;
}

static enum header classify(struct bytes name)
{
    switch (name.len) {
    case 4:
        return match(name, "host", HEADER_HOST);
    case 6:
        return match(name, "expect", HEADER_EXPECT);
    case 10:
        return match(name, "connection", HEADER_CONNECTION);
    case 14:
        return match(name, "content-length", HEADER_CONTENT_LENGTH);
    case 17:
        return match(name, "transfer-encoding", HEADER_TRANSFER_ENCODING);
    default:
        return HEADER_OTHER;
    }
}

static void read_connection(struct seen *seen, struct bytes value)
{
    while (value.data) {
        struct bytes option = svc__bytes_trim(svc__bytes_cut(&value, ','));
        seen->close |= svc__bytes_eq_nocase(option, svc__bytes_z("close"));
        seen->keep_alive |= svc__bytes_eq_nocase(option, svc__bytes_z("keep-alive"));
    }
}

static void read_expect(struct seen *seen, struct bytes value)
{
    bool known = svc__bytes_eq_nocase(svc__bytes_trim(value), svc__bytes_z("100-continue"));
    seen->expect_continue |= known;
    seen->expect_other |= !known;
}

static void take_field(struct seen *seen, const struct field *field)
{
    enum header header = classify(field->name);
    seen->count[header]++;
    seen->value[header] = field->value;
    if (header == HEADER_CONNECTION)
        read_connection(seen, field->value);
    else if (header == HEADER_EXPECT)
        read_expect(seen, field->value);
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

static int read_fields(const struct head *head, struct seen *seen, const char **reason)
{
    if (!svc__method_valid(head->method))
        return refuse(reason, 400, "the method is not a token");
    for (size_t i = 0; i < head->count; i++) {
        const struct field *field = &head->fields[i];
        if (!svc__token_valid(field->name))
            return refuse(reason, 400, "a header field's name is not a token");
        if (!svc__token_value_valid(field->value))
            return refuse(reason, 400, "a header field's value has a control character");
        take_field(seen, field);
    }
    return 0;
}

static int check_host(const struct seen *seen, unsigned minor, struct framing *framing,
                      const char **reason)
{
    if (seen->count[HEADER_HOST] > 1)
        return refuse(reason, 400, "the request has more than one Host");
    if (seen->count[HEADER_HOST] == 0 && minor > 0)
        return refuse(reason, 400, "the request has no Host");
    framing->host = svc__bytes_trim(seen->value[HEADER_HOST]);
    if (!svc__host_valid(framing->host))
        return refuse(reason, 400, "the Host is malformed");
    return 0;
}

/* "chunked" must be the whole value: MHD compares it so, and for anything else takes all that
 * follows on the connection for the body. */
static int check_coding(const struct seen *seen, unsigned minor, struct framing *framing,
                        const char **reason)
{
    if (seen->count[HEADER_TRANSFER_ENCODING] > 1)
        return refuse(reason, 400, "the request has more than one Transfer-Encoding");
    if (seen->count[HEADER_CONTENT_LENGTH] > 0)
        return refuse(reason, 400, "the request has both Transfer-Encoding and Content-Length");
    if (minor == 0)
        return refuse(reason, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (!svc__bytes_eq_nocase(seen->value[HEADER_TRANSFER_ENCODING], svc__bytes_z("chunked")))
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

static int check_length(const struct seen *seen, struct framing *framing, const char **reason)
{
    if (seen->count[HEADER_CONTENT_LENGTH] > 1)
        return refuse(reason, 400, "the request has more than one Content-Length");
    int status = svc__head_length(seen->value[HEADER_CONTENT_LENGTH], &framing->length, reason);
    if (status)
        return status;
    framing->kind = framing->length > 0 ? BODY_LENGTH : BODY_NONE;
    return 0;
}

static int check_body(const struct seen *seen, unsigned minor, struct framing *framing,
                      const char **reason)
{
    if (seen->count[HEADER_TRANSFER_ENCODING] > 0)
        return check_coding(seen, minor, framing, reason);
    if (seen->count[HEADER_CONTENT_LENGTH] > 0)
        return check_length(seen, framing, reason);
    return 0;
}

/* HTTP/1.0 has no Expect, and RFC 9110 10.1.1 has it ignored there. */
static int check_expect(const struct seen *seen, unsigned minor, struct framing *framing,
                        const char **reason)
{
    if (minor > 0 && seen->expect_other)
        return refuse(reason, 417, "the only expectation understood is 100-continue");
    framing->expect_continue = minor > 0 && seen->expect_continue;
    return 0;
}

int svc__head_check(const struct head *head, const struct head_limits *limits, struct framing *out,
                    const char **reason)
{
    struct seen seen = {.close = false};
    struct framing framing = {.kind = BODY_NONE};
    int status = check_size(head, limits, reason);
    if (status == 0)
        status = read_fields(head, &seen, reason);
    if (status == 0)
        status = check_host(&seen, head->minor, &framing, reason);
    if (status == 0)
        status = check_body(&seen, head->minor, &framing, reason);
    if (status == 0)
        status = check_expect(&seen, head->minor, &framing, reason);
    if (status != 0)
        return status;
    framing.close = seen.close || (head->minor == 0 && !seen.keep_alive);
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
