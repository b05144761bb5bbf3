/* A store as the library sees it: the app's, its URL, and its backend once it is open. */
#ifndef SVC_STORAGE_STORE_H
#define SVC_STORAGE_STORE_H

#include "libsvc/app/app_internal.h"
#include "libsvc/storage/store_metrics.h"
#include "libsvc/storage/store_place.h"

/* A backend that was registered. */
struct store_scheme {
    svc_sys_store backend;
    struct store_scheme *next;
};

/* A name that something of the library uses in a store. */
struct store_name {
    const char *name;
    struct store_name *next;
};

struct svc_store {
    svc_app *app;
    svc_key key;     /* of its states on the app's loops */
    const char *url; /* NULL: that of the setting */
    struct svc_store *next;
    struct store_place place;
    const svc_sys_store *backend; /* NULL: the store is not open */
    void *state;
    char prefix[STORE_SPACE_MAX + 1]; /* the namespace and its ':' */
    size_t prefix_len;
    struct store_meter meter;
    struct store_name *names; /* of rate limits */
};

/* Takes a name, which is copied, for a rate limit. 0; SVC_ECONFLICT when another has it;
 * SVC_ENOMEM. Before start only. */
int svc__store_claim(svc_store *store, const char *name);

#endif
