/*
 * The seam for libraries that keep bytes under keys in this process: the table behind memory: stores
 * (svc/store.h). It is bounded in bytes, keeps the values that are read repeatedly (S3-FIFO), and is asked
 * by any thread, many at once. Programs open a memory: store instead.
 */
#ifndef SVC_SYS_MEMORY_H
#define SVC_SYS_MEMORY_H

#include <svc/sys/store.h>

SVC_BEGIN_DECLS

typedef struct svc_sys_memory svc_sys_memory;

/*
 * Makes an empty table of `bytes`, keys, heads and index included, for values of up to `max_value` bytes.
 * 0 with `*memory`, which the caller owns; SVC_ETOOBIG when so many bytes are too few for such a value;
 * SVC_EINVAL for a NULL `memory`; SVC_ENOMEM. Any thread. Since: 0.1
 */
SVC_API int svc_sys_memory_new(uint64_t bytes, size_t max_value, svc_sys_memory **memory) SVC_MUST_CHECK;

/* Frees a table, which no thread uses any more. Accepts NULL. Since: 0.1 */
SVC_API void svc_sys_memory_free(svc_sys_memory *memory);

/* Takes a value that was found, and its version, which is not 0. `data` is borrowed for the call, which
 * runs under a lock: it must not wait, and not call the table. */
typedef void svc_sys_memory_take(void *arg, const void *data, size_t len, uint64_t version);

/* Looks a key up, of 1 to 255 bytes, and calls `take` for its value. 0 or SVC_ENOTFOUND; SVC_EINVAL for
 * another key or a NULL `take`; SVC_ENOMEM for a NULL `memory`. Any thread. Since: 0.1 */
SVC_API int svc_sys_memory_get(svc_sys_memory *memory, const char *key, size_t key_len,
                               svc_sys_memory_take *take, void *arg);

/*
 * Stores a value, which is copied, for `ttl_ms` milliseconds, or 0: until its room is needed. If
 * `*version` is not 0, only in place of a value of that version: else SVC_ENOTFOUND or SVC_ECONFLICT. 0,
 * and `*version` is that of the value; SVC_ETOOBIG; SVC_EINVAL for a bad key or NULL as an argument;
 * SVC_ENOMEM for a NULL `memory`. Any thread. Since: 0.1
 */
SVC_API int svc_sys_memory_set(svc_sys_memory *memory, const char *key, size_t key_len, const void *data,
                               size_t len, uint64_t ttl_ms, uint64_t *version);

/* Removes a value. 0 or SVC_ENOTFOUND; SVC_EINVAL for a bad key; SVC_ENOMEM for a NULL `memory`. Any
 * thread. Since: 0.1 */
SVC_API int svc_sys_memory_delete(svc_sys_memory *memory, const char *key, size_t key_len);

/* Fills the counts of a table, as svc_sys_store.read_stats. Leaves them as they are if either is NULL.
 * Any thread. Since: 0.1 */
SVC_API void svc_sys_memory_read_stats(svc_sys_memory *memory, svc_sys_store_stats *stats);

SVC_END_DECLS

#endif
