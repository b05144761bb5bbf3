/*
 * Messages to all instances of a service that share a store (svc/store.h): such as "entries with this tag
 * are stale". A message that is lost is not sent again, but its loss is noticed.
 *
 *     static void on_message(const void *data, size_t len, void *arg)
 *     {
 *         forget_tag(data, len);
 *     }
 *
 *     static void on_gap(void *arg)
 *     {
 *         forget_all();
 *     }
 *
 *     store = svc_store_open(app, NULL);
 *     channel = svc_channel_open(app, store, "tags", on_message, on_gap, NULL);
 *
 *     svc_channel_publish(channel, req, "shoes", 5);
 *
 * The store counts the messages of a channel. A receiver compares: when a number is missing, when it is
 * connected anew, or when the store's count is ahead of its own, it calls `on_gap`: everything that messages
 * would have changed must be read anew. That is noticed within three times `look_ms`, a parameter of the
 * store's URL (10 to 3600000; 1000 at first), while the store can be asked; while it cannot, nobody can
 * publish either. The first event of each channel is a gap, after which no message is missed unnoticed.
 *
 * `memory:` delivers to this process. A backend without messages, such as memcached, has the count alone: each
 * change of it is a gap, found within `look_ms`.
 */
#ifndef SVC_CHANNEL_H
#define SVC_CHANNEL_H

#include <svc/store.h>

SVC_BEGIN_DECLS

enum {
    SVC_CHANNEL_BYTES = 65536,   /* the longest message, if the store's max_value is not less */
    SVC_CHANNEL_NAME_BYTES = 100 /* the longest name */
};

typedef struct svc_channel svc_channel;

/*
 * Opens a channel, which receives from the start hooks on that were registered after it until the same stop
 * hooks. `name` has letters, digits, '-' and '_', and is copied; channels of one name on stores with one
 * namespace are the same channel. Its count is under the key "svc-channel/NAME". `on_message` and `on_gap` run
 * on a thread of the channel's own, one at a time, and may wait; the message is borrowed until the callback
 * returns. An instance receives its own messages too. `arg` is borrowed until the app is freed.
 *
 * Owned by the app. NULL when out of memory, for a bad name, for a NULL store, function or app, or once
 * started, kept as a set-up error. `store` is of the same app, or of one on which it is mounted. Before start
 * only. Since: 0.1
 */
SVC_API svc_channel *svc_channel_open(svc_app *app, svc_store *store, const char *name,
                                      void (*on_message)(const void *data, size_t len, void *arg),
                                      void (*on_gap)(void *arg), void *arg);

/*
 * Sends a message of 0 to SVC_CHANNEL_BYTES bytes to all instances that receive. Waits as the calls of
 * svc/store.h that return their answer. 0: the message is counted, and who does not receive it notices a gap;
 * else an error as of these calls, after SVC_ETIMEDOUT of which it may have been sent or not. SVC_ENOMEM for a
 * NULL channel. Any thread. Since: 0.1
 */
SVC_API int svc_channel_publish(svc_channel *channel, svc_request *req, const void *data, size_t len);

/* The same by a callback, as the calls of svc/store.h that end in `_then`; `answer->number` is the message's
 * number. The message is copied. The loop's thread. Since: 0.1 */
SVC_API int svc_channel_publish_then(svc_channel *channel, svc_request *req, const void *data, size_t len,
                                     svc_store_then *then, void *arg) SVC_MUST_CHECK;

SVC_END_DECLS

#endif
