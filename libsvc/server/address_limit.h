/*
 * Counts the connections of each client address, so that no client takes all of them. IPv4 clients
 * are counted by address, IPv6 clients by their /64 network, since a single customer has every
 * address of a /64.
 *
 * Any loop calls this when a connection comes and when it goes; a mutex is held during the call.
 */
#ifndef SVC_SERVER_ADDRESS_LIMIT_H
#define SVC_SERVER_ADDRESS_LIMIT_H

#include "libsvc/proto/peer.h"

struct address_limit;

/*
 * Makes a limit of `max` connections for each address, which the caller frees. `exempt` lists
 * networks that are not counted, separated by commas; it must be well formed. NULL when out of
 * memory.
 */
struct address_limit *svc__address_limit_new(unsigned max, const char *exempt);

/* Frees a limit. Accepts NULL. */
void svc__address_limit_free(struct address_limit *limit);

/*
 * Counts a connection of the peer. True: svc__address_limit_leave must follow. False, and not
 * counted: the address has as many connections as it may, or there is no memory for the count.
 * Always true without a limit (NULL), and for peers that have no address or an exempt one. Any
 * thread.
 */
bool svc__address_limit_enter(struct address_limit *limit, const struct peer *peer);

/* Takes a counted connection back; does nothing for peers that are not counted. Any thread. */
void svc__address_limit_leave(struct address_limit *limit, const struct peer *peer);

#endif
