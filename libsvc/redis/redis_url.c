/* URLs are read part by part; a part that is not as it should be is refused, never corrected. */
#include "libsvc/redis/redis_url.h"

#include <string.h>

#include "libsvc/redis/redis_text.h"

enum { CONNECT_TIMEOUT_MS = 1000, CONNECT_TIMEOUT_MOST_MS = 60000, CACHE_MOST_MB = 1 << 20 };

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX into `to`, which is NUL-terminated. False when it is too long, malformed, or has a
 * NUL. */
static bool decode(char *to, size_t space, const char *text, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? digit_of(text[i + 1]) : -1;
            int low = high >= 0 ? digit_of(text[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c || at + 1 >= space)
            return false;
        to[at++] = c;
    }
    to[at] = '\0';
    return true;
}

/* Reads "user:password", before the '@'. */
static bool read_user(struct redis_url *url, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon ? (size_t)(colon - text) : len;
    if (!decode(url->user, sizeof url->user, text, user_len))
        return false;
    return !colon || decode(url->password, sizeof url->password, colon + 1, len - user_len - 1);
}

/* The end of user and password at the begin of an authority of `len` bytes: behind the last '@'. */
static size_t user_end(const char *authority, size_t len)
{
    size_t end = len;
    while (end > 0 && authority[end - 1] != '@')
        end--;
    return end;
}

static bool read_port(struct redis_url *url, const char *text, size_t len)
{
    uint64_t port;
    if (!svc__redis_text_to_number(text, len, 65535, &port) || port == 0 || len >= sizeof url->port)
        return false;
    memcpy(url->port, text, len);
    url->port[len] = '\0';
    return true;
}

static bool is_host(const char *text, size_t len)
{
    if (len < 1 || len >= REDIS_HOST_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f ||
            strchr("/\\@?#%[]\"<>^`{|}", text[i]))
            return false;
    return true;
}

/* Reads "host", "host:port", "[::1]" or "[::1]:port". */
static bool read_host(struct redis_url *url, const char *text, size_t len)
{
    const char *host = text, *end = text + len, *host_end;
    if (len > 0 && *text == '[') {
        host++;
        host_end = memchr(text, ']', len);
        if (!host_end)
            return false;
        text = host_end + 1;
    } else {
        const char *colon = memchr(text, ':', len);
        host_end = text = colon ? colon : end;
    }
    size_t host_len = (size_t)(host_end - host);
    if (!is_host(host, host_len) || (text < end && *text != ':'))
        return false;
    memcpy(url->host, host, host_len);
    url->host[host_len] = '\0';
    memcpy(url->port, "6379", sizeof "6379");
    return text == end || read_port(url, text + 1, (size_t)(end - text) - 1);
}

static const char *read_tcp(struct redis_url *url, const char *rest)
{
    if (strncmp(rest, "//", 2) != 0)
        return "redis: has the form redis://user:password@host:port/db";
    rest += 2;
    size_t len = strcspn(rest, "/"), end = user_end(rest, len);
    if (end > 0 && !read_user(url, rest, end - 1))
        return "redis: user or password: at most 1024 bytes, with %XX for others than letters and "
               "digits";
    if (!read_host(url, rest + end, len - end))
        return "redis: no host, or a bad host or port";
    const char *db = rest + len + (rest[len] == '/');
    if (*db && !svc__redis_text_to_number(db, strlen(db), REDIS_DB_MOST, &url->db))
        return "redis: the path is the number of a database, such as /0";
    return NULL;
}

static const char *read_unix(struct redis_url *url, const char *rest)
{
    if (!strncmp(rest, "//", 2)) {
        rest += 2;
        size_t len = strcspn(rest, "/"), end = user_end(rest, len);
        if (end != len)
            return "redis+unix: no host can be given";
        if (end > 0 && !read_user(url, rest, end - 1))
            return "redis+unix: user or password: at most 1024 bytes, with %XX for others than "
                   "letters "
                   "and digits";
        rest += len;
    }
    if (*rest != '/' || !decode(url->path, sizeof url->path, rest, strlen(rest)))
        return "redis+unix: the path of a socket: absolute, at most 107 bytes";
    return NULL;
}

static const char *read_param(struct redis_url *url, const svc_sys_store_param *param)
{
    size_t len = strlen(param->value);
    if (!strcmp(param->name, "db"))
        return svc__redis_text_to_number(param->value, len, REDIS_DB_MOST, &url->db)
                   ? NULL
                   : "db: the number of a database";
    if (!strcmp(param->name, "connect_timeout_ms"))
        return svc__redis_text_to_number(param->value, len, CONNECT_TIMEOUT_MOST_MS,
                                         &url->connect_timeout_ms) &&
                       url->connect_timeout_ms > 0
                   ? NULL
                   : "connect_timeout_ms: a number from 1 to 60000";
    if (!strcmp(param->name, "cache_mb"))
        return svc__redis_text_to_number(param->value, len, CACHE_MOST_MB, &url->cache_mb)
                   ? NULL
                   : "cache_mb: a number up to 1048576";
    if (!strcmp(param->name, "password_file")) {
        url->password_file = param->value;
        return len > 0 && !*url->password ? NULL
                                          : "password_file: a path, and no password in the URL";
    }
    return "a parameter that redis: does not have: it has db, password_file, connect_timeout_ms "
           "and cache_mb";
}

int svc__redis_url_read(struct redis_url *url, const svc_sys_store_place *place, const char **why)
{
    *url = (struct redis_url){.connect_timeout_ms = CONNECT_TIMEOUT_MS};
    bool is_unix = !strcmp(place->scheme, "redis+unix");
    const char *wrong = is_unix ? read_unix(url, place->rest) : read_tcp(url, place->rest);
    for (size_t i = 0; i < place->param_count && !wrong; i++)
        wrong = read_param(url, &place->params[i]);
    if (!wrong && *url->user && !*url->password && !url->password_file)
        wrong = "redis: a user without a password";
    if (wrong)
        *why = wrong;
    return wrong ? SVC_EINVAL : 0;
}
