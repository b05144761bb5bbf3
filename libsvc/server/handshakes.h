/*
 * Handshakes of TCP that have begun and not ended, by the kernel's own list. A client counts itself
 * as connected one flight before its listener has anything to accept.
 */
#ifndef SVC_SERVER_HANDSHAKES_H
#define SVC_SERVER_HANDSHAKES_H

#include <stdbool.h>

/*
 * Whether a handshake with the listening socket `fd` is under way. Also true if the system has no
 * sock_diag, as some sandboxes; false for a socket that is not TCP's. Does not wait. Any thread.
 */
bool svc__handshakes_pending(int fd);

#endif
