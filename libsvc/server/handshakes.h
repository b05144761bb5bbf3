/*
 * TCP handshakes that have begun and not ended, by the kernel's own list. A client counts itself as
 * connected one segment before its listener has a connection to accept.
 */
#ifndef SVC_SERVER_HANDSHAKES_H
#define SVC_SERVER_HANDSHAKES_H

#include <stdbool.h>

/*
 * Whether a handshake with the listening socket `fd` is under way. Also true if the system has no
 * sock_diag, as in some sandboxes; false for a socket that is not TCP. Does not wait. Any thread.
 */
bool svc__handshakes_pending(int fd);

#endif
