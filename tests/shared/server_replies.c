/* One of the instances that share replies: each run of its handler makes another reply, which lives
 * for an hour, and which it uses for an hour without asking the store. */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/shared/shared_app.h"

static int make_thing(svc_request *req, svc_response *res)
{
    static atomic_uint runs;
    char text[32];
    (void)req;
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.max_age_s = 3600;
    int error = svc_response_set_cache_control(res, &policy);
    if (!error)
        error = svc_response_cache_tag(res, "tag");
    snprintf(text, sizeof text, "%d.%u", (int)getpid(), atomic_fetch_add(&runs, 1));
    return error ? error : svc_response_text(res, 200, text);
}

static int change_thing(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 204);
}

int main(void)
{
    svc_app *app = shared_app_new("shared", 2);
    svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    options.store = svc_store_open(app, NULL);
    options.local_ms = 3600000;
    svc_response_cache *cache = svc_response_cache_new(app, &options);
    svc_response_cache_add_admin(cache);
    svc_app_use(app, svc_response_cache_layer(cache));
    svc_app_get(app, "/thing", make_thing, NULL);
    svc_app_put(app, "/thing", change_thing, NULL);
    return svc_app_run(app);
}
