/*
 * The connection on which the server announces changes of the namespace's keys, and the thread that
 * reads it: CLIENT TRACKING in broadcast mode, redirected to the connection itself, which has
 * subscribed to the announcements. So the server has no table of the keys that were read, which it
 * could have to cut, and the other connections are as without a cache: none of them can lose its
 * tracking in silence.
 */
#ifndef SVC_REDIS_REDIS_TRACK_H
#define SVC_REDIS_REDIS_TRACK_H

#include "libsvc/redis/redis_cache.h"
#include "libsvc/redis/redis_server.h"

struct redis_track;

/* Gives the server a cache, if its URL asks for one, and begins the thread; `server->track` is for
 * svc__redis_track_end. 0; SVC_EINVAL with `why`, SVC_ENOMEM or SVC_ESYSTEM. */
int svc__redis_track_begin(struct redis_server *server, const svc_sys_store_place *place,
                           const char **why);

/* Ends the thread, and frees the cache when no operation is under way. Accepts NULL. */
void svc__redis_track_end(struct redis_track *track);

#endif
