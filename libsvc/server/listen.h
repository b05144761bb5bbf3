/* Listening sockets: from the text of a setting to bound descriptors that all loops share. */
#ifndef SVC_SERVER_LISTEN_H
#define SVC_SERVER_LISTEN_H

#include <stdatomic.h>
#include <stddef.h>

#include "libsvc/core/app_internal.h"
#include "libsvc/server/watch.h"

enum { MAX_LISTENERS = 16, MAX_ADDRESS = 160 };

struct listener {
    struct watch watch;
    _Atomic int fd; /* -1: closed, perhaps while a loop that was not waited for looks */
    char address[MAX_ADDRESS];
    char unlink_path[MAX_ADDRESS]; /* of a unix socket; "" otherwise */
};

struct listeners {
    struct listener all[MAX_LISTENERS];
    size_t count;
};

/*
 * Opens every address of a comma-separated list: "host:port", ":port" (all addresses, IPv6 and
 * IPv4),
 * "[v6]:port", "unix:/path". Keeps a set-up error in `app` for each that fails. 0 or SVC_ELISTEN,
 * and then none is open.
 */
int svc__listen_open(struct listeners *listeners, svc_app *app, const char *addresses);

/* Closes what is open and removes the files of unix sockets. */
void svc__listen_close(struct listeners *listeners);

#endif
