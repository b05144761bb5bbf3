/* The version of libsvc: of the header at compile time, of the library at run time. */
#ifndef SVC_VERSION_H
#define SVC_VERSION_H

#include <stddef.h>

#include <svc/visibility.h>

SVC_BEGIN_DECLS

#define SVC_VERSION_MAJOR 0
#define SVC_VERSION_MINOR 1
#define SVC_VERSION_PATCH 0

/* The library's version, such as "0.1.0". Static memory. Any thread. Since: 0.1 */
SVC_API const char *svc_version(void);

/*
 * The defaults of the public struct of that name, such as "svc_route", as its SVC_ROUTE_INIT has them: for
 * programs in languages that cannot use the macro, which copy `*size` bytes. NULL for a struct that has
 * none. Static memory. Any thread. Since: 0.1
 */
SVC_API const void *svc_struct_defaults(const char *name, size_t *size);

SVC_END_DECLS

#endif
