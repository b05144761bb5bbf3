/* Messages of a channel, on a connection of their own. */
#ifndef SVC_REDIS_REDIS_CHANNEL_H
#define SVC_REDIS_REDIS_CHANNEL_H

#include "libsvc/redis/redis_server.h"

struct redis_channel;

/* As svc_sys_store.subscribe. */
int svc__redis_channel_subscribe(struct redis_server *server, const char *key, size_t key_len,
                                 uint64_t wait_ms, struct redis_channel **channel);

/* As svc_sys_store.receive. */
int svc__redis_channel_receive(struct redis_channel *channel, int wake_fd, uint64_t wait_ms,
                               svc_sys_store_message *message);

/* As svc_sys_store.unsubscribe. */
void svc__redis_channel_free(struct redis_channel *channel);

#endif
