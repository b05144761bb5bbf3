/*
 * The guard of the pages below /debug/, which decides on their readers. The address that the admin
 * listener has, and a token, keep other machines out; the check of Host keeps pages of other sites
 * out that a browser on this machine shows, and whose name has been pointed at this machine (DNS
 * rebinding).
 */
#ifndef SVC_OPS_DEBUG_GUARD_H
#define SVC_OPS_DEBUG_GUARD_H

#include <svc/config.h>
#include <svc/sys/debug.h>

#include "libsvc/base/bytes.h"

/* Whether these settings turn the pages on although other machines may reach them unasked, unless
 * the admin listener's address keeps those out. */
bool svc__debug_guard_is_open(const svc_config *config);

/* As svc_sys_debug_group, of an admin app, which may be NULL, whose registration is open. */
svc_group *svc__debug_guard_group(svc_app *admin);

/* Whether a Host without its port is an address, "localhost", or empty, so that no name service
 * has had a part in it. Any thread. */
bool svc__debug_guard_host_local(struct bytes name);

#endif
