/* Connections by address: a hash table with open addressing, of the addresses that have
 * connections. */
#include "libsvc/server/address_limit.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/siphash.h"

enum { FIRST_SLOTS = 64, V6_BITS = 64 };

struct slot {
    struct network_address address;
    unsigned count; /* 0: the slot is free */
};

struct address_limit {
    unsigned max;
    struct network exempt[NETWORK_LIST_MAX];
    size_t exempt_count;
    struct siphash_key key; /* random: no client can choose addresses that fall into one slot */
    pthread_mutex_t lock;
    struct slot *slots;
    size_t size, used; /* all slots, a power of two; and those in use, at most half */
};

struct address_limit *svc__address_limit_new(unsigned max, const char *exempt)
{
    struct address_limit *limit = calloc(1, sizeof *limit);
    if (!limit)
        return NULL;
    limit->max = max;
    limit->key = svc__siphash_key();
    limit->size = FIRST_SLOTS;
    limit->slots = calloc(limit->size, sizeof *limit->slots);
    struct bytes bad;
    if (!limit->slots ||
        svc__network_list(svc__bytes_z(exempt), limit->exempt, &limit->exempt_count, &bad)) {
        free(limit->slots);
        free(limit);
        return NULL;
    }
    pthread_mutex_init(&limit->lock, NULL);
    return limit;
}

void svc__address_limit_free(struct address_limit *limit)
{
    if (!limit)
        return;
    pthread_mutex_destroy(&limit->lock);
    free(limit->slots);
    free(limit);
}

/* Whether a peer is counted; `*as` is then the address under which it is counted. */
static bool counted(const struct address_limit *limit, const struct peer *peer,
                    struct network_address *as)
{
    if (!limit || !peer->addressed)
        return false;
    for (size_t i = 0; i < limit->exempt_count; i++)
        if (svc__network_contains(&limit->exempt[i], &peer->address))
            return false;
    bool v4 = svc__network_is_v4(&peer->address);
    *as = v4 ? peer->address : svc__network_mask(peer->address, V6_BITS);
    return true;
}

static size_t home_of(const struct address_limit *limit, const struct network_address *address)
{
    struct bytes text = {(const char *)address->bytes, sizeof address->bytes};
    return (size_t)svc__siphash(limit->key, text) & (limit->size - 1);
}

/* The slot of an address, or the free slot that the address would take. */
static struct slot *find(struct address_limit *limit, const struct network_address *address)
{
    size_t at = home_of(limit, address);
    while (limit->slots[at].count &&
           memcmp(limit->slots[at].address.bytes, address->bytes, sizeof address->bytes) != 0)
        at = (at + 1) & (limit->size - 1);
    return &limit->slots[at];
}

static bool grow(struct address_limit *limit)
{
    struct slot *old = limit->slots;
    size_t old_size = limit->size;
    struct slot *slots = calloc(old_size * 2, sizeof *slots);
    if (!slots)
        return false;
    limit->slots = slots;
    limit->size = old_size * 2;
    for (size_t i = 0; i < old_size; i++)
        if (old[i].count)
            *find(limit, &old[i].address) = old[i];
    free(old);
    return true;
}

static bool enter(struct address_limit *limit, const struct network_address *address)
{
    struct slot *slot = find(limit, address);
    if (slot->count >= limit->max)
        return false;
    if (slot->count == 0) {
        if (2 * (limit->used + 1) > limit->size) {
            if (!grow(limit))
                return false;
            slot = find(limit, address);
        }
        slot->address = *address;
        limit->used++;
    }
    slot->count++;
    return true;
}

/* Frees a slot. A search ends at a free slot, so the entries whose search passes it move up. */
static void vacate(struct address_limit *limit, size_t hole)
{
    size_t mask = limit->size - 1;
    for (size_t at = (hole + 1) & mask; limit->slots[at].count; at = (at + 1) & mask) {
        size_t home = home_of(limit, &limit->slots[at].address);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue; /* its search does not pass the hole */
        limit->slots[hole] = limit->slots[at];
        hole = at;
    }
    limit->slots[hole].count = 0;
    limit->used--;
}

bool svc__address_limit_enter(struct address_limit *limit, const struct peer *peer)
{
    struct network_address as;
    if (!counted(limit, peer, &as))
        return true;
    pthread_mutex_lock(&limit->lock);
    bool entered = enter(limit, &as);
    pthread_mutex_unlock(&limit->lock);
    return entered;
}

void svc__address_limit_leave(struct address_limit *limit, const struct peer *peer)
{
    struct network_address as;
    if (!counted(limit, peer, &as))
        return;
    pthread_mutex_lock(&limit->lock);
    struct slot *slot = find(limit, &as);
    if (slot->count > 1)
        slot->count--;
    else if (slot->count == 1)
        vacate(limit, (size_t)(slot - limit->slots));
    pthread_mutex_unlock(&limit->lock);
}
