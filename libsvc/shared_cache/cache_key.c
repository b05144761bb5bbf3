/* The keys of stored replies. */
#include "libsvc/shared_cache/cache_key.h"

/* Sets the bit by which small letters differ from capital ones in eight bytes. */
static inline void lower_word(char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word |= UINT64_C(0x2020202020202020);
    memcpy(at, &word, sizeof word);
}

/*
 * Lowers eight bytes at a time, the last ones perhaps twice. It makes no two hosts equal that
 * differ otherwise: of the other characters of a host, none has a partner without the bit that a
 * host may have too.
 */
static inline void lower_host(char *host, size_t len)
{
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t))
        lower_word(host + i);
    if (i > 0)
        lower_word(host + len - sizeof(uint64_t));
    else
        for (; i < len; i++)
            host[i] = (char)(host[i] | 0x20);
}

struct bytes svc__cache_key_make(struct exchange *x)
{
    const struct target *target = &x->request.target;
    struct bytes host = target->form == TARGET_ABSOLUTE ? target->authority : x->framing.host;
    size_t query = target->has_query ? target->query.len + 1 : 0;
    size_t len = host.len + 1 + target->path.len + query;
    char *key = svc__arena_alloc(&x->arena, len);
    if (!key)
        return svc__bytes(NULL, 0);
    char *at = key + host.len;
    if (host.len > 0)
        memcpy(key, host.data, host.len);
    lower_host(key, host.len);
    *at++ = ' ';
    memcpy(at, target->path.data, target->path.len);
    at += target->path.len;
    if (query) {
        *at++ = '?';
        memcpy(at, target->query.data, target->query.len);
    }
    return svc__bytes(key, len);
}
