/* The memory store for optional libraries: a table is a struct memory under another name. */
#include <svc/sys/memory.h>

#include "libsvc/store/memory.h"

static struct memory *own_memory(svc_sys_memory *memory)
{
    return (struct memory *)memory;
}

static int check_key(const svc_sys_memory *memory, const char *key, size_t key_len)
{
    if (!memory)
        return SVC_ENOMEM;
    return key && key_len > 0 && key_len <= MEMORY_KEY_MAX ? 0 : SVC_EINVAL;
}

int svc_sys_memory_new(uint64_t bytes, size_t max_value, svc_sys_memory **memory)
{
    const struct memory_options options = {bytes, max_value, svc__siphash_key()};
    struct memory *made;
    int error = memory ? svc__memory_new(&options, &made) : SVC_EINVAL;
    if (!error)
        *memory = (svc_sys_memory *)made;
    return error;
}

void svc_sys_memory_free(svc_sys_memory *memory)
{
    svc__memory_free(own_memory(memory));
}

int svc_sys_memory_get(svc_sys_memory *memory, const char *key, size_t key_len,
                       svc_sys_memory_take *take, void *arg)
{
    int error = check_key(memory, key, key_len);
    if (!error && !take)
        error = SVC_EINVAL;
    return error ? error
                 : svc__memory_look(own_memory(memory), svc__bytes(key, key_len), take, arg);
}

int svc_sys_memory_set(svc_sys_memory *memory, const char *key, size_t key_len, const void *data,
                       size_t len, uint64_t ttl_ms, uint64_t *version)
{
    int error = check_key(memory, key, key_len);
    if (!error && ((!data && len > 0) || !version))
        error = SVC_EINVAL;
    if (error)
        return error;
    return svc__memory_set(own_memory(memory), *version ? MEMORY_REPLACE : MEMORY_SET,
                           svc__bytes(key, key_len), svc__bytes(data, len), ttl_ms, version);
}

int svc_sys_memory_delete(svc_sys_memory *memory, const char *key, size_t key_len)
{
    int error = check_key(memory, key, key_len);
    return error ? error : svc__memory_delete(own_memory(memory), svc__bytes(key, key_len), NULL);
}

void svc_sys_memory_read_stats(svc_sys_memory *memory, svc_sys_store_stats *stats)
{
    struct memory_stats own;
    if (!memory || !stats)
        return;
    svc__memory_read_stats(own_memory(memory), &own);
    stats->entries = own.entries;
    stats->bytes = own.bytes;
    stats->evicted = own.evicted;
    stats->expired = own.expired;
}
