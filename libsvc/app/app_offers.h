/* What routes and groups offer for negotiation, from registration to the plan. */
#ifndef SVC_APP_APP_OFFERS_H
#define SVC_APP_APP_OFFERS_H

#include "libsvc/app/app_internal.h"

struct offers;

/* Copies a program's offers into the app's memory. 0, or SVC_EINVAL or SVC_ENOMEM, kept as a set-up
 * error at that place; `*out` is written only on success. */
int svc__app_offers_copy(svc_app *app, const svc_offers *given, const char *file, int line,
                         const struct offers **out);

/* The offers of a route in `memory`: each list is the route's own, or that of the nearest group in
 * its app which has one. NULL where there are none. 0 or SVC_ENOMEM. */
int svc__app_offers_compile(const struct app_route *route, struct arena *memory,
                            const struct offers **out);

#endif
