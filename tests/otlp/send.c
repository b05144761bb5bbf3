/* Exports spans of a few requests, for a receiver that somebody else has made: see peer.sh. */
#include <stdio.h>
#include <time.h>

#include <svc.h>
#include <svc/otlp.h>

static int answer(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "GET stock");
    svc_span_set(span, svc_kv_str("text", "\"quoted\" \xc3\xa4\xff"),
                 svc_kv_int("least", INT64_MIN), svc_kv_double("half", 0.5),
                 svc_kv_bool("yes", true));
    svc_span_link(span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    svc_span_fail(span, "timeout", "no answer");
    svc_span_end(span);
    return svc_response_text(res, 200, "ok");
}

int main(void)
{
    static const char *const headers[] = {"traceparent",
                                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                          "tracestate", "a=b", NULL};
    svc_otlp_counts counts = SVC_OTLP_COUNTS_INIT;
    svc_app *app = svc_app_new("sender");
    svc_otlp_add(app, NULL);
    svc_app_get(app, "/stock/{id}", answer, NULL);
    svc_test test = SVC_TEST_INIT;
    test.target = "/stock/7";
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    while (!svc_otlp_read_counts(app, &counts) && counts.queued)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    printf("status %d, sent %d, rejected %d, failed %d\n", status, (int)counts.sent,
           (int)counts.rejected, (int)counts.failed);
    svc_app_free(app);
    return status == 200 && counts.sent == 2 ? 0 : 1;
}
