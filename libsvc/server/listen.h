/* Listening sockets: from the text of a setting to bound descriptors that all loops share. */
#ifndef SVC_SERVER_LISTEN_H
#define SVC_SERVER_LISTEN_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/endpoint.h"
#include "libsvc/run/reactor.h"

struct front;

struct listener {
    struct watch watch;
    const struct front *front; /* of its connections */
    _Atomic int fd;            /* -1: closed, perhaps while a loop that was not waited for looks */
    char address[ENDPOINT_TEXT];
    bool local;   /* a unix socket */
    char *path;   /* of a unix socket; NULL otherwise, and when its file is gone */
    dev_t device; /* of that file when it was ours, */
    ino_t inode;  /* which it is no more once another instance has bound the path */
};

/* More than texts: a name has several addresses. */
enum { LISTENERS_MAX = 32 };

struct listeners {
    struct listener all[LISTENERS_MAX];
    size_t count;
};

/*
 * Opens every address of a comma-separated list; ":port" is all addresses, of IPv6 and IPv4, and a
 * name is all that it has, with one port if the system chooses it. Keeps
 * a set-up error in `report` for each that cannot be opened, and says nothing of those that do not
 * parse, which svc__settings_check has told. 0, SVC_ELISTEN or SVC_ECONFIG, and then none is open.
 */
int svc__listen_open(struct listeners *listeners, svc_app *report, const char *addresses);

/*
 * Has the kernel turn away who connects from here on, so that the queues can be emptied for good:
 * closing a listener resets everybody who is in its queue or comes to it meanwhile. A TCP socket
 * drops the segments that begin a handshake, and ends those that have begun; who begins one in this
 * moment tries again after a second, and is refused by then. A unix socket loses its file, unless
 * the path is another's by now, and refuses at once.
 *
 * That is for sockets which this process alone accepts from, as all that are opened here. One that
 * others share would be deaf for them too: it is only to be closed, which resets nobody as long as
 * somebody has it open, and what is in its queue is theirs.
 */
void svc__listen_refuse(struct listeners *listeners, svc_app *app);

/* Whether handshakes that had begun before are still to end. */
bool svc__listen_expects(const struct listeners *listeners);

/* Closes what is open and removes the files of unix sockets that are still ours. */
void svc__listen_close(struct listeners *listeners);

#endif
