/* Listening sockets: from the text of a setting to bound descriptors that all loops share. */
#ifndef SVC_SERVER_LISTEN_H
#define SVC_SERVER_LISTEN_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/listen_text.h"
#include "libsvc/run/reactor.h"

struct front;

struct listener {
    struct watch watch;
    const struct front *front; /* of its connections */
    _Atomic int fd;            /* -1: closed; a loop that has not ended may still read it */
    char address[ENDPOINT_TEXT];
    bool local; /* a unix socket */
    char *path; /* of a unix socket; NULL otherwise, and when its file is gone */
    /* The socket file that this process has made at the path. If another instance has bound the
     * path since, the file there is a different one. */
    dev_t device;
    ino_t inode;
};

/* More than the texts of a setting, since a name may have several addresses. */
enum { LISTENERS_MAX = 32 };

struct listeners {
    struct listener all[LISTENERS_MAX];
    size_t count;
};

/*
 * Returns the front that a listener's text chooses, or else the setting http1 of `report`. `fronts`
 * are in the order of enum svc_http1; NULL ends them, and is returned if they do not have it. Any
 * thread.
 */
const struct front *svc__listen_front(const svc_app *report, const struct front *const *fronts,
                                      const struct listen_text *text);

/*
 * Opens every address of a comma-separated list, each for its front, as svc__listen_front. ":port"
 * stands for all addresses, of IPv6 and IPv4, and a name for all addresses that it has, with one
 * port if the system chooses it. Adds a set-up error to `report` for each address that cannot be
 * opened, but none for a bad text or setting, which svc__settings_check has reported. 0, or
 * SVC_ELISTEN or SVC_ECONFIG: no address is open then.
 */
int svc__listen_open(struct listeners *listeners, svc_app *report, const char *addresses,
                     const struct front *const *fronts);

/* Whether processes of this machine alone reach an open listener: a unix socket, or loopback. */
bool svc__listen_is_private(const struct listener *listener);

/*
 * Has the kernel turn new clients away, so that the queues can be emptied before the listeners
 * close: a close resets every client that is in the queue or comes to it meanwhile. A TCP socket
 * drops the segments that begin a handshake, and completes the handshakes that have begun. A client
 * whose segment is dropped sends it again after a second, and is refused then. A unix socket
 * refuses at once; its file is removed, unless another process has bound the path by now.
 *
 * This is for sockets from which only this process accepts, such as all that are opened here. A
 * socket that other processes share would drop their clients too. Such a socket must only be
 * closed: that resets no client as long as another process has it open, and the clients in its
 * queue belong to that process.
 */
void svc__listen_refuse(struct listeners *listeners, svc_app *app);

/* Whether handshakes that had begun before svc__listen_refuse have not ended yet. */
bool svc__listen_expects(const struct listeners *listeners);

/* Closes all open listeners, and removes the socket files that are still this process's. */
void svc__listen_close(struct listeners *listeners);

#endif
