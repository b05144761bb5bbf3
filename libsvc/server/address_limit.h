/*
 * Counts the connections of each address, so that no client takes all of them: an IPv4 address by
 * itself, IPv6 by its /64, of which a single customer has every address.
 *
 * Any loop calls it when a connection comes and when it goes; a mutex is held for the call.
 */
#ifndef SVC_SERVER_ADDRESS_LIMIT_H
#define SVC_SERVER_ADDRESS_LIMIT_H

#include "libsvc/proto/peer.h"

struct address_limit;

/*
 * Makes a limit of `max` connections, which the caller frees; `exempt` lists networks that are not
 * counted, separated by commas and known to be well formed. NULL when out of memory.
 */
struct address_limit *svc__address_limit_new(unsigned max, const char *exempt);

/* Accepts NULL. */
void svc__address_limit_free(struct address_limit *limit);

/*
 * Counts a connection of the peer. True: svc__address_limit_leave must follow. False: the peer has
 * as many as it may, or memory for the count is lacking. Without a limit (NULL), and for peers
 * without an address or with an exempt one, always true. Any thread.
 */
bool svc__address_limit_enter(struct address_limit *limit, const struct peer *peer);

/* Takes a counted connection back. Any thread. */
void svc__address_limit_leave(struct address_limit *limit, const struct peer *peer);

#endif
