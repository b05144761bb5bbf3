/* Scrapes wait in a list until the worker that renders takes all of them. */
#include "libsvc/ops/scrapes.h"

#include <pthread.h>

#include <svc/cache.h>
#include <svc/errors.h>
#include <svc/middleware.h>
#include <svc/pending.h>

#include "libsvc/app/admin_app.h"
#include "libsvc/app/app_internal.h"
#include "libsvc/base/gzip.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/ops/metrics_text.h"
#include "libsvc/ops/shared_body.h"
#include "libsvc/proto/accept_encoding.h"
#include "libsvc/run/workers.h"

enum { FORMATS = 2, END_BYTES = 16 /* of the end of a page */ };

/* One request, in its exchange's memory. */
struct scrape {
    svc_pending *pending;
    enum metrics_format format;
    bool gzip;
    struct scrape *next;
};

struct scrapes {
    svc_app *app;
    struct asked_gauges *gauges;
    svc_counter *pages, *refused, *omitted, *cut;
    _Atomic size_t held;  /* bytes of pages that replies still have */
    pthread_mutex_t lock; /* of all below */
    size_t waiting;
    struct scrape *first, **last;
    bool working; /* a worker renders, or will */
    struct work work;
};

/* One format's page, as it is and compressed; NULL: nobody asks for it, or it could not be made. */
struct rendering {
    struct shared_body *text, *gzip;
};

/* ---- On the worker */

static void log_omitted(struct scrapes *all, const struct metrics_omitted *omitted)
{
    if (omitted->families == 0)
        return;
    svc__counter_add(all->omitted, omitted->families);
    svc_app_log_warn(all->app, "metrics have no room on their page",
                     svc_kv_uint("metrics", omitted->families), svc_kv_str("first", omitted->first),
                     svc_kv_uint("page_bytes", SCRAPES_PAGE_BYTES));
}

static void write_page(struct scrapes *all, enum metrics_format format, struct buf *out)
{
    struct metrics_omitted omitted = {.families = 0};
    svc_app *admin = all->app->admin;
    svc__shared_body_begin(out, SCRAPES_PAGE_BYTES - END_BYTES);
    svc__metrics_text_write(all->app->metrics, NULL, format, out, &omitted);
    if (admin)
        svc__metrics_text_write(admin->metrics, "svc_admin_", format, out, &omitted);
    out->ceiling += END_BYTES;
    svc__metrics_text_end(format, out);
    svc__counter_add(all->pages, 1);
    log_omitted(all, &omitted);
}

static struct shared_body *compress_page(struct scrapes *all, const struct buf *text)
{
    struct buf out;
    svc__shared_body_begin(&out, SCRAPES_PAGE_BYTES);
    svc__gzip_append(&out, svc__shared_body_view(text));
    return svc__shared_body_make(&out, &all->held);
}

/* Renders a format in the codings in which the batch wants it. A page that cannot be compressed is
 * sent as it is. */
static struct rendering render_format(struct scrapes *all, const struct scrape *batch,
                                      enum metrics_format format)
{
    struct rendering made = {NULL, NULL};
    bool gzip = false, plain = false;
    for (; batch; batch = batch->next) {
        gzip = gzip || (batch->format == format && batch->gzip);
        plain = plain || (batch->format == format && !batch->gzip);
    }
    if (!gzip && !plain)
        return made;
    struct buf text;
    write_page(all, format, &text);
    if (gzip && !svc__buf_error(&text))
        made.gzip = compress_page(all, &text);
    if (made.gzip && !plain)
        svc__buf_free(&text);
    else
        made.text = svc__shared_body_make(&text, &all->held);
    return made;
}

static int refuse_scrape(struct scrapes *all, svc_response *res, const char *detail)
{
    svc__counter_add(all->refused, 1);
    svc_response_set_header(res, "Retry-After", "1");
    return svc_response_problem(res, 503, detail);
}

/* Answers with the page; without one with 503. */
static void answer_scrape(struct scrapes *all, const struct scrape *scrape,
                          const struct rendering *rendering)
{
    svc_response *res = svc_response_new();
    struct shared_body *coded = scrape->gzip ? rendering->gzip : NULL;
    struct shared_body *body = coded ? coded : rendering->text;
    if (!body || svc__shared_body_answer(body, res, 200, svc__metrics_text_type(scrape->format)))
        refuse_scrape(all, res, "there is no memory for the page of metrics");
    else if (coded)
        svc_response_set_header(res, "Content-Encoding", "gzip");
    svc_pending_complete(scrape->pending, res);
}

static void answer_batch(struct scrapes *all, struct scrape *batch, bool can_render)
{
    struct rendering made[FORMATS] = {{NULL, NULL}, {NULL, NULL}};
    if (can_render) {
        svc__asked_gauges_ask(all->gauges);
        for (size_t i = 0; i < FORMATS; i++)
            made[i] = render_format(all, batch, (enum metrics_format)i);
    }
    for (struct scrape *next; batch; batch = next) {
        svc_pending *pending = batch->pending; /* whose end is that of the memory */
        next = batch->next;
        answer_scrape(all, batch, &made[batch->format]);
        svc_pending_unref(pending);
    }
    for (size_t i = 0; i < FORMATS; i++) {
        svc__shared_body_unref(made[i].text);
        svc__shared_body_unref(made[i].gzip);
    }
}

