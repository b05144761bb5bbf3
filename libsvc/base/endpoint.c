/* Parses the text of an address to listen on. */
#include "libsvc/base/endpoint.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include <svc/errors.h>

#include "libsvc/base/num.h"

static int bad_endpoint(const char **reason, const char *text)
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
        return bad_endpoint(reason, "the path is empty or too long");
    if (path.data[0] == '@' || memchr(path.data, '\0', path.len))
        return bad_endpoint(reason, "a socket without a file (abstract) is not possible");
    if (path.data[path.len - 1] == '/')
        return bad_endpoint(reason, "the path is that of a folder");
    if (path.len > 2 && !memcmp(path.data, "//", 2) && path.data[2] != '/')
        return bad_endpoint(reason, "the path begins with two slashes; unix:/path is expected");
    *out = (struct endpoint){.local = true};
    set_name(out, path);
    return 0;
}

static bool is_address(int family, struct bytes text)
{
    char copy[INET6_ADDRSTRLEN], address[16];
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, address) == 1;
}

/* "::1" or "fe80::1%eth0" */
static bool is_v6(struct bytes text)
{
    struct bytes zone = text, address = svc__bytes_cut(&zone, '%');
    return is_address(AF_INET6, address) && (!zone.data || zone.len > 0);
}

/* A host whose last label is a number is taken for an IPv4 address, for which the system's resolver
 * also takes "127.1", "0x7f.1", "010.0.0.1" and "2130706433". */
static bool ends_in_number(struct bytes host)
{
    size_t at = host.len;
    while (at > 0 && host.data[at - 1] != '.')
        at--;
    return host.len > at && host.data[at] >= '0' && host.data[at] <= '9' &&
           (host.len - at == 1 || host.data[at + 1] == 'x' || host.data[at + 1] == 'X' ||
            (host.data[host.len - 1] >= '0' && host.data[host.len - 1] <= '9'));
}

static bool is_label(struct bytes label)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    for (size_t i = 0; i < label.len; i++)
        if (!label.data[i] || !strchr(allowed, label.data[i]))
            return false;
    return label.len > 0 && label.data[0] != '-' && label.data[label.len - 1] != '-';
}

/* A name of the DNS; its last dot stands for the root. */
static bool is_name(struct bytes host)
{
    struct bytes rest = host;
    if (rest.len > 1 && rest.data[rest.len - 1] == '.')
        rest.len--;
    bool valid = rest.len > 0;
    while (valid && rest.data)
        valid = is_label(svc__bytes_cut(&rest, '.'));
    return valid;
}

/* Sets the host from the text before the port. An IPv6 address stands in brackets, without which
 * its end could not be distinguished from the port, and no other host does. */
static const char *parse_host(struct bytes text, struct endpoint *out)
{
    if (text.len == 0 || svc__bytes_eq_z(text, "*"))
        return NULL;
    if (text.data[0] == '[') {
        text = svc__bytes(text.data + 1, text.len - 1);
        if (text.len < 2 || text.data[text.len - 1] != ']')
            return "the bracket is not closed";
        text.len--;
        if (!is_v6(text))
            return "no IPv6 address stands in the brackets";
    } else if (memchr(text.data, ':', text.len)) {
        return "an IPv6 address must be in brackets, as [::1]:80";
    } else if (ends_in_number(text) ? !is_address(AF_INET, text) : !is_name(text)) {
        return "the host is no name and no IPv4 address of four decimal numbers";
    }
    set_name(out, text);
    return NULL;
}

static int parse_inet(struct bytes text, struct endpoint *out, const char **reason)
{
    const char *colon = text.len ? memrchr(text.data, ':', text.len) : NULL;
    if (!colon)
        return bad_endpoint(reason, "expected host:port, :port, [v6]:port or unix:/path");
    struct bytes host = {text.data, (size_t)(colon - text.data)};
    struct bytes digits = {colon + 1, text.len - host.len - 1};
    struct endpoint found = {0};
    uint64_t port;
    const char *fault = parse_host(host, &found);
    if (!fault && svc__num_u64(digits, UINT16_MAX, &port))
        fault = "expected host:port, with a port up to 65535";
    if (fault)
        return bad_endpoint(reason, fault);
    found.port = (uint16_t)port;
    *out = found;
    return 0;
}

int svc__endpoint_parse(struct bytes text, struct endpoint *out, const char **reason)
{
    static const char local[] = "unix:";
    enum { LOCAL = sizeof local - 1 };
    if (text.len >= ENDPOINT_TEXT)
        return bad_endpoint(reason, "the address is too long");
    if (text.len >= LOCAL && !memcmp(text.data, local, LOCAL))
        return parse_local(svc__bytes(text.data + LOCAL, text.len - LOCAL), out, reason);
    return parse_inet(text, out, reason);
}
