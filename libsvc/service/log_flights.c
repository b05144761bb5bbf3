/* What SIGUSR1 asks for. */
#include "libsvc/service/log_flights.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/server/census.h"

static void log_answer(void *arg, const struct census_answer *answer)
{
    const svc_app *app = arg;
    uint64_t now_ns = svc__clock_ns();
    svc_app_log_info(app, "requests in flight", svc_kv_uint("count", answer->in_flight),
                     svc_kv_uint("listed", answer->listed));
    for (size_t i = 0; i < answer->loop_count; i++) {
        const struct census_loop *loop = &answer->loops[i];
        if (loop->late)
            svc_app_log_warn(
                app, "a loop does not answer", svc_kv_str("of", loop->server),
                svc_kv_uint("loop", loop->index), svc_kv_uint("held_ms", loop->held_ms),
                svc_kv_str("pattern", loop->holds), svc_kv_uint("connections", loop->connections));
    }
    for (size_t i = 0; i < answer->listed; i++) {
        const struct census_flight *flight = answer->list[i];
        uint64_t age_ns = now_ns > flight->started_ns ? now_ns - flight->started_ns : 0;
        svc_app_log_info(app, "request in flight", svc_kv_str("request", flight->id),
                         svc_kv_str("method", flight->method),
                         svc_kv_str("pattern", flight->pattern),
                         svc_kv_uint("age_ms", age_ns / 1000000),
                         svc_kv_str("phase", flight->phase), svc_kv_str("peer", flight->peer),
                         svc_kv_str("of", flight->server), svc_kv_uint("loop", flight->loop));
    }
}

void svc__log_flights(svc_app *app)
{
    svc__census_ask(app->census, log_answer, app);
}
