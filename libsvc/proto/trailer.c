/* The fields that may be trailers, and the check of a request's trailers. */
#include "libsvc/proto/trailer.h"

#include "libsvc/proto/token.h"

bool svc__trailer_allowed(struct bytes name)
{
    static const char *const refused[] = {
        /* framing and connection */
        "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Connection", "Keep-Alive",
        "Proxy-Connection", "Upgrade",
        /* routing, and the treatment of a request */
        "Host", "Expect", "Max-Forwards", "Range", "If-Match", "If-None-Match", "If-Range",
        "If-Modified-Since", "If-Unmodified-Since",
        /* authentication and state */
        "Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Cookie",
        "Set-Cookie",
        /* the handling of a reply */
        "Age", "Cache-Control", "Date", "Expires", "Location", "Pragma", "Retry-After", "Vary",
        "Warning",
        /* the reading of a body */
        "Content-Encoding", "Content-Location", "Content-Range", "Content-Type"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(refused[i])))
            return false;
    return true;
}

static int refuse_trailers(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

int svc__trailer_check(const struct head *head, const struct head_limits *limits,
                       const struct field *fields, size_t count, const char **reason)
{
    size_t left = head->bytes < limits->max_bytes ? limits->max_bytes - head->bytes : 0;
    if (head->count > limits->max_fields || count > limits->max_fields - head->count)
        return refuse_trailers(reason, 431, "the request has too many fields with its trailers");
    for (size_t i = 0; i < count; i++) {
        size_t name = fields[i].name.len, value = fields[i].value.len;
        if (name > left || value > left - name || left - name - value < 4) /* ": " and CRLF */
            return refuse_trailers(reason, 431, "the request's trailer fields are too large");
        left -= name + value + 4;
        if (!svc__token_valid(fields[i].name))
            return refuse_trailers(reason, 400, "a trailer field's name is not a token");
        if (!svc__token_value_valid(fields[i].value))
            return refuse_trailers(reason, 400, "a trailer field's value has a control character");
    }
    return 0;
}
