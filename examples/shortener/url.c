/* A URL is cut into scheme, host, port and rest (RFC 3986), of which nothing is decoded. */
#include "url.h"

#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *skip_scheme(const char *text)
{
    if (!strncasecmp(text, "https://", 8))
        return text + 8;
    return strncasecmp(text, "http://", 7) ? NULL : text + 7;
}

/* The end of a host name or address; `at` itself if there is none. */
static const char *skip_host(const char *at)
{
    if (*at != '[')
        return at + strspn(at, LETTERS DIGITS ".-");
    size_t len = strspn(at + 1, "0123456789abcdefABCDEF:.");
    return len > 0 && at[1 + len] == ']' ? at + len + 2 : at;
}

const char *url_fault(const char *text)
{
    const char *host = skip_scheme(text);
    if (!host)
        return "must begin with http:// or https://";
    const char *at = skip_host(host);
    if (at == host)
        return "must have a host";
    if (*at == ':')
        at += 1 + strspn(at + 1, DIGITS);
    if (*at && !strchr("/?#", *at))
        return "must have a host name or address, and nothing else before its path";
    static const char rest[] = LETTERS DIGITS "-._~:/?#[]@!$&'()*+,;=%";
    if (at[strspn(at, rest)])
        return "must have only characters of a URL; encode others as %XX";
    return NULL;
}
