/*
 * Values of gets, kept in this process until the server announces a change (redis_track.h). Any
 * thread.
 *
 * An announcement may overtake a reply on another connection. So a get that is sent first leaves a
 * placeholder under its key, which the announcement removes, and its reply is kept in place of the
 * placeholder alone. The key is also dropped when a write of this process ends, before the writer
 * learns of the end.
 *
 * Values are used only while the cache is trusted: up to REDIS_CACHE_BOUND_MS after the sending of
 * the last PING that the connection of announcements has answered. All changes before that PING
 * have been announced, so no value is used for longer after its change, whatever becomes of the
 * connection, of this process or of the server.
 *
 * Everything is dropped at once by a new epoch: entries have the epoch of their get.
 */
#ifndef SVC_REDIS_REDIS_CACHE_H
#define SVC_REDIS_REDIS_CACHE_H

#include <stdatomic.h>
#include <svc/metric.h>
#include <svc/sys/memory.h>

#include "libsvc/redis/redis_command.h"
#include "libsvc/redis/redis_link.h"

enum { REDIS_CACHE_BOUND_MS = 1000 };

/* Why entries have been dropped. */
enum redis_drop { REDIS_DROP_CHANGED, REDIS_DROP_FLUSHED, REDIS_DROP_LOST, REDIS_DROPS };

struct redis_cache {
    svc_sys_memory *memory;
    size_t max_value; /* of an entry */
    _Atomic uint64_t epoch;
    _Atomic uint64_t trusted_ms; /* until that time of svc__redis_time_ms */
    _Atomic unsigned age;        /* of the connection of announcements: see redis_link */
    svc_counter *hits, *misses, *untrusted, *drops[REDIS_DROPS];
};

/* Makes a cache of that many bytes. A value of more than a 64th of them is not kept. 0, SVC_ENOMEM
 * or SVC_ETOOBIG. */
int svc__redis_cache_init(struct redis_cache *cache, svc_app *app, uint64_t bytes,
                          size_t max_value);

void svc__redis_cache_free(struct redis_cache *cache);

/* The calls below accept NULL for a store without a cache. */

/* Ends a get by a kept value: true, and its error and results are set. False: the server is to be
 * asked, and `op->owned` is what svc__redis_cache_end frees. What a write may change is dropped, so
 * that a get sent behind it on the same connection sees it. */
bool svc__redis_cache_answer(struct redis_cache *cache, svc_sys_store_op *op);

/* As svc__redis_command_write. The command of a get whose reply is to be kept follows one that asks
 * for its time to live. */
bool svc__redis_cache_write(struct redis_cache *cache, struct redis_commands *commands,
                            struct redis_link *link, svc_sys_store_op *op, bool whole);

/* Whether the reply to an operation that was written comes after one with its time to live. */
static inline bool svc__redis_cache_asks_ttl(const svc_sys_store_op *op)
{
    return op->kind == SVC_SYS_STORE_GET && op->owned;
}

/* Takes the time to live; a reply of another kind shows that it is not known. */
void svc__redis_cache_take_ttl(svc_sys_store_op *op, const struct redis_reply *reply);

/* As svc__redis_command_take, and keeps the value. */
void svc__redis_cache_take(void *arg, const char *data, size_t len);

/* Before an operation is ended: drops what it may have changed. */
void svc__redis_cache_end(struct redis_cache *cache, const svc_sys_store_op *op);

/* Drops a key. */
void svc__redis_cache_drop(struct redis_cache *cache, const char *key, size_t len);

/* Drops everything. */
void svc__redis_cache_drop_all(struct redis_cache *cache, enum redis_drop reason);

#endif
