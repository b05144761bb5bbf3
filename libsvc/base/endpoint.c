/* The text of an address to listen on. */
#include "libsvc/base/endpoint.h"

#include <string.h>
#include <sys/un.h>

#include <svc/errors.h>

#include "libsvc/base/num.h"

static int refuse(const char **reason, const char *text)
{
    *reason = text;
    return SVC_ESYNTAX;
}

static void set_name(struct endpoint *out, struct bytes name)
{
    memcpy(out->name, name.data, name.len);
    out->name[name.len] = '\0';
}

static int parse_local(struct bytes path, struct endpoint *out, const char **reason)
{
    if (path.len == 0 || path.len >= sizeof((struct sockaddr_un *)0)->sun_path)
        return refuse(reason, "the path is empty or too long");
    *out = (struct endpoint){.local = true};
    set_name(out, path);
    return 0;
}

/* An IPv6 address must be in brackets: without them its end and the port cannot be told apart. */
static bool strip_brackets(struct bytes *host)
{
    if (host->len > 2 && host->data[0] == '[' && host->data[host->len - 1] == ']') {
        *host = svc__bytes(host->data + 1, host->len - 2);
        return true;
    }
    return !memchr(host->data, ':', host->len);
}

static int parse_inet(struct bytes text, struct endpoint *out, const char **reason)
{
    static const char expected[] = "expected host:port, :port, [v6]:port or unix:/path";
    const char *colon = text.len ? memrchr(text.data, ':', text.len) : NULL;
    if (!colon)
        return refuse(reason, expected);
    struct bytes host = {text.data, (size_t)(colon - text.data)};
    struct bytes digits = {colon + 1, text.len - host.len - 1};
    uint64_t port;
    if (!strip_brackets(&host) || svc__num_u64(digits, UINT16_MAX, &port))
        return refuse(reason, expected);
    *out = (struct endpoint){.port = (uint16_t)port};
    set_name(out, host);
    return 0;
}

int svc__endpoint_parse(struct bytes text, struct endpoint *out, const char **reason)
{
    static const char local[] = "unix:";
    enum { LOCAL = sizeof local - 1 };
    if (text.len >= ENDPOINT_TEXT)
        return refuse(reason, "the address is too long");
    if (text.len >= LOCAL && !memcmp(text.data, local, LOCAL))
        return parse_local(svc__bytes(text.data + LOCAL, text.len - LOCAL), out, reason);
    return parse_inet(text, out, reason);
}

struct bytes svc__endpoint_next(struct bytes *rest)
{
    return svc__bytes_trim(svc__bytes_cut(rest, ','));
}
