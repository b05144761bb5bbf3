/* Each look-up has a thread of its own, because the system's resolver takes as long as its servers
 * do. */
#include "libsvc/server/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <svc/errors.h>

#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"

/* Belongs to the thread that asks and to the one that waits; the last to leave frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, abandoned;
    int error; /* of getaddrinfo */
    struct addrinfo *found;
    char name[]; /* NUL-terminated */
};

static void free_lookup(struct lookup *lookup)
{
    if (lookup->found)
        freeaddrinfo(lookup->found);
    pthread_mutex_destroy(&lookup->lock);
    pthread_cond_destroy(&lookup->changed);
    free(lookup);
}

static void *ask_resolver(void *arg)
{
    struct lookup *lookup = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(lookup->name, NULL, &hints, &found);
    pthread_mutex_lock(&lookup->lock);
    lookup->error = error;
    lookup->found = error ? NULL : found;
    lookup->done = true;
    bool abandoned = lookup->abandoned;
    pthread_cond_signal(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
    if (abandoned)
        free_lookup(lookup);
    return NULL;
}

static struct lookup *start_lookup(const char *name, pthread_t *thread)
{
    size_t size = strlen(name) + 1;
    struct lookup *lookup = calloc(1, sizeof *lookup + size);
    if (!lookup)
        return NULL;
    memcpy(lookup->name, name, size);
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_cond_init(&lookup->changed, NULL);
    if (!svc__thread_start(thread, 0, ask_resolver, lookup))
        return lookup;
    free_lookup(lookup);
    return NULL;
}

/* Whether the look-up has ended in time. If not, it belongs to its thread from now on. */
static bool await_lookup(struct lookup *lookup, pthread_t thread)
{
    uint64_t deadline_ms = svc__wait_deadline(LOOKUP_MS);
    pthread_mutex_lock(&lookup->lock);
    while (!lookup->done && svc__wait_until(&lookup->changed, &lookup->lock, deadline_ms))
        continue;
    bool done = lookup->done;
    lookup->abandoned = !done;
    pthread_mutex_unlock(&lookup->lock);
    if (done)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
    return done;
}

static int add_all(struct addresses *addresses, const struct addrinfo *found, uint16_t port)
{
    int error = 0;
    for (const struct addrinfo *at = found; at && !error; at = at->ai_next) {
        union address address = {0};
        if (at->ai_addrlen > sizeof address)
            continue;
        memcpy(&address, at->ai_addr, at->ai_addrlen);
        if (address.any.sa_family == AF_INET6)
            address.v6.sin6_port = htons(port);
        else
            address.v4.sin_port = htons(port);
        error = svc__lookup_add(addresses, &address);
    }
    return error;
}

static int add_loopback(struct addresses *addresses, uint16_t port)
{
    union address v4 = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
    union address v6 = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    v4.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.v6.sin6_addr = in6addr_loopback;
    int error = svc__lookup_add(addresses, &v4);
    return error ? error : svc__lookup_add(addresses, &v6);
}

socklen_t svc__lookup_len(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

int svc__lookup_add(struct addresses *addresses, const union address *address)
{
    socklen_t len = svc__lookup_len(address);
    for (size_t i = 0; i < addresses->count; i++)
        if (!memcmp(&addresses->all[i], address, len))
            return 0;
    if (addresses->count == LOOKUP_MAX)
        return SVC_ETOOBIG;
    addresses->all[addresses->count++] = *address;
    return 0;
}

int svc__lookup_name(const char *name, uint16_t port, struct addresses *addresses, const char **why)
{
    pthread_t thread;
    bool local = !strcasecmp(name, "localhost") || !strcasecmp(name, "localhost.");
    struct lookup *lookup = start_lookup(name, &thread);
    *why = "the look-up cannot begin";
    if (!lookup)
        return SVC_ESYSTEM;
    *why = "the look-up of the name takes too long";
    if (!await_lookup(lookup, thread))
        return SVC_ESYSTEM;
    int error = local ? add_loopback(addresses, port) : 0;
    *why = "the name has more than 16 addresses";
    if (!error && !lookup->error)
        error = add_all(addresses, lookup->found, port);
    else if (!error && !local) {
        *why = gai_strerror(lookup->error);
        error = SVC_ESYSTEM;
    }
    free_lookup(lookup);
    return error ? SVC_ESYSTEM : 0;
}
