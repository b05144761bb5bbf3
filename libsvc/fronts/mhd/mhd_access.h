/*
 * The functions that libmicrohttpd calls for a request, from its target to its end.
 */
#ifndef SVC_MHD_MHD_ACCESS_H
#define SVC_MHD_MHD_ACCESS_H

#include <microhttpd.h>

#include "libsvc/fronts/mhd/mhd.h"

#if MHD_VERSION < 0x00097002
#define MHD_Result int
#endif

/* The request line has come. Returns the context of the other calls. */
void *svc__mhd_access_begin(void *cls, const char *target, struct MHD_Connection *connection);

/* The access handler. */
enum MHD_Result svc__mhd_access_run(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *data,
                                    size_t *len, void **context);

/* The request is over. */
void svc__mhd_access_end(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code);

#endif
