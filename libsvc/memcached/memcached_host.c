/* Lookups. */
#include "libsvc/memcached/memcached_host.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

struct memcached_host {
    pthread_mutex_t lock; /* guards all below it */
    pthread_cond_t known; /* a lookup has ended */
    unsigned refs;        /* the owner, and a lookup */
    bool looking, fixed;  /* `fixed`: nothing is ever looked up */
    size_t count;
    struct memcached_socket_address found[MEMCACHED_ADDRESSES];
    struct memcached_address from;
};

static void unref_host(struct memcached_host *host)
{
    pthread_mutex_lock(&host->lock);
    unsigned left = --host->refs;
    pthread_mutex_unlock(&host->lock);
    if (left > 0)
        return;
    pthread_cond_destroy(&host->known);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

/* Asks the system, with or without a lookup. The number of addresses. */
static size_t resolve_host(const struct memcached_address *from, int flags,
                           struct memcached_socket_address *found)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    size_t count = 0;
    if (getaddrinfo(from->host, from->port, &wanted, &list))
        return 0;
    for (const struct addrinfo *each = list; each && count < MEMCACHED_ADDRESSES;
         each = each->ai_next) {
        if (each->ai_addrlen > sizeof found[count].address)
            continue;
        memcpy(&found[count].address, each->ai_addr, each->ai_addrlen);
        found[count++].len = each->ai_addrlen;
    }
    freeaddrinfo(list);
    return count;
}

/* The thread of a lookup. One that finds nothing leaves the last addresses. */
static void *look_up(void *arg)
{
    struct memcached_host *host = arg;
    struct memcached_socket_address found[MEMCACHED_ADDRESSES];
    size_t count = resolve_host(&host->from, AI_ADDRCONFIG, found);
    pthread_mutex_lock(&host->lock);
    if (count > 0) {
        memcpy(host->found, found, count * sizeof *found);
        host->count = count;
    }
    host->looking = false;
    pthread_cond_broadcast(&host->known);
    pthread_mutex_unlock(&host->lock);
    unref_host(host);
    return NULL;
}

/* With the lock held. The thread takes no signals: they are the program's. */
static void begin_lookup(struct memcached_host *host)
{
    pthread_t thread;
    sigset_t all, before;
    if (host->fixed || host->looking)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    host->looking = true;
    host->refs++;
    if (pthread_create(&thread, NULL, look_up, host)) {
        host->looking = false;
        host->refs--;
    } else {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void set_path(struct memcached_host *host)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    memcpy(path.sun_path, host->from.host, strnlen(host->from.host, sizeof path.sun_path - 1));
    memcpy(&host->found[0].address, &path, sizeof path);
    host->found[0].len = sizeof path;
    host->count = 1;
}

struct memcached_host *svc__memcached_host_new(const struct memcached_address *from)
{
    pthread_condattr_t monotonic;
    struct memcached_host *host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    pthread_mutex_init(&host->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&host->known, &monotonic);
    pthread_condattr_destroy(&monotonic);
    host->refs = 1;
    host->from = *from;
    if (from->host[0] == '/')
        set_path(host);
    else
        host->count = resolve_host(from, AI_NUMERICHOST, host->found);
    host->fixed = host->count > 0;
    return host;
}

void svc__memcached_host_free(struct memcached_host *host)
{
    if (host)
        unref_host(host);
}

static struct timespec time_after(uint64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

size_t svc__memcached_host_find(struct memcached_host *host, uint64_t wait_ms,
                                struct memcached_socket_address *addresses)
{
    struct timespec until = time_after(wait_ms);
    pthread_mutex_lock(&host->lock);
    if (host->count == 0)
        begin_lookup(host);
    while (host->count == 0 && host->looking && wait_ms > 0)
        if (pthread_cond_timedwait(&host->known, &host->lock, &until))
            break;
    size_t count = host->count;
    memcpy(addresses, host->found, count * sizeof *addresses);
    pthread_mutex_unlock(&host->lock);
    return count;
}

void svc__memcached_host_refresh(struct memcached_host *host)
{
    pthread_mutex_lock(&host->lock);
    begin_lookup(host);
    pthread_mutex_unlock(&host->lock);
}
