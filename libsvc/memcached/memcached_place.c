/* "//a:11211,b,[::1]:11212,/run/memcached.sock", and the parameters that this scheme has for
 * itself. */
#include "libsvc/memcached/memcached_place.h"

#include <string.h>
#include <sys/un.h>

#include "libsvc/memcached/memcached_reply.h"

static const char default_port[] = "11211";

static const char bad_list[] =
    "servers are a list such as memcached://a:11211,b,[::1]:11212 or memcached:///run/a.sock";

/* Copies a part of the URL. False if it is empty or too long. */
static bool copy_part(char *into, size_t room, const char *from, size_t len)
{
    if (len < 1 || len >= room)
        return false;
    memcpy(into, from, len);
    into[len] = '\0';
    return true;
}

static bool read_port(struct memcached_address *server, const char *text, size_t len)
{
    uint64_t port;
    return svc__memcached_reply_number(text, len, &port) && port >= 1 && port <= 65535 &&
           copy_part(server->port, sizeof server->port, text, len);
}

/* A host, perhaps in brackets, and perhaps with a port. */
static bool read_host(struct memcached_address *server, const char *text, size_t len)
{
    const char *host = text, *end = text + len, *after;
    if (len > 0 && text[0] == '[') {
        host++;
        after = memchr(host, ']', (size_t)(end - host));
        if (!after || !copy_part(server->host, sizeof server->host, host, (size_t)(after - host)))
            return false;
        after++;
    } else {
        after = memchr(host, ':', len);
        after = after ? after : end;
        if (!copy_part(server->host, sizeof server->host, host, (size_t)(after - host)))
            return false;
    }
    if (after == end)
        return read_port(server, default_port, sizeof default_port - 1);
    return *after == ':' && read_port(server, after + 1, (size_t)(end - after - 1));
}

/* The names of the ring are those of libmemcached, which leaves the default port out. */
static void name_server(struct memcached_address *server)
{
    char *end = stpcpy(server->name, server->host);
    if (!strcmp(server->port, default_port))
        return;
    *end++ = ':';
    strcpy(end, server->host[0] == '/' ? "0" : server->port);
}

static bool read_server(struct memcached_address *server, const char *text, size_t len)
{
    static const char bad_in_hosts[] = "/@?#% ";
    *server = (struct memcached_address){{0}, {0}, {0}};
    if (len > 0 && text[0] == '/') {
        struct sockaddr_un path;
        if (len >= sizeof path.sun_path || !copy_part(server->host, sizeof server->host, text, len))
            return false;
    } else if (!read_host(server, text, len) || strpbrk(server->host, bad_in_hosts)) {
        return false;
    }
    name_server(server);
    return true;
}

static bool has_server(const struct memcached_place *place, const char *name)
{
    size_t i = 0;
    while (i < place->count && strcmp(place->servers[i].name, name) != 0)
        i++;
    return i < place->count;
}

static int read_servers(struct memcached_place *place, const char *rest, const char **why)
{
    *why = bad_list;
    if (strncmp(rest, "//", 2) != 0)
        return SVC_EINVAL;
    for (const char *at = rest + 2;; at++) {
        size_t len = strcspn(at, ",");
        struct memcached_address *server = &place->servers[place->count];
        if (place->count == MEMCACHED_SERVERS) {
            *why = "more than 64 servers";
            return SVC_EINVAL;
        }
        if (!read_server(server, at, len))
            return SVC_EINVAL;
        if (has_server(place, server->name)) {
            *why = "a server is in the list twice";
            return SVC_EINVAL;
        }
        place->count++;
        at += len;
        if (!*at)
            break;
    }
    *why = NULL;
    return 0;
}

static bool read_ms(const char *text, uint64_t *ms)
{
    uint64_t read;
    if (!svc__memcached_reply_number(text, strlen(text), &read) || read < 1 || read > 3600000)
        return false;
    *ms = read;
    return true;
}

static const char *read_param(struct memcached_place *place, const svc_sys_store_param *param)
{
    static const struct {
        const char *name;
        size_t offset;
        const char *why;
    } times[] = {
        {"connect_ms", offsetof(struct memcached_place, connect_ms), "connect_ms: 1 to 3600000"},
        {"answer_ms", offsetof(struct memcached_place, answer_ms), "answer_ms: 1 to 3600000"},
        {"retry_ms", offsetof(struct memcached_place, retry_ms), "retry_ms: 1 to 3600000"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (!strcmp(param->name, times[i].name))
            return read_ms(param->value, (uint64_t *)(void *)((char *)place + times[i].offset))
                       ? NULL
                       : times[i].why;
    if (strcmp(param->name, "failover") != 0)
        return "memcached: has, for itself, only connect_ms, answer_ms, retry_ms and failover";
    place->failover = !strcmp(param->value, "1");
    return place->failover || !strcmp(param->value, "0") ? NULL : "failover: 0 or 1";
}

int svc__memcached_place_read(struct memcached_place *place, const svc_sys_store_place *from,
                              const char **why)
{
    *place = (struct memcached_place){
        .connect_ms = 250, .answer_ms = 500, .retry_ms = 5000, .failover = true};
    int error = read_servers(place, from->rest, why);
    for (size_t i = 0; i < from->param_count && !error; i++) {
        *why = read_param(place, &from->params[i]);
        error = *why ? SVC_EINVAL : 0;
    }
    return error;
}
