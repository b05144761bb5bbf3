/*
 * A store that several processes share, in a file of memory: the URL "shared:/path". It has no
 * server, and behaves as one: it is waited for by workers, and answers loops in a later turn. It
 * keeps few, small values, without numbers and limits.
 */
#ifndef TESTS_SUPPORT_SHARED_STORE_H
#define TESTS_SUPPORT_SHARED_STORE_H

#include <svc/types.h>

/* Registers the scheme. As svc_sys_app_add_store. */
int shared_store_use(svc_app *app);

#endif
