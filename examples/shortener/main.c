/* The URL shortener, on whatever store SVC_STORE names. */
#include "shortener.h"

#ifdef WITH_MEMCACHED
#include <svc/memcached.h>
#endif
#ifdef WITH_REDIS
#include <svc/redis.h>
#endif

int main(int argc, char **argv)
{
    struct shortener shortener;
    svc_app *app = shortener_new(&shortener);
#ifdef WITH_MEMCACHED
    svc_memcached_use(app);
#endif
#ifdef WITH_REDIS
    svc_redis_use(app);
#endif
    return svc_app_main(app, argc, argv);
}
