/* The version of libsvc: of the header at compile time, of the library at run time. */
#ifndef SVC_VERSION_H
#define SVC_VERSION_H

#include <svc/visibility.h>

SVC_BEGIN_DECLS

#define SVC_VERSION_MAJOR 0
#define SVC_VERSION_MINOR 1
#define SVC_VERSION_PATCH 0

/* The library's version, such as "0.1.0". Static memory. Any thread. Since: 0.1 */
SVC_API const char *svc_version(void);

SVC_END_DECLS

#endif
