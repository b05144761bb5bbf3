/* The constructor of concurrency limits: checks the program's options, and reports every mistake.
 */
#include <stdlib.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/num.h"
#include "libsvc/base/sized.h"
#include "libsvc/mw/concurrency.h"
#include "libsvc/proto/problem_text.h"

enum { MAX_QUEUE_MS = 3600000, MAX_RETRY_S = 86400 };

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_concurrency_new: " __VA_ARGS__), SVC_EINVAL)

static int no_memory(svc_app *app)
{
    svc__faults_add(&app->faults, NULL, 0, "svc_concurrency_new: %s", svc_error_text(SVC_ENOMEM));
    return SVC_ENOMEM;
}

static int check_adaptive(svc_app *app, const svc_concurrency *options)
{
    if (options->min < 1 || options->limit < options->min || options->max < options->limit ||
        options->max > PERMITS_MAX)
        return WRONG(app, "an adaptive limit needs 1 <= min <= limit <= max <= %d", PERMITS_MAX);
    return 0;
}

static int check(svc_app *app, const svc_concurrency *options)
{
    if (options->limit == 0 && options->max_queue_ms == 0)
        return WRONG(app, "limit, max_queue_ms or both must be set");
    if (options->limit > PERMITS_MAX)
        return WRONG(app, "limit is at most %d", PERMITS_MAX);
    if (options->max_queue_ms > MAX_QUEUE_MS)
        return WRONG(app, "max_queue_ms is at most %d", MAX_QUEUE_MS);
    if (options->retry_after_s > MAX_RETRY_S)
        return WRONG(app, "retry_after_s is at most %d", MAX_RETRY_S);
    return options->adaptive ? check_adaptive(app, options) : 0;
}

static int render_retry(svc_app *app, struct concurrency *concurrency, uint32_t seconds)
{
    char digits[NUM_U64_LEN];
    if (seconds == 0)
        return 0;
    struct bytes text = {digits, svc__num_format_u64(digits, seconds)};
    concurrency->retry_after = svc__arena_copy(&app->memory, text);
    return concurrency->retry_after.data ? 0 : no_memory(app);
}

static const char detail[] = "the service has more requests than it can serve";

/* Renders the refusal once, since under load it must cost little. */
static int render_refusal(svc_app *app, struct concurrency *concurrency)
{
    char text[256];
    struct buf out;
    svc__buf_over(&out, text, sizeof text);
    svc__problem_text_json(&out, 503, detail);
    concurrency->problem = svc__arena_copy(&app->memory, svc__buf_view(&out));
    svc__buf_clear(&out);
    svc__problem_text_plain(&out, 503, detail);
    concurrency->text = svc__arena_copy(&app->memory, svc__buf_view(&out));
    return concurrency->problem.data && concurrency->text.data ? 0 : no_memory(app);
}

static void adopt_options(struct concurrency *concurrency, const svc_concurrency *options)
{
    concurrency->counts = options->limit > 0;
    concurrency->max_queue_ns = options->max_queue_ms * UINT64_C(1000000);
    concurrency->priority = options->priority;
    concurrency->arg = options->arg;
    if (options->adaptive)
        svc__permits_init_adaptive(&concurrency->permits, options->min, options->limit,
                                   options->max);
    else
        svc__permits_init(&concurrency->permits, options->limit);
}

/* Allocates with the alignment that permits need, which the app's arena does not give. */
static struct concurrency *allocate(svc_app *app)
{
    struct concurrency *made = aligned_alloc(_Alignof(struct concurrency), sizeof *made);
    if (!made)
        return NULL;
    *made = (struct concurrency){.counts = false};
    if (!svc__arena_defer(&app->memory, free, made))
        return made;
    free(made);
    return NULL;
}

const svc_middleware *svc_concurrency_new(svc_app *app, const svc_concurrency *options)
{
    if (svc__app_open(app, "svc_concurrency_new"))
        return NULL;
    svc_concurrency own = SVC_CONCURRENCY_INIT;
    if (SIZED_READ(&own, options, limit)) {
        svc__faults_add(&app->faults, NULL, 0,
                        "svc_concurrency_new: options need SVC_CONCURRENCY_INIT");
        return NULL;
    }
    if (check(app, &own))
        return NULL;
    struct concurrency *concurrency = allocate(app);
    if (!concurrency) {
        no_memory(app);
        return NULL;
    }
    if (render_retry(app, concurrency, own.retry_after_s) || render_refusal(app, concurrency))
        return NULL;
    adopt_options(concurrency, &own);
    svc__concurrency_prepare(concurrency);
    return &concurrency->middleware;
}
