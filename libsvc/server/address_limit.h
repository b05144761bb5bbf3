/*
 * How many connections each address has, so that no client takes all of them: an IPv4 address by
 * itself, IPv6 by its /64, of which a single customer has every address.
 *
 * Asked when a connection comes and when it goes, by any loop; a mutex is held for that.
 */
#ifndef SVC_SERVER_ADDRESS_LIMIT_H
#define SVC_SERVER_ADDRESS_LIMIT_H

#include "libsvc/proto/peer.h"

struct address_limit;

/*
 * A limit of `max` connections; `exempt` lists networks that are not counted, separated by commas
 * and known to be well formed. NULL when out of memory. The caller's.
 */
struct address_limit *svc__address_limit_new(unsigned max, const char *exempt);

/* Accepts NULL. */
void svc__address_limit_free(struct address_limit *limit);

/*
 * Counts a connection of the peer: true, and svc__address_limit_leave must follow; or false when it
 * has as many as it may, or there is no memory to count. Without a limit (NULL), and for peers
 * without an address or with an exempt one, always true. Any thread.
 */
bool svc__address_limit_enter(struct address_limit *limit, const struct peer *peer);

/* Takes back one that was counted. Any thread. */
void svc__address_limit_leave(struct address_limit *limit, const struct peer *peer);

#endif
