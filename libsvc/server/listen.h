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
    _Atomic int fd;            /* -1: closed, perhaps while a loop that has not ended reads it */
    char address[ENDPOINT_TEXT];
    bool local;   /* a unix socket */
    char *path;   /* of a unix socket; NULL otherwise, and when its file is gone */
    dev_t device; /* with `inode`: the file that this process has made at the path; once another */
    ino_t inode;  /* instance has bound the path, the file there is another */
};

/* More than the texts of a setting need: a name has several addresses. */
enum { LISTENERS_MAX = 32 };

struct listeners {
    struct listener all[LISTENERS_MAX];
    size_t count;
};

/*
 * Opens every address of a comma-separated list; ":port" is all addresses, of IPv6 and IPv4, and a
 * name is all addresses that it has, with one port if the system chooses it. Keeps a set-up error
 * in `report` for each address that cannot be opened, but none for a text that does not parse, as
 * svc__settings_check has reported it. 0, or SVC_ELISTEN or SVC_ECONFIG: no address is open then.
 */
int svc__listen_open(struct listeners *listeners, svc_app *report, const char *addresses);

/* Whether processes of this machine alone reach an open listener: a unix socket, or loopback. */
bool svc__listen_is_private(const struct listener *listener);

/*
 * Has the kernel turn new clients away, so that the queues can be emptied for good: closing a
 * listener resets every client that is in its queue or comes to it meanwhile. A TCP socket drops
 * the segments that begin a handshake, and ends the handshakes that have begun; a client that
 * begins one at this moment tries again after a second, and is refused by then. A unix socket loses
 * its file, unless another process has bound the path by now, and refuses at once.
 *
 * It is for sockets from which this process alone accepts, as all that are opened here. A socket
 * that other processes share would be deaf for them too: it is only to be closed, which resets no
 * client as long as a process has it open, and the clients in its queue are theirs.
 */
void svc__listen_refuse(struct listeners *listeners, svc_app *app);

/* Whether handshakes that had begun before svc__listen_refuse are still to end. */
bool svc__listen_expects(const struct listeners *listeners);

/* Closes all open listeners, and removes the files of unix sockets that are still this process's.
 */
void svc__listen_close(struct listeners *listeners);

#endif
