/* Listening sockets: from the text of a setting to bound descriptors that all loops share. */
#ifndef SVC_SERVER_LISTEN_H
#define SVC_SERVER_LISTEN_H

#include <stdatomic.h>
#include <stddef.h>

#include "libsvc/base/endpoint.h"
#include "libsvc/core/app_internal.h"
#include "libsvc/server/watch.h"

struct listener {
    struct watch watch;
    _Atomic int fd; /* -1: closed, perhaps while a loop that was not waited for looks */
    char address[ENDPOINT_TEXT];
    char unlink_path[ENDPOINT_TEXT]; /* of a unix socket; "" otherwise */
};

struct listeners {
    struct listener all[ENDPOINTS_MAX];
    size_t count;
};

/*
 * Opens every address of a comma-separated list; ":port" is all addresses, of IPv6 and IPv4. Keeps
 * a set-up error in `report` for each that cannot be opened, and says nothing of those that do not
 * parse, which svc__config_check has told. 0, SVC_ELISTEN or SVC_ECONFIG, and then none is open.
 */
int svc__listen_open(struct listeners *listeners, svc_app *report, const char *addresses);

/* Closes what is open and removes the files of unix sockets. */
void svc__listen_close(struct listeners *listeners);

#endif
