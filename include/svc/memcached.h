/*
 * Stores (svc/store.h) on memcached, 1.6 or later, by its meta commands. This is a library of its own
 * (libsvc-memcached, `pkg-config --libs libsvc-memcached`), which needs no other, and <svc.h> does not
 * include this header.
 *
 *     svc_app *app = svc_app_new("orders");
 *     svc_memcached_use(app);
 *     store = svc_store_open(app, NULL);      with SVC_STORE=memcached://a:11211,b,[::1]:11212
 *     return svc_app_main(app, argc, argv);
 *
 * The URL lists 1 to 64 servers: a host with or without a port (11211), or the path of a unix socket
 * (memcached:///run/memcached.sock). Each key has its server, by ketama: equal points for each, the same as
 * those of libmemcached. Parameters beside those of svc/store.h:
 *
 * - `connect_ms`: how long a connection may take, its greeting included; 250 at first.
 * - `answer_ms`: how long a server may take for the next reply; 500 at first.
 * - `retry_ms`: the longest time for which a dead server is left out; 5000 at first.
 * - `failover`: 1, at first: the keys of a dead server go to the others; 0: they are SVC_EUNAVAILABLE.
 *
 * A cache, and no database: a server evicts values when its memory is full, loses all of them when it ends,
 * and after a failover keys are asked for on another server, which may have none or an older value. Whatever
 * must not be lost, or seen twice, needs another backend. docs/memcached.md has the rest: what each call does
 * on the server, how times are rounded, and by how much a limit can be off.
 */
#ifndef SVC_MEMCACHED_H
#define SVC_MEMCACHED_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Registers the scheme `memcached` for the stores of the app and of apps mounted on it. 0; SVC_ESTATE if the
 * app has it already or has started; SVC_ENOMEM, also for NULL. All are kept as set-up errors. Before start
 * only. Since: 0.1
 */
SVC_API int svc_memcached_use(svc_app *app);

SVC_END_DECLS

#endif
