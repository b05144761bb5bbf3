/*
 * Stores on a Redis server (svc/store.h). This is a library of its own (libsvc-redis, `pkg-config --libs
 * libsvc-redis`), and <svc.h> does not include this header.
 *
 *     svc_app *app = svc_app_new("orders");
 *     svc_redis_use(app);
 *     store = svc_store_open(app, NULL);
 *     return svc_app_main(app, argc, argv);
 *
 *     SVC_STORE='redis://orders:secret@cache.internal:6379/0' ./orders
 *
 * URLs are
 *
 *     redis://[user[:password]@]host[:port][/db]
 *     redis+unix:[//[user[:password]@]]/path/of/the/socket
 *
 * A user, a password and a path may have %XX, and must have it for '%', '/', '?' and, in a user, ':'. A
 * password without a user is written ":password". Beside the parameters of every store these exist:
 *
 * - `db`: the number of the database, as the path of redis:// has it.
 * - `password_file`: a file whose first line is the password. It is read for each new connection.
 * - `connect_timeout_ms`: how long a connection may take until it serves, 1 to 60000; 1000 at first.
 * - `cache_mb`: MiB of this process's memory, up to 1048576, in which values that were read are kept until
 *   the server announces their change (CLIENT TRACKING); 0 at first: every get is sent. A get may then return
 *   a value for a moment after another client has changed it, never for longer than a second, whatever fails.
 *   Writes of this process are seen at once.
 *
 * The server is Redis from 6.0 on. rediss:// (TLS) and redis+sentinel:// are refused at the start; a cluster
 * is not supported, though each command has one key. docs/redis.md describes how values are stored, the
 * faults of a server and what calls then return, and what to do in place of what is refused.
 */
#ifndef SVC_REDIS_H
#define SVC_REDIS_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Registers the schemes for the stores of the app and of apps mounted on it. 0; SVC_ESTATE when the app has
 * them already or has started; SVC_ENOMEM, also for a NULL app. All are kept as set-up errors. Before start
 * only. Since: 0.1
 */
SVC_API int svc_redis_use(svc_app *app);

SVC_END_DECLS

#endif
