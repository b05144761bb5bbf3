/* The calls of svc/test.h that concern stores. */
#include <svc/test.h>

#include "libsvc/app/app_test.h"
#include "libsvc/storage/store.h"

/* The one by the setting; the first of all otherwise, which is the last in the list. */
static svc_store *choose_store(const svc_app *app)
{
    svc_store *last = NULL;
    for (svc_store *store = app->stores; store; store = store->next) {
        if (!store->url)
            return store;
        last = store;
    }
    return last;
}

svc_store *svc_test_store(svc_app *app)
{
    svc_store *store = app ? choose_store(app) : NULL;
    if (store && !store->backend && !svc__app_test_ready(app))
        return NULL;
    return store && store->backend ? store : NULL;
}

int svc_test_store_age(svc_store *store, uint64_t ms)
{
    if (!store)
        return SVC_ENOMEM;
    if (!store->backend || !store->backend->age)
        return SVC_ESTATE;
    store->backend->age(store->state, ms);
    return 0;
}
