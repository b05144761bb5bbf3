/* Two ways to wait without a delay for other requests: on a worker, which blocks, and with a timer,
 * which does not. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>

/* The milliseconds in the path, up to 9999. For any other text: answers, and returns -1. */
static int read_ms(svc_request *req, svc_response *res)
{
    const char *text = svc_request_param(req, "ms");
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits <= 4 && !text[digits])
        return atoi(text);
    svc_response_problem(res, 400, "wait for 0 to 9999 milliseconds");
    return -1;
}

/* Runs on a worker, whose thread sleeps as long as the request waits. */
static int sleep_on_worker(svc_request *req, svc_response *res)
{
    int ms = read_ms(req, res);
    if (ms < 0)
        return 0;
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
    return svc_response_text(res, 200, "slept\n");
}

/* An answer that a timer gives, in the memory of its request. */
struct later {
    svc_pending *pending;
    svc_timer *timer;
};

static void answer(void *arg)
{
    struct later *later = arg;
    svc_pending *pending =
        later->pending; /* the answer may free the request, and `later` with it */
    svc_timer_free(later->timer);
    svc_response *res = svc_response_new();
    if (res)
        svc_response_text(res, 200, "fired\n");
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

/* The answer is not needed any more: lets the timer fire now, so that `answer` frees it. */
static void hurry(svc_pending *pending, void *arg)
{
    struct later *later = arg;
    (void)pending;
    svc_timer_set(later->timer, 0);
}

/* Runs on the event loop, which serves other requests until the timer fires: no thread waits. */
static int set_timer(svc_request *req, svc_response *res)
{
    int ms = read_ms(req, res);
    struct later *later = ms < 0 ? NULL : svc_request_alloc(req, sizeof *later);
    if (!later)
        return ms < 0 ? 0 : SVC_ENOMEM;
    later->timer = svc_timer_new(svc_request_loop(req), answer, later);
    later->pending = later->timer ? svc_request_defer(req, hurry, later) : NULL;
    if (later->pending)
        return svc_timer_set(later->timer, (uint64_t)ms);
    svc_timer_free(later->timer);
    return SVC_ENOMEM;
}

static int answer_now(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "now\n");
}

int main(void)
{
    svc_app *app = svc_app_new("waits");
    svc_route sleeps = SVC_ROUTE_INIT;
    sleeps.pattern = "GET /sleep/{ms}";
    sleeps.handler = sleep_on_worker;
    sleeps.flags = SVC_BLOCKING;
    svc_app_route(app, &sleeps);
    svc_app_get(app, "/timer/{ms}", set_timer, NULL);
    svc_app_get(app, "/now", answer_now, NULL);
    return svc_app_run(app);
}