/* All that wait; NULL: none, and the worker is done. */
static struct scrape *take_batch(struct scrapes *all)
{
    pthread_mutex_lock(&all->lock);
    struct scrape *batch = all->first;
    all->first = NULL;
    all->last = &all->first;
    all->waiting = 0;
    all->working = batch;
    pthread_mutex_unlock(&all->lock);
    return batch;
}

static void run_scrapes(struct work *work, void *worker)
{
    struct scrapes *all = (struct scrapes *)(void *)((char *)work - offsetof(struct scrapes, work));
    for (struct scrape *batch; (batch = take_batch(all));)
        answer_batch(all, batch, worker);
}

/* ---- On the loop */

/* Whether there is room for one more that waits. */
static bool admit(struct scrapes *all)
{
    bool room = atomic_load_explicit(&all->held, memory_order_relaxed) <= SCRAPES_HELD_BYTES;
    pthread_mutex_lock(&all->lock);
    room = room && all->waiting < SCRAPES_WAITING;
    pthread_mutex_unlock(&all->lock);
    return room;
}

/* Has a worker render the next page for the scrape. */
static void enqueue_scrape(struct scrapes *all, struct scrape *scrape, struct workers *workers)
{
    pthread_mutex_lock(&all->lock);
    *all->last = scrape;
    all->last = &scrape->next;
    all->waiting++;
    bool begin = !all->working;
    all->working = true;
    pthread_mutex_unlock(&all->lock);
    if (begin && svc__workers_submit(workers, &all->work))
        run_scrapes(&all->work, NULL);
}

static bool wants_gzip(const struct fields *fields)
{
    unsigned gzip = svc__accept_encoding_weight(fields, svc__bytes_z("gzip"));
    return svc__gzip_available() && gzip > 0 &&
           gzip >= svc__accept_encoding_weight(fields, svc__bytes_z("identity"));
}

/* Not blocking. */
static int take_scrape(svc_request *req, svc_response *res)
{
    struct scrapes *all = svc_request_arg(req);
    if (!admit(all))
        return refuse_scrape(all, res, "too many requests for metrics at once");
    int error = svc_response_add_vary(res, "Accept, Accept-Encoding");
    struct scrape *scrape = svc__arena_alloc(&svc__exchange_of(req)->arena, sizeof *scrape);
    if (error || !scrape)
        return SVC_ENOMEM;
    *scrape =
        (struct scrape){svc_request_defer(req, NULL, NULL), svc__metrics_text_choose(&req->fields),
                        wants_gzip(&req->fields), NULL};
    if (!scrape->pending)
        return SVC_ENOMEM;
    enqueue_scrape(all, scrape, req->plan->workers);
    return 0;
}

static double read_held(void *of)
{
    const struct scrapes *all = of;
    return (double)atomic_load_explicit(&all->held, memory_order_relaxed);
}

static void count_cut(svc_request *req, const svc_response *res, const svc_layer *layer,
                      const svc_done *done)
{
    const struct scrapes *all = layer->arg;
    (void)req, (void)res;
    if (done->outcome != SVC_COMPLETE)
        svc__counter_add(all->cut, 1);
}

static void register_metrics_of(struct scrapes *all, svc_app *app)
{
    all->pages = svc__metric_counter(app->metrics, "svc_scrape_pages_total",
                                     "Pages of metrics rendered; scrapes at once share one.");
    all->refused = svc__metric_counter(app->metrics, "svc_scrapes_refused_total",
                                       "Scrapes answered 503: too many at once, or no memory.");
    all->omitted = svc__metric_counter(app->metrics, "svc_scrape_metrics_omitted_total",
                                       "Metrics left out of a page that had no room for them.");
    all->cut =
        svc__metric_counter(app->metrics, "svc_scrapes_cut_total",
                            "Scrapes that have left, or not read, before the end of their page.");
    svc__metric_fn(app->metrics, METRIC_GAUGE, "svc_scrape_held_bytes",
                   "Pages of metrics that are being sent.", read_held, all);
}

int svc__scrapes_add_page(svc_app *admin, svc_app *app, struct asked_gauges *gauges)
{
    struct scrapes *all = svc__arena_zalloc(&admin->memory, sizeof *all);
    if (!all)
        return SVC_ENOMEM;
    all->app = app;
    all->gauges = gauges;
    all->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    all->last = &all->first;
    all->work.run = run_scrapes;
    register_metrics_of(all, app);
    svc_middleware counted = SVC_MIDDLEWARE_INIT;
    counted.name = "scrapes";
    counted.arg = all;
    counted.on_done = count_cut;
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET " ADMIN_APP_METRICS;
    route.handler = take_scrape;
    route.arg = all;
    route.middleware = (const svc_middleware *const[]){&counted, NULL};
    return svc_app_route(admin, &route);
}
