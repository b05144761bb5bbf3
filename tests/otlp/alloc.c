/*
 * A service that exports survives its n-th allocation failing, for n from the first to the last:
 * its requests are answered, or its set-up fails, and each span is taken or counted as lost.
 */
#include <stdio.h>
#include <stdlib.h>

#include <svc.h>
#include <svc/otlp.h>

#include "tests/support/starve.h"

enum { MAX_ALLOCATIONS = 10000, SPANS = 2 };

static int answer(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "call");
    svc_span_set(span, svc_kv_str("who", "me"));
    svc_span_end(span);
    return svc_response_empty(res, 204);
}

/* Whether all went as it may. `*whole`: as if nothing had failed. */
static bool serve(bool *whole)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_otlp_counts counts = SVC_OTLP_COUNTS_INIT;
    svc_app *app = svc_app_new("starved");
    svc_app_configure(app, &config);
    int error = svc_otlp_add(app, NULL);
    svc_app_get(app, "/", answer, NULL);
    svc_test test = SVC_TEST_INIT;
    test.target = "/";
    svc_reply *reply = svc_app_test(app, &test);
    bool answered = svc_reply_status(reply) == 204;
    svc_reply_free(reply);
    while (answered && !svc_otlp_read_counts(app, &counts) && counts.queued)
        continue;
    bool good = !answered || (!error && !counts.sent && counts.failed + counts.dropped > 0);
    if (!good)
        printf("svc_otlp_add: %s; failed %d, dropped %d\n", svc_error_text(error),
               (int)counts.failed, (int)counts.dropped);
    *whole = !error && answered && counts.failed == SPANS;
    svc_app_free(app);
    return good;
}

int main(void)
{
    bool whole = false, good = true;
    int n = 0;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", 1);
    setenv("OTEL_BSP_EXPORT_TIMEOUT", "1", 1);
    setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=2", 1);
    setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/dev/null", 1);
    setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/dev/null", 1);
    setenv("OTEL_RESOURCE_ATTRIBUTES", "a=1", 1);
    setenv("OTEL_BSP_SCHEDULE_DELAY", "1", 1);
    for (; good && n < MAX_ALLOCATIONS; n++) {
        starve_after(n);
        good = serve(&whole);
        if (!starve_end())
            break;
        if (!good)
            printf("WRONG where allocation %d fails\n", n);
    }
    printf("%d allocations\n", n);
    return good && whole && n > 50 ? 0 : 1;
}
