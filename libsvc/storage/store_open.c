/* A store from its registration to its end: its backend is chosen at the start, by a URL that may
 * be a setting. */
#include <string.h>

#include "libsvc/base/sized.h"
#include "libsvc/storage/store.h"
#include "libsvc/storage/store_memory.h"
#include "libsvc/storage/store_then.h"

#define WRONG(store, format, ...)                                                                  \
    svc__faults_add(&(store)->app->faults, NULL, 0, "svc_store_open%s: " format,                   \
                    (store)->url ? "" : ", by the setting store", __VA_ARGS__)

/* ---- Backends */

static const svc_sys_store *find_in(const svc_app *app, const char *scheme)
{
    for (const struct store_scheme *each = app->store_schemes; each; each = each->next)
        if (!strcmp(each->backend.scheme, scheme))
            return &each->backend;
    return NULL;
}

/* The backend of a scheme: the library's own, or one of the app or of those around it. */
static const svc_sys_store *find_backend(const svc_app *app, const char *scheme)
{
    const svc_sys_store *found =
        strcmp(scheme, svc__store_memory.scheme) ? NULL : &svc__store_memory;
    for (; app && !found; app = app->parent)
        found = find_in(app, scheme);
    return found;
}

/* Has all functions that it must have, and all or none of those for loops and for messages. */
static bool is_whole(const svc_sys_store *backend)
{
    bool loops = backend->submit, messages = backend->subscribe;
    return !backend->begin_loop == !loops && !backend->end_loop == !loops &&
           !backend->forget == !loops && !backend->receive == !messages &&
           !backend->unsubscribe == !messages && backend->scheme &&
           svc__store_place_is_scheme(backend->scheme) && backend->open && backend->close &&
           backend->run;
}

static int add_scheme(svc_app *app, const svc_sys_store *backend)
{
    svc_sys_store own = SVC_SYS_STORE_INIT;
    int error = SIZED_READ(&own, backend, run);
    if (error || !is_whole(&own))
        return SVC_EINVAL;
    if (!strcmp(own.scheme, svc__store_memory.scheme) || find_in(app, own.scheme))
        return SVC_ESTATE;
    struct store_scheme *scheme = svc__arena_alloc(&app->memory, sizeof *scheme);
    own.scheme = svc__arena_strndup(&app->memory, own.scheme, strlen(own.scheme));
    if (!scheme || !own.scheme)
        return SVC_ENOMEM;
    *scheme = (struct store_scheme){own, app->store_schemes};
    app->store_schemes = scheme;
    return 0;
}

int svc_sys_app_add_store(svc_app *app, const svc_sys_store *backend)
{
    int error = svc__app_open(app, "svc_sys_app_add_store");
    if (error)
        return error;
    error = add_scheme(app, backend);
    return error ? svc__faults_refuse(&app->faults, error, "svc_sys_app_add_store") : 0;
}

/* ---- Start and stop */

static int check_store(void *arg)
{
    const svc_store *store = arg;
    return store->backend->check(store->state, store->place.timeout_ms);
}

/* Reads the URL, which is shown nowhere. 0, SVC_EINVAL or SVC_ENOMEM. */
static int read_place(svc_store *store)
{
    const char *set = svc__app_root(store->app)->config.store, *why;
    const char *url = store->url ? store->url : set && *set ? set : "memory:";
    int error =
        svc__store_place_read(&store->place, url, store->app->name, &store->app->memory, &why);
    if (error == SVC_EINVAL)
        WRONG(store, "%s", why);
    return error;
}

/* Opens the backend's part of a store. 0 or an error, which is reported unless it is SVC_ENOMEM. */
static int open_backend(svc_store *store)
{
    const svc_sys_store_place *place = &store->place.own;
    const svc_sys_store *backend = find_backend(store->app, place->scheme);
    const char *why = NULL;
    if (!backend) {
        WRONG(store, "nothing has registered the scheme %s: it needs a library such as libsvc-%s",
              place->scheme, place->scheme);
        return SVC_EINVAL;
    }
    int error = backend->open(store->app, place, backend->arg, &store->state, &why);
    if (!error)
        store->backend = backend;
    else
        WRONG(store, "%s: %s", place->scheme, why ? why : svc_error_text(error));
    return error;
}

static void stop_store(svc_app *app, void *arg)
{
    svc_store *store = arg;
    const svc_sys_store *backend = store->backend;
    (void)app;
    svc__store_metrics_end(&store->meter);
    store->backend = NULL;
    backend->close(store->state);
}

/* A hook that fails is not stopped by the app: it undoes what it has done. */
static int start_store(svc_app *app, void *arg)
{
    svc_store *store = arg;
    svc_app *root = svc__app_root(app);
    int error = read_place(store);
    if (!error)
        error = open_backend(store);
    if (error)
        return error;
    store->prefix_len = strlen(store->place.own.name_space) + 1;
    memcpy(store->prefix, store->place.own.name_space, store->prefix_len);
    store->prefix[store->prefix_len - 1] = ':';
    svc__store_metrics_begin(&store->meter, root->metrics, store->backend, store->state);
    error = store->backend->check ? svc__app_append_check(root, "store", check_store, store) : 0;
    if (error)
        stop_store(app, store);
    return error;
}

bool svc_store_evicts(const svc_store *store)
{
    return store && store->backend && store->backend->evicts;
}

bool svc_store_leases(const svc_store *store)
{
    return store && store->backend && store->backend->leases;
}

/* ---- The constructor */

int svc__store_claim(svc_store *store, const char *name)
{
    struct arena *memory = &store->app->memory;
    for (const struct store_name *each = store->names; each; each = each->next)
        if (!strcmp(each->name, name))
            return SVC_ECONFLICT;
    struct store_name *claimed = svc__arena_alloc(memory, sizeof *claimed);
    const char *copy = svc__arena_strndup(memory, name, strlen(name));
    if (!claimed || !copy)
        return SVC_ENOMEM;
    *claimed = (struct store_name){copy, store->names};
    store->names = claimed;
    return 0;
}

static svc_store *find_store(const svc_app *app, const char *url)
{
    svc_store *store = app->stores;
    while (store && (!url != !store->url || (url && strcmp(url, store->url) != 0)))
        store = store->next;
    return store;
}

svc_store *svc_store_open(svc_app *app, const char *url)
{
    if (svc__app_open(app, "svc_store_open"))
        return NULL;
    svc_store *store = find_store(app, url);
    if (store)
        return store;
    store = svc__arena_zalloc(&app->memory, sizeof *store);
    const char *copy = url && store ? svc__arena_strndup(&app->memory, url, strlen(url)) : NULL;
    if (!store || (url && !copy)) {
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_store_open");
        return NULL;
    }
    store->app = app;
    store->key.name = "store";
    store->url = copy;
    if (svc_app_add_hook(app, start_store, stop_store, store) || svc__store_then_register(store))
        return NULL;
    store->next = app->stores;
    app->stores = store;
    return store;
}
