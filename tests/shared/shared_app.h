/* What the servers of these tests have in common: an app that may open a store on any server. */
#ifndef TESTS_SHARED_SHARED_APP_H
#define TESTS_SHARED_SHARED_APP_H

#include <svc.h>
#include <svc/memcached.h>
#ifdef WITH_REDIS
#include <svc/redis.h>
#endif

/* Makes one without an access log. `threads` are its event loops, as the setting has them. */
static inline svc_app *shared_app_new(const char *name, unsigned threads)
{
    svc_app *app = svc_app_new(name);
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.threads = threads;
    svc_app_configure(app, &config);
    svc_memcached_use(app);
#ifdef WITH_REDIS
    svc_redis_use(app);
#endif
    return app;
}

#endif
