/* The notes service: a small REST service to copy and grow from, on whatever store SVC_STORE names.
 */
#include "notes.h"

#ifdef WITH_MEMCACHED
#include <svc/memcached.h>
#endif
#ifdef WITH_REDIS
#include <svc/redis.h>
#endif

int main(int argc, char **argv)
{
    struct notes notes;
    svc_app *app = notes_new(&notes);
#ifdef WITH_MEMCACHED
    svc_memcached_use(app);
#endif
#ifdef WITH_REDIS
    svc_redis_use(app);
#endif
    return svc_app_main(app, argc, argv);
}
