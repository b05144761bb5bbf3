/* Every public call with arguments that are right, where there is something to call it with. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc/sys/app.h>
#include <svc/sys/coding.h>
#include <svc/sys/debug.h>
#include <svc/sys/memory.h>
#include <svc/sys/number.h>
#include <svc/sys/span.h>
#include <svc/sys/store.h>

#include "tests/structure/calls.h"

/* ---- What calls are given */

static int handle(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static const char *const offered[] = {"en", NULL};
static const svc_offers offers = {sizeof(svc_offers), NULL, offered, NULL, false};

static int check(void *arg)
{
    (void)arg;
    return 0;
}

static int visit(const svc_route_info *info, void *arg)
{
    (void)info, (void)arg;
    return 0;
}

static bool drop_line(const svc_log_record *record, void *arg)
{
    (void)record, (void)arg;
    return true;
}

static int begin_worker(svc_app *app, void *arg, void **state)
{
    (void)app, (void)arg, (void)state;
    return 0;
}

static int begin_loop(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    (void)app, (void)loop, (void)arg, (void)state;
    return 0;
}

static void on_drain(svc_app *app, void *arg)
{
    (void)app, (void)arg;
}

static double read_gauge(void *arg)
{
    (void)arg;
    return 1;
}

/* Whether a family that the app has, and no other, can be counted in. */
static int count(struct things *at)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "calls_total";
    metric.help = "Calls.";
    svc_counter_family *family = svc_app_counter(at->app, &metric);
    svc_counter *counter = svc_counter_of(family, 0, NULL);
    svc_counter_add(counter, 1);
    svc_counter_add_in(counter, 1, at->req);
    return (svc_app_counter_at)(at->app, &metric, "a.c", 1) != family || !counter != !at->app;
}

static int gauge(struct things *at)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "calls_open";
    metric.help = "Calls.";
    svc_gauge_family *family = svc_app_gauge(at->app, &metric);
    svc_gauge *value = svc_gauge_of(family, 0, NULL);
    svc_gauge_set(value, 1);
    svc_gauge_add(value, 1);
    bool wrong = (svc_app_gauge_at)(at->app, &metric, "a.c", 1) != family || !value != !at->app;
    metric.name = "calls_asked";
    int error = svc_app_gauge_fn(at->app, &metric, read_gauge, NULL);
    return wrong || error != svc_app_gauge_fn_at(at->app, &metric, read_gauge, NULL, "a.c", 1) ||
           !error != !!at->app;
}

static int observe(struct things *at)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "calls_seconds";
    metric.help = "Calls.";
    svc_histogram_family *family = svc_app_histogram(at->app, &metric);
    svc_histogram *histogram = svc_histogram_of(family, 0, NULL);
    svc_histogram_observe(histogram, 1);
    svc_histogram_observe_in(histogram, 1, at->req);
    return (svc_app_histogram_at)(at->app, &metric, "a.c", 1) != family || !histogram != !at->app;
}

static int run_task(svc_task_context *context, void *arg)
{
    (void)context, (void)arg;
    return 0;
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void do_nothing_ready(unsigned events, void *arg)
{
    (void)events, (void)arg;
}

static void leave_pending(svc_pending *pending, void *arg)
{
    (void)pending, (void)arg;
}

static int write_nothing(svc_pipe *pipe, void *arg)
{
    (void)pipe, (void)arg;
    return 0;
}

static int end_reply(svc_trailers *out, void *arg)
{
    (void)arg;
    return svc_trailers_add(out, "X-End", "reached");
}

static int64_t read_nothing(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return 0;
}

static const svc_middleware layer = {.size = sizeof layer, .name = "late"};

struct bound {
    const char *name;
};
static const struct bound bound_value = {"bound"};
static const svc_field bound_fields[] = {SVC_FIELD_TEXT(struct bound, name), SVC_FIELD_END};

struct settings {
    uint64_t number;
};
static struct settings settings;
static const svc_setting setting_rows[] = {
    SVC_SETTING_NUMBER(struct settings, number, 1, 0, 9, "", "A number"), SVC_SETTING_END};

static const svc_cookie cookie = {sizeof cookie, "a", "b", NULL, "/", 0, 0, 0, true, true, false};
static const svc_key key = {"key"};
static char bytes[16];
static size_t length;
static long found;
static const char *text, *other_text;

/* ---- Calls that take more than an expression */

static long route(struct things *at)
{
    svc_route spec = SVC_ROUTE_INIT;
    spec.pattern = "/late/route";
    spec.handler = handle;
    return svc_app_route(at->app, &spec);
}

static long group_route(struct things *at)
{
    svc_route spec = SVC_ROUTE_INIT;
    spec.pattern = "/late/group/route";
    spec.handler = handle;
    return svc_group_route(at->group, &spec);
}

static long plain_route(struct things *at)
{
    svc_route spec = SVC_ROUTE_INIT;
    spec.pattern = "/late/plain";
    spec.handler = handle;
    return (svc_app_route)(at->app, &spec);
}

static long plain_group_route(struct things *at)
{
    svc_route spec = SVC_ROUTE_INIT;
    spec.pattern = "/late/group/plain";
    spec.handler = handle;
    return (svc_group_route)(at->group, &spec);
}

static long task(struct things *at)
{
    svc_task spec = SVC_TASK_INIT;
    spec.name = "late";
    spec.run = run_task;
    return svc_app_add_task(at->app, &spec);
}

static long configure(struct things *at)
{
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    return svc_app_configure(at->app, &config);
}

static long free_unmounted(int error, svc_app *inner)
{
    if (error)
        svc_app_free(inner);
    return error;
}

static long mount(struct things *at)
{
    svc_app *inner = svc_app_new("late");
    return free_unmounted(svc_app_mount(at->app, "/late/app", inner), inner);
}

static long group_mount(struct things *at)
{
    svc_app *inner = svc_app_new("later");
    return free_unmounted(svc_group_mount(at->group, "/late/mount", inner), inner);
}

static long limiter(struct things *at)
{
    svc_rate_limit options = SVC_RATE_LIMIT_INIT;
    options.rate = 1000;
    return svc_rate_limit_new(at->app, &options) != NULL;
}

static long idempotency(struct things *at)
{
    svc_idempotency options = SVC_IDEMPOTENCY_INIT;
    options.header = "Authorization";
    return svc_idempotency_new(at->app, &options) != NULL;
}

static long response_cache_admin(struct things *at)
{
    return svc_response_cache_add_admin(svc_response_cache_new(at->app, NULL)) == 0;
}

static long response_cache(struct things *at)
{
    return svc_response_cache_layer(svc_response_cache_new(at->app, NULL)) != NULL;
}

static long concurrency(struct things *at)
{
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    options.limit = 100;
    return svc_concurrency_new(at->app, &options) != NULL;
}

static long cache_control(struct things *at)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    return svc_cache_control_new(at->app, &policy) != NULL;
}

static long app_files(struct things *at)
{
    svc_files files = SVC_FILES_INIT;
    files.root = "/";
    return svc_app_files(at->app, "/late/files/", &files);
}

static long group_files(struct things *at)
{
    svc_files files = SVC_FILES_INIT;
    files.root = "/";
    return svc_group_files(at->group, "/late/group/files/", &files);
}

static long set_cache_control(struct things *at)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.max_age_s = 1;
    return svc_response_set_cache_control(at->res, &policy);
}

static long read_cache_control(struct things *at)
{
    svc_cache_wish wish = SVC_CACHE_WISH_INIT;
    return svc_request_cache_control(at->req, &wish);
}

static long check_conditions(struct things *at)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    (void)!svc_request_check_conditions(at->req, at->res, &validators);
    return 0;
}

static long bind_with(struct things *at,
                      bool (*bind)(svc_request *, svc_response *, const svc_schema *, void *))
{
    struct bound bound;
    (void)!bind(at->req, at->res, at->schema, &bound);
    return 0;
}

static long bind_form(struct things *at)
{
    struct bound bound;
    const svc_form *form = svc_request_form(at->req, at->res, NULL);
    (void)!svc_form_bind(form, at->res, at->schema, &bound);
    return 0;
}

/* There is a schema wherever there may be a response. */
static long answer_with_struct(struct things *at)
{
    return svc_response_bind(at->res, 200, at->schema, &bound_value);
}

static long violations(struct things *at)
{
    const svc_violation violation = {"#/name", NULL, "is wrong"};
    return svc_response_violations(at->res, &violation, 1);
}

static long log_line(struct things *at)
{
    svc_log_site site = SVC_LOG_SITE_INIT(SVC_LEVEL_INFO);
    svc_log_resolve(&site);
    if ((svc_log_wanted)(&site))
        svc_app_log_write(at->app, &site, "line", NULL);
    return 0;
}

static long log_request_line(struct things *at)
{
    svc_log_site site = SVC_LOG_SITE_INIT(SVC_LEVEL_INFO);
    svc_log_resolve(&site);
    svc_log_write(at->req, &site, "line", NULL);
    return 0;
}

/* The request has room for 16 of them in all. */
static long add_log_items(struct things *at)
{
    const svc_kv items[] = {svc_kv_str("late", "item"), SVC_KV_END};
    int error = svc_request_log_items(at->req, items);
    return error == SVC_ETOOBIG ? 0 : error;
}

static long answer_from_source(struct things *at)
{
    svc_source source = SVC_SOURCE_INIT;
    source.length = 0;
    source.read = read_nothing;
    return svc_response_source(at->res, 200, NULL, &source);
}

static long take_source(struct things *at)
{
    svc_source source = SVC_SOURCE_INIT;
    int error = svc_response_take_source(at->res, &source);
    return error ? error : svc_response_source(at->res, 200, NULL, &source);
}

static long answer_with_file(struct things *at)
{
    svc_file file = SVC_FILE_INIT;
    file.fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    return svc_response_fd(at->res, 200, NULL, &file);
}

static long answer_with_pipe(struct things *at)
{
    svc_pipe *pipe = svc_pipe_new(0);
    svc_pipe_end(pipe, 0);
    int error = svc_response_pipe(at->res, 200, NULL, pipe);
    return error ? error : svc_response_text(at->res, 200, "ok");
}

static long use_events(struct things *at)
{
    svc_events *events = svc_response_events(at->res, NULL);
    int error = svc_events_send(events, "a", "1", "b");
    svc_events_unref(svc_events_ref(events));
    svc_events_end(events);
    svc_events_unref(events);
    return error ? error : svc_response_text(at->res, 200, "ok");
}

static long use_waker(struct things *at)
{
    svc_waker *waker = svc_response_waker(at->res);
    svc_waker_unref(svc_waker_ref(waker));
    svc_waker_wake(waker);
    svc_waker_unref(waker);
    return at->res && !waker;
}

static long answer_by_writer(struct things *at)
{
    int error = svc_response_writer(at->res, 200, NULL, write_nothing, NULL);
    return error ? error : svc_response_text(at->res, 200, "ok");
}

static long write_json(struct things *at)
{
    svc_json_writer *json = svc_response_json_begin(at->res, 200);
    svc_json_put_null(json, NULL);
    int error = svc_response_json_end(json);
    return at->res && !svc_response_json_end(json) ? -1 : error; /* twice is refused */
}

/* What would wait for ever is refused on an event loop, which may be what it waits for. */
static bool waits_on_loop(svc_queue *queue)
{
    void *item;
    bool popped = svc_queue_pop(queue, &item) != SVC_ESTATE ||
                  svc_queue_pop_within(queue, &item, 60000) != SVC_ESTATE;
    bool pushed = svc_queue_push(queue, queue) || svc_queue_push(queue, queue) != SVC_ESTATE ||
                  svc_queue_push_within(queue, queue, 60000) != SVC_ESTATE;
    return popped || pushed || svc_queue_try_pop(queue, &item);
}

/* A queue of its own, since the other one is closed. */
static long use_queue(struct things *at)
{
    svc_queue *queue = svc_queue_new(1, NULL);
    void *item;
    long error = at->on_loop && waits_on_loop(queue);
    error = error || svc_queue_push(queue, at) || svc_queue_pop(queue, &item) ||
            svc_queue_push_within(queue, at, 0) || svc_queue_pop_within(queue, &item, 0) ||
            svc_queue_try_push(queue, at) || svc_queue_try_pop(queue, &item);
    svc_queue_close(queue);
    error = error || svc_queue_push(queue, at) != SVC_ECLOSED ||
            svc_queue_pop(queue, &item) != SVC_ECLOSED;
    svc_queue_free(queue);
    return error;
}

static long pop_nothing(struct things *at, int (*pop)(svc_queue *, void **))
{
    void *item;
    svc_queue_close(at->queue);
    return pop(at->queue, &item) == SVC_ECLOSED ? 0 : SVC_ENOMEM;
}

static long pop_nothing_within(struct things *at)
{
    void *item;
    svc_queue_close(at->queue);
    return svc_queue_pop_within(at->queue, &item, 0) == SVC_ECLOSED ? 0 : SVC_ENOMEM;
}

static long push_into_closed(struct things *at, int (*push)(svc_queue *, void *))
{
    svc_queue_close(at->queue);
    return push(at->queue, at) == SVC_ECLOSED ? 0 : SVC_ENOMEM;
}

static long push_into_closed_within(struct things *at)
{
    svc_queue_close(at->queue);
    return svc_queue_push_within(at->queue, at, 0) == SVC_ECLOSED ? 0 : SVC_ENOMEM;
}

static long read_byte(struct things *at, int64_t (*read)(svc_pipe *, void *, size_t))
{
    char byte;
    if (at->on_loop && svc_pipe_read(at->pipe, &byte, 1) != SVC_ESTATE)
        return -1;
    int64_t n = svc_pipe_try_write(at->pipe, "x", 1);
    if (n == 1)
        n = read(at->pipe, &byte, 1);
    return n == 1 ? 0 : n ? (long)n : -1;
}

static long write_byte(struct things *at, bool blocks)
{
    char byte;
    int64_t n = blocks ? svc_pipe_write(at->pipe, "x", 1) : svc_pipe_try_write(at->pipe, "x", 1);
    if (n >= 0)
        (void)!svc_pipe_try_read(at->pipe, &byte, 1);
    return n > 0 ? 0 : (long)n;
}

static long end_pipes(struct things *at, bool cancels)
{
    svc_pipe *pipe = at->pipe ? svc_pipe_new(1) : NULL;
    if (at->on_loop && svc_pipe_write(pipe, "xx", 2) != SVC_ESTATE)
        return -1;
    if (cancels)
        svc_pipe_cancel(pipe);
    svc_pipe_end(pipe, 0);
    svc_pipe_end(pipe, 0);
    svc_pipe_cancel(pipe);
    svc_pipe_unref(pipe);
    return 0;
}

static long ref_pipe(struct things *at)
{
    svc_pipe_unref(svc_pipe_ref(at->pipe));
    return 0;
}

static long use_timer(struct things *at)
{
    svc_timer *timer = svc_timer_new(at->loop, do_nothing, NULL);
    long set = svc_timer_set(timer, 60000);
    svc_timer_cancel(timer);
    svc_timer_free(timer);
    return timer ? set : 0;
}

static long use_watch(struct things *at)
{
    int fds[2];
    if (pipe(fds))
        return -1;
    svc_watch *watch = svc_watch_new(at->loop, fds[0], SVC_READABLE, do_nothing_ready, NULL);
    long set = svc_watch_set(watch, 0);
    svc_watch_free(watch);
    close(fds[0]);
    close(fds[1]);
    return watch ? set : 0;
}

static long make_reply(struct things *at)
{
    svc_reply_free(at->reply);
    at->reply = NULL;
    return 0;
}

static long complete_nothing(struct things *at)
{
    return svc_pending_complete(at->pending, svc_response_new()) < 0 ? 0 : -1;
}

static long new_response(struct things *at)
{
    (void)at;
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "ok");
    svc_response_free(res);
    return 0;
}

static long new_writer(struct things *at)
{
    (void)at;
    svc_json_writer *json = svc_json_writer_new(1000);
    svc_json_open_array(json, NULL);
    svc_json_close(json);
    text = svc_json_writer_text(json, &length);
    svc_json_writer_free(json);
    return 0;
}

/* Only a handler may, once, and then the first answer wins. */
static long defer(struct things *at)
{
    svc_pending *pending = svc_request_defer(at->req, leave_pending, NULL);
    if (!pending)
        return at->in_handler;
    svc_pending *second = svc_request_defer(at->req, leave_pending, NULL);
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "deferred");
    int error = svc_pending_complete(pending, res);
    int late = svc_pending_complete(pending, svc_response_new());
    svc_pending_unref(pending);
    return !at->in_handler || second || error || late != SVC_ELATE;
}

/* Puts a value into an array that is opened for it. */
#define PUT(call)                                                                                  \
    (svc_json_open_array(at->json, NULL), (call), svc_json_close(at->json),                        \
     svc_json_writer_error(at->json), 0)

static void take_span(void *arg, svc_sys_span *span)
{
    (void)arg;
    svc_sys_span_free(span);
}

static int open_store(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                      const char **why)
{
    (void)app, (void)place, (void)arg, (void)state, (void)why;
    return SVC_EINVAL;
}

static void close_store(void *state)
{
    (void)state;
}

static void run_store(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)state, (void)first, (void)wait_ms;
}

static int make_decoder(void **decoder)
{
    (void)decoder;
    return SVC_ENOMEM;
}

static int reset_decoder(void *decoder)
{
    (void)decoder;
    return SVC_ENOMEM;
}

static int decode(void *decoder, svc_sys_coding_step *step)
{
    (void)decoder, (void)step;
    return SVC_ESYNTAX;
}

static long add_coding(struct things *at)
{
    svc_sys_coding coding = SVC_SYS_CODING_INIT;
    coding.name = "calls";
    coding.decoder_new = make_decoder;
    coding.decoder_reset = reset_decoder;
    coding.decode = decode;
    coding.decoder_free = close_store;
    return svc_sys_app_add_coding(at->app, &coding);
}

static long add_store(struct things *at)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "calls";
    backend.open = open_store;
    backend.close = close_store;
    backend.run = run_store;
    return svc_sys_app_add_store(at->app, &backend);
}

static svc_part *part;
static svc_upload *upload;
static svc_store_value value;
static const svc_store_charge charge;
static svc_store_verdict verdict;
static svc_store_item stored_items[1];
static uint64_t stored_number;

static void take_message(const void *data, size_t len, void *arg)
{
    (void)data, (void)len, (void)arg;
}

static void take_gap(void *arg)
{
    (void)arg;
}

static int load_nothing(svc_memo_load *load, const char *wanted, void *arg)
{
    (void)load, (void)wanted, (void)arg;
    return SVC_ENOTFOUND;
}

static long memo(struct things *at)
{
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "late";
    return svc_memo_new(at->app, svc_store_open(at->app, NULL), &options) != NULL;
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    (void)answer, (void)arg;
}

static long set_exporter(struct things *at)
{
    svc_sys_exporter exporter = SVC_SYS_EXPORTER_INIT;
    exporter.take = take_span;
    return svc_sys_app_set_exporter(at->app, &exporter);
}

static long use_span(struct things *at)
{
    const svc_kv items[] = {svc_kv_str("late", "item"), SVC_KV_END};
    svc_span *span = svc_span_begin(at->req, NULL, SVC_SPAN_INTERNAL, "late");
    svc_span_set_items(span, items);
    svc_span_fail(span, "late", NULL);
    svc_span_link(span, "late");
    svc_span_end(span);
    return 0;
}

/* The value of a call on an object; without that object it must be `nothing`. */
#define GIVES(object, nothing, call)                                                               \
    (found = (long)(call), at->object ? 0 : found - (long)(nothing))
#define FINDS(object, call) GIVES(object, 0, call)
#define TEXT(object, call) (text = (call), !at->object && text && *text)

/* The code of a call that succeeds with its object. */
#define DOES(object, call) (found = (call), at->object ? found : found - SVC_ENOMEM)

/* Whether a call finds something, which it does with its object and only then. */
#define HAS(object, call) ((call) != (at->object != NULL))

/* ---- The table. Each expression is a function of its own */

#define CALLS(X)                                                                                   \
    X(svc_app_add_check, REGISTER, svc_app_add_check(at->app, "late", check, NULL))                \
    X(svc_app_add_drain_hook, REGISTER, svc_app_add_drain_hook(at->app, on_drain, NULL))           \
    X(svc_app_add_hook, REGISTER, svc_app_add_hook(at->app, NULL, NULL, NULL))                     \
    X(svc_app_add_settings, REGISTER, svc_app_add_settings(at->app, setting_rows, &settings))      \
    X(svc_app_add_task, REGISTER, task(at))                                                        \
    X(svc_app_address, LOOK, TEXT(app, svc_app_address(at->app, 0)))                               \
    X(svc_app_admin, MAKE, svc_app_admin(at->app) != NULL)                                         \
    X(svc_app_admin_address, LOOK, TEXT(app, svc_app_admin_address(at->app)))                      \
    X(svc_app_configure, REGISTER, configure(at))                                                  \
    X(svc_app_counter, LOOK, count(at))                                                            \
    X(svc_app_counter_at, LOOK, count(at))                                                         \
    X(svc_app_delete, REGISTER, (svc_app_delete)(at->app, "/late/app/delete", handle, NULL))       \
    X(svc_app_describe, REGISTER, svc_app_describe(at->app, "late"))                               \
    X(svc_app_draining, LOOK, FINDS(app, svc_app_draining(at->app)))                               \
    X(svc_app_each_loop, REGISTER, svc_app_each_loop(at->app, &key, begin_loop, NULL, NULL))       \
    X(svc_app_each_worker, REGISTER, svc_app_each_worker(at->app, begin_worker, NULL, NULL))       \
    X(svc_app_errors, LOOK, (text = svc_app_errors(at->app), 0))                                   \
    X(svc_app_files, REGISTER, app_files(at))                                                      \
    X(svc_app_free, LIFE, 0)                                                                       \
    X(svc_app_gauge, LOOK, gauge(at))                                                              \
    X(svc_app_gauge_at, LOOK, gauge(at))                                                           \
    X(svc_app_gauge_fn, LOOK, gauge(at))                                                           \
    X(svc_app_gauge_fn_at, LOOK, gauge(at))                                                        \
    X(svc_app_get, REGISTER, (svc_app_get)(at->app, "/late/app/get", handle, NULL))                \
    X(svc_app_group, MAKE, svc_app_group(at->app, "/late") != NULL)                                \
    X(svc_app_histogram, LOOK, observe(at))                                                        \
    X(svc_app_histogram_at, LOOK, observe(at))                                                     \
    X(svc_app_log_write, LOOK, log_line(at))                                                       \
    X(svc_app_loop, LOOK, FINDS(app, svc_app_loop(at->app, 0)))                                    \
    X(svc_app_main, LIFE, 0)                                                                       \
    X(svc_app_method_at, REGISTER, svc_app_get(at->app, "/late/method", handle, NULL))             \
    X(svc_app_mount, REGISTER, mount(at))                                                          \
    X(svc_app_name, LOOK, TEXT(app, svc_app_name(at->app)))                                        \
    X(svc_app_new, LOOK, (svc_app_free(svc_app_new("another")), 0))                                \
    X(svc_app_patch, REGISTER, (svc_app_patch)(at->app, "/late/app/patch", handle, NULL))          \
    X(svc_app_post, REGISTER, (svc_app_post)(at->app, "/late/app/post", handle, NULL))             \
    X(svc_app_put, REGISTER, (svc_app_put)(at->app, "/late/app/put", handle, NULL))                \
    X(svc_app_read_environment, REGISTER, svc_app_read_environment(at->app, "NONE"))               \
    X(svc_app_reopen_log, LOOK, GIVES(app, SVC_ENOMEM, svc_app_reopen_log(at->app)))               \
    X(svc_app_route, REGISTER, plain_route(at))                                                    \
    X(svc_app_route_at, REGISTER, route(at))                                                       \
    X(svc_app_run, LIFE, 0)                                                                        \
    X(svc_app_set_fallback, REGISTER, svc_app_set_fallback(at->app, handle, NULL))                 \
    X(svc_app_set_offers, REGISTER, svc_app_set_offers(at->app, &offers))                          \
    X(svc_app_set_log_sink, REGISTER, svc_app_set_log_sink(at->app, drop_line, NULL))              \
    X(svc_app_start, LIFE, 0)                                                                      \
    X(svc_app_stop, LIFE, 0)                                                                       \
    X(svc_app_stopping, LOOK, FINDS(app, svc_app_stopping(at->app)))                               \
    X(svc_app_test, LIFE, 0)                                                                       \
    X(svc_app_test_get, LIFE, 0)                                                                   \
    X(svc_app_test_json, LIFE, 0)                                                                  \
    X(svc_app_use, REGISTER, svc_app_use(at->app, &layer))                                         \
    X(svc_app_visit_routes, LOOK, svc_app_visit_routes(at->app, visit, NULL))                      \
    X(svc_app_wait, LIFE, 0)                                                                       \
    X(svc_cache_control_new, MAKE, cache_control(at))                                              \
    X(svc_channel_open, MAKE,                                                                      \
      svc_channel_open(at->app, svc_store_open(at->app, NULL), "a", take_message, take_gap,        \
                       NULL) != NULL)                                                              \
    X(svc_channel_publish, LOOK, svc_channel_publish(NULL, at->req, "a", 1) != SVC_ENOMEM)         \
    X(svc_channel_publish_then, LOOK,                                                              \
      svc_channel_publish_then(NULL, at->req, "a", 1, take_answer, NULL) != SVC_ENOMEM)            \
    X(svc_compress_new, MAKE, svc_compress_new(at->app, NULL) != NULL)                             \
    X(svc_concurrency_new, MAKE, concurrency(at))                                                  \
    X(svc_conditional_new, MAKE, svc_conditional_new(at->app, NULL) != NULL)                       \
    X(svc_cookie_mistake, LOOK, svc_cookie_mistake(&cookie) != NULL)                               \
    X(svc_counter_add, LOOK, count(at))                                                            \
    X(svc_counter_add_in, LOOK, count(at))                                                         \
    X(svc_counter_of, LOOK, count(at))                                                             \
    X(svc_decompress_new, MAKE, svc_decompress_new(at->app, NULL) != NULL)                         \
    X(svc_error_name, LOOK, (text = svc_error_name(SVC_ESTATE), 0))                                \
    X(svc_error_text, LOOK, (text = svc_error_text(SVC_ESTATE), 0))                                \
    X(svc_events_end, ANSWER, use_events(at))                                                      \
    X(svc_events_ref, ANSWER, use_events(at))                                                      \
    X(svc_events_send, ANSWER, use_events(at))                                                     \
    X(svc_events_unref, ANSWER, use_events(at))                                                    \
    X(svc_form_at, LOOK, svc_form_at(NULL, 0, &text, &other_text) - SVC_ENOTFOUND)                 \
    X(svc_form_bind, LOOK, bind_form(at))                                                          \
    X(svc_form_count, LOOK, (long)svc_form_count(NULL))                                            \
    X(svc_form_value, LOOK, svc_form_value(NULL, "a") != NULL)                                     \
    X(svc_form_value_nth, LOOK, svc_form_value_nth(NULL, "a", 1) != NULL)                          \
    X(svc_gauge_add, LOOK, gauge(at))                                                              \
    X(svc_gauge_of, LOOK, gauge(at))                                                               \
    X(svc_gauge_set, LOOK, gauge(at))                                                              \
    X(svc_group_delete, REGISTER,                                                                  \
      (svc_group_delete)(at->group, "/late/group/delete", handle, NULL))                           \
    X(svc_group_files, REGISTER, group_files(at))                                                  \
    X(svc_group_get, REGISTER, (svc_group_get)(at->group, "/late/group/get", handle, NULL))        \
    X(svc_group_group, MAKE, svc_group_group(at->group, "/late") != NULL)                          \
    X(svc_group_method_at, REGISTER, svc_group_get(at->group, "/late/group", handle, NULL))        \
    X(svc_group_mount, REGISTER, group_mount(at))                                                  \
    X(svc_group_patch, REGISTER, (svc_group_patch)(at->group, "/late/group/patch", handle, NULL))  \
    X(svc_group_post, REGISTER, (svc_group_post)(at->group, "/late/group/post", handle, NULL))     \
    X(svc_group_put, REGISTER, (svc_group_put)(at->group, "/late/group/put", handle, NULL))        \
    X(svc_group_route, REGISTER, plain_group_route(at))                                            \
    X(svc_group_route_at, REGISTER, group_route(at))                                               \
    X(svc_group_set_flags, REGISTER, svc_group_set_flags(at->group, SVC_BLOCKING))                 \
    X(svc_group_set_offers, REGISTER, svc_group_set_offers(at->group, &offers))                    \
    X(svc_group_set_timeout, REGISTER, svc_group_set_timeout(at->group, 1000))                     \
    X(svc_group_use, REGISTER, svc_group_use(at->group, &layer))                                   \
    X(svc_histogram_observe, LOOK, observe(at))                                                    \
    X(svc_histogram_observe_in, LOOK, observe(at))                                                 \
    X(svc_histogram_of, LOOK, observe(at))                                                         \
    X(svc_idempotency_id, LOOK, TEXT(req, svc_idempotency_id(at->req)))                            \
    X(svc_idempotency_new, MAKE, idempotency(at))                                                  \
    X(svc_json_close, LOOK, PUT((void)0))                                                          \
    X(svc_json_open_array, LOOK, PUT((void)0))                                                     \
    X(svc_json_open_object, LOOK,                                                                  \
      PUT((svc_json_open_object(at->json, NULL), svc_json_close(at->json))))                       \
    X(svc_json_put_bool, LOOK, PUT(svc_json_put_bool(at->json, NULL, true)))                       \
    X(svc_json_put_bound, LOOK, PUT(svc_json_put_bound(at->json, NULL, at->schema, &bound_value))) \
    X(svc_json_put_double, LOOK, PUT(svc_json_put_double(at->json, NULL, 1)))                      \
    X(svc_json_put_i64, LOOK, PUT(svc_json_put_i64(at->json, NULL, 1)))                            \
    X(svc_json_put_jansson, LOOK, PUT(svc_json_put_jansson(at->json, NULL, json_true())))          \
    X(svc_json_put_null, LOOK, PUT(svc_json_put_null(at->json, NULL)))                             \
    X(svc_json_put_raw, LOOK, PUT(svc_json_put_raw(at->json, NULL, "1", 1)))                       \
    X(svc_json_put_text, LOOK, PUT(svc_json_put_text(at->json, NULL, "text")))                     \
    X(svc_json_put_text_n, LOOK, PUT(svc_json_put_text_n(at->json, NULL, "text", 4)))              \
    X(svc_json_put_time_s, LOOK, PUT(svc_json_put_time_s(at->json, NULL, 1)))                      \
    X(svc_json_put_time_us, LOOK, PUT(svc_json_put_time_us(at->json, NULL, 1)))                    \
    X(svc_json_put_u64, LOOK, PUT(svc_json_put_u64(at->json, NULL, 1)))                            \
    X(svc_json_writer_error, LOOK, GIVES(json, SVC_ENOMEM, svc_json_writer_error(at->json)))       \
    X(svc_json_writer_free, LOOK, new_writer(at))                                                  \
    X(svc_json_writer_new, LOOK, new_writer(at))                                                   \
    X(svc_json_writer_text, LOOK, TEXT(json, svc_json_writer_text(at->json, &length)))             \
    X(svc_kv_bool, LOOK, svc_kv_bool("a", false).value.truth)                                      \
    X(svc_kv_bytes, LOOK, svc_kv_bytes("a", "b", 1).len != 1)                                      \
    X(svc_kv_double, LOOK, svc_kv_double("a", 0).value.real > 0)                                   \
    X(svc_kv_err, LOOK, svc_kv_err("a", SVC_EINVAL).len == 0)                                      \
    X(svc_kv_int, LOOK, svc_kv_int("a", 0).value.number)                                           \
    X(svc_kv_str, LOOK, svc_kv_str("a", "b").len != 1)                                             \
    X(svc_kv_uint, LOOK, (long)svc_kv_uint("a", 0).value.count)                                    \
    X(svc_log_resolve, LOOK, log_line(at))                                                         \
    X(svc_log_wanted, LOOK, log_line(at))                                                          \
    X(svc_log_write, LOOK, log_request_line(at))                                                   \
    X(svc_loop_get, LOOK, FINDS(loop, svc_loop_get(at->loop, &key)))                               \
    X(svc_loop_post, LOOK, GIVES(loop, SVC_ESTATE, svc_loop_post(at->loop, do_nothing, NULL)))     \
    X(svc_memo_forget, LOOK, svc_memo_forget(NULL, at->req, "a") != SVC_ENOMEM)                    \
    X(svc_memo_forget_then, LOOK,                                                                  \
      svc_memo_forget_then(NULL, at->req, "a", take_answer, NULL) != SVC_ENOMEM)                   \
    X(svc_memo_get, LOOK,                                                                          \
      svc_memo_get(NULL, at->req, "a", load_nothing, NULL, &value) != SVC_ENOMEM)                  \
    X(svc_memo_get_then, LOOK,                                                                     \
      svc_memo_get_then(NULL, at->req, "a", load_nothing, NULL, take_answer, NULL) != SVC_ENOMEM)  \
    X(svc_memo_load_request, LOOK, svc_memo_load_request(NULL) != NULL)                            \
    X(svc_memo_load_value, LOOK, svc_memo_load_value(NULL, "a", 1) != SVC_ENOMEM)                  \
    X(svc_memo_load_worker, LOOK, svc_memo_load_worker(NULL) != NULL)                              \
    X(svc_memo_new, MAKE, memo(at))                                                                \
    X(svc_multipart_answer, LOOK, svc_multipart_answer(NULL, NULL) != SVC_ENOMEM)                  \
    X(svc_multipart_collect, LOOK, svc_multipart_collect(NULL) != SVC_ENOMEM)                      \
    X(svc_multipart_form, LOOK, svc_multipart_form(NULL) != NULL)                                  \
    X(svc_multipart_next, LOOK, svc_multipart_next(NULL, &part) != SVC_ENOMEM)                     \
    X(svc_multipart_try_next, LOOK, svc_multipart_try_next(NULL, &part) != SVC_ENOMEM)             \
    X(svc_multipart_upload, LOOK, svc_multipart_upload(NULL, "a", 0) != NULL)                      \
    X(svc_part_bytes, LOOK, svc_part_bytes(NULL, &text, NULL) != SVC_ENOMEM)                       \
    X(svc_part_filename, LOOK, svc_part_filename(NULL) != NULL)                                    \
    X(svc_part_name, LOOK, *svc_part_name(NULL))                                                   \
    X(svc_part_read, LOOK, svc_part_read(NULL, &text) != SVC_ENOMEM)                               \
    X(svc_part_save, LOOK, svc_part_save(NULL, &upload) != SVC_ENOMEM)                             \
    X(svc_part_try_read, LOOK, svc_part_try_read(NULL, &text) != SVC_ENOMEM)                       \
    X(svc_part_type, LOOK, !*svc_part_type(NULL))                                                  \
    X(svc_pending_complete, LOOK, complete_nothing(at))                                            \
    X(svc_pending_ref, LOOK, svc_pending_ref(at->pending) != at->pending)                          \
    X(svc_pending_request, LOOK, svc_pending_request(at->pending) != NULL)                         \
    X(svc_pending_unref, LOOK, (svc_pending_unref(at->pending), 0))                                \
    X(svc_pipe_cancel, LOOK, end_pipes(at, true))                                                  \
    X(svc_pipe_end, LOOK, end_pipes(at, false))                                                    \
    X(svc_pipe_new, LOOK, end_pipes(at, true))                                                     \
    X(svc_pipe_on_data, LOOK, (svc_pipe_on_data(at->pipe, NULL, NULL), 0))                         \
    X(svc_pipe_on_room, LOOK, (svc_pipe_on_room(at->pipe, NULL, NULL), 0))                         \
    X(svc_pipe_read, ANSWER, read_byte(at, svc_pipe_read))                                         \
    X(svc_pipe_ref, LOOK, ref_pipe(at))                                                            \
    X(svc_pipe_try_read, ANSWER, read_byte(at, svc_pipe_try_read))                                 \
    X(svc_pipe_try_write, ANSWER, write_byte(at, false))                                           \
    X(svc_pipe_unref, LOOK, ref_pipe(at))                                                          \
    X(svc_pipe_write, ANSWER, write_byte(at, true))                                                \
    X(svc_queue_close, LOOK, (svc_queue_close(at->queue), 0))                                      \
    X(svc_queue_free, LOOK, use_queue(at))                                                         \
    X(svc_queue_len, LOOK, (long)svc_queue_len(at->queue))                                         \
    X(svc_queue_new, LOOK, use_queue(at))                                                          \
    X(svc_queue_pop, ANSWER, pop_nothing(at, svc_queue_pop))                                       \
    X(svc_queue_pop_within, ANSWER, pop_nothing_within(at))                                        \
    X(svc_queue_push, ANSWER, push_into_closed(at, svc_queue_push))                                \
    X(svc_queue_push_within, ANSWER, push_into_closed_within(at))                                  \
    X(svc_queue_try_pop, ANSWER, pop_nothing(at, svc_queue_try_pop))                               \
    X(svc_queue_try_push, ANSWER, push_into_closed(at, svc_queue_try_push))                        \
    X(svc_rate_limit_new, MAKE, limiter(at))                                                       \
    X(svc_reply_body, LOOK, TEXT(reply, svc_reply_body(at->reply, &length)))                       \
    X(svc_reply_free, LOOK, make_reply(at))                                                        \
    X(svc_reply_header, LOOK, TEXT(reply, svc_reply_header(at->reply, "Date")))                    \
    X(svc_reply_header_at, LOOK,                                                                   \
      GIVES(reply, SVC_ENOTFOUND, svc_reply_header_at(at->reply, 0, &text, &other_text)))          \
    X(svc_reply_outcome, LOOK, GIVES(reply, SVC_CUT, svc_reply_outcome(at->reply)))                \
    X(svc_reply_status, LOOK, FINDS(reply, svc_reply_status(at->reply)))                           \
    X(svc_reply_trailer, LOOK, TEXT(reply, svc_reply_trailer(at->reply, "a")))                     \
    X(svc_reply_trailer_at, LOOK,                                                                  \
      GIVES(reply, SVC_ENOTFOUND, svc_reply_trailer_at(at->reply, 0, &text, &other_text)))         \
    X(svc_request_accepts, LOOK,                                                                   \
      GIVES(req, SVC_ENOTFOUND, svc_request_accepts(at->req, SVC_ACCEPT_LANGUAGE, offered)))       \
    X(svc_request_accepts_encoding, LOOK,                                                          \
      FINDS(req, svc_request_accepts_encoding(at->req, "gzip")))                                   \
    X(svc_request_add_cleanup, LOOK,                                                               \
      DOES(req, svc_request_add_cleanup(at->req, do_nothing, NULL)))                               \
    X(svc_request_alloc, LOOK, HAS(req, svc_request_alloc(at->req, 16) != NULL))                   \
    X(svc_request_allow_wait, LOOK, GIVES(req, SVC_ENOMEM, svc_request_allow_wait(at->req)))       \
    X(svc_request_app, LOOK, svc_request_app(at->req) != (at->req ? at->app : NULL))               \
    X(svc_request_arg, LOOK, svc_request_arg(at->req) != NULL)                                     \
    X(svc_request_bind, LOOK, bind_with(at, svc_request_bind))                                     \
    X(svc_request_bind_path, LOOK, bind_with(at, svc_request_bind_path))                           \
    X(svc_request_bind_query, LOOK, bind_with(at, svc_request_bind_query))                         \
    X(svc_request_body, LOOK, TEXT(req, svc_request_body(at->req, &length)))                       \
    X(svc_request_cache_control, LOOK, DOES(req, read_cache_control(at)))                          \
    X(svc_request_cancelled, LOOK, GIVES(req, true, svc_request_cancelled(at->req)))               \
    X(svc_request_check_conditions, LOOK, check_conditions(at))                                    \
    X(svc_request_chosen, LOOK, FINDS(req, svc_request_chosen(at->req, SVC_ACCEPT_TYPE)))          \
    X(svc_request_cookie, LOOK, TEXT(req, svc_request_cookie(at->req, "a")))                       \
    X(svc_request_cookie_at, LOOK,                                                                 \
      svc_request_cookie_at(NULL, 0, &text, &other_text) - SVC_ENOTFOUND)                          \
    X(svc_request_cookie_count, LOOK, FINDS(req, svc_request_cookie_count(at->req)))               \
    X(svc_request_cookie_nth, LOOK, TEXT(req, svc_request_cookie_nth(at->req, "a", 0)))            \
    X(svc_request_defer, LOOK, defer(at))                                                          \
    X(svc_request_form, LOOK, (bind_form(at), 0))                                                  \
    X(svc_request_get, LOOK, svc_request_get(at->req, &key) != NULL)                               \
    X(svc_request_header, LOOK, TEXT(req, svc_request_header(at->req, "Host")))                    \
    X(svc_request_header_at, LOOK,                                                                 \
      (found = svc_request_header_at(at->req, 0, &text, &other_text),                              \
       at->req ? found : found - SVC_ENOTFOUND))                                                   \
    X(svc_request_header_count, LOOK, HAS(req, svc_request_header_count(at->req) > 0))             \
    X(svc_request_header_nth, LOOK, TEXT(req, svc_request_header_nth(at->req, "Host", 0)))         \
    X(svc_request_id, LOOK, TEXT(req, svc_request_id(at->req)))                                    \
    X(svc_request_json, LOOK, FINDS(req, svc_request_json(at->req, at->res)))                      \
    X(svc_request_last_event_id, LOOK, FINDS(req, svc_request_last_event_id(at->req) != NULL))     \
    X(svc_request_length, LOOK, FINDS(req, svc_request_length(at->req)))                           \
    X(svc_request_log_items, LOOK, DOES(req, add_log_items(at)))                                   \
    X(svc_request_loop, LOOK, HAS(req, svc_request_loop(at->req) != NULL))                         \
    X(svc_request_method, LOOK, TEXT(req, svc_request_method(at->req)))                            \
    X(svc_request_mount, LOOK, TEXT(req, svc_request_mount(at->req)))                              \
    X(svc_request_multipart, LOOK, HAS(req, svc_request_multipart(at->req, NULL) != NULL))         \
    X(svc_request_on_data, LOOK, GIVES(req, SVC_ENOMEM, svc_request_on_data(at->req, NULL, NULL))) \
    X(svc_request_param, LOOK, TEXT(req, svc_request_param(at->req, "name")))                      \
    X(svc_request_parent_id, LOOK, TEXT(req, svc_request_parent_id(at->req)))                      \
    X(svc_request_path, LOOK, TEXT(req, svc_request_path(at->req)))                                \
    X(svc_request_peer, LOOK, TEXT(req, svc_request_peer(at->req)))                                \
    X(svc_request_query, LOOK, TEXT(req, svc_request_query(at->req, "a")))                         \
    X(svc_request_query_at, LOOK,                                                                  \
      GIVES(req, SVC_ENOTFOUND, svc_request_query_at(at->req, 0, &text, &other_text)))             \
    X(svc_request_query_count, LOOK, FINDS(req, svc_request_query_count(at->req)))                 \
    X(svc_request_query_nth, LOOK, TEXT(req, svc_request_query_nth(at->req, "a", 0)))              \
    X(svc_request_raw_query, LOOK, TEXT(req, svc_request_raw_query(at->req)))                      \
    X(svc_request_read, LOOK,                                                                      \
      GIVES(req, SVC_ENOMEM, svc_request_read(at->req, bytes, sizeof bytes)))                      \
    X(svc_request_remaining_ms, LOOK, FINDS(req, svc_request_remaining_ms(at->req)))               \
    X(svc_request_resume, LOOK, GIVES(req, SVC_ENOMEM, svc_request_resume(at->req)))               \
    X(svc_request_route, LOOK, TEXT(req, svc_request_route(at->req)))                              \
    X(svc_request_sampled, LOOK, FINDS(req, svc_request_sampled(at->req)))                         \
    X(svc_request_scheme, LOOK, TEXT(req, svc_request_scheme(at->req)))                            \
    X(svc_request_set, LOOK, DOES(req, svc_request_set(at->req, &key, NULL)))                      \
    X(svc_request_set_sampled, LOOK, (svc_request_set_sampled(at->req, true), 0))                  \
    X(svc_request_set_tracestate, LOOK,                                                            \
      GIVES(req, SVC_ENOMEM, svc_request_set_tracestate(at->req, "a", "b")))                       \
    X(svc_request_span, LOOK, (svc_request_span(at->req), 0))                                      \
    X(svc_request_span_id, LOOK, TEXT(req, svc_request_span_id(at->req)))                          \
    X(svc_request_target, LOOK, TEXT(req, svc_request_target(at->req)))                            \
    X(svc_request_timeout_text, LOOK, TEXT(req, svc_request_timeout_text(at->req)))                \
    X(svc_request_trace_id, LOOK, TEXT(req, svc_request_trace_id(at->req)))                        \
    X(svc_request_traceparent, LOOK, TEXT(req, svc_request_traceparent(at->req)))                  \
    X(svc_request_tracestate, LOOK, TEXT(req, svc_request_tracestate(at->req)))                    \
    X(svc_request_trailer, LOOK, TEXT(req, svc_request_trailer(at->req, "a")))                     \
    X(svc_request_trailer_at, LOOK,                                                                \
      GIVES(req, SVC_ENOTFOUND, svc_request_trailer_at(at->req, 0, &text, &other_text)))           \
    X(svc_request_trailer_count, LOOK, FINDS(req, svc_request_trailer_count(at->req)))             \
    X(svc_request_try_read, LOOK,                                                                  \
      GIVES(req, SVC_ENOMEM, svc_request_try_read(at->req, bytes, sizeof bytes)))                  \
    X(svc_request_weight, LOOK,                                                                    \
      FINDS(req, svc_request_weight(at->req, SVC_ACCEPT_TYPE, "text/html")))                       \
    X(svc_request_worker, LOOK, FINDS(req, svc_request_worker(at->req)))                           \
    X(svc_response_add_header, ANSWER, svc_response_add_header(at->res, "X-Added", "a"))           \
    X(svc_response_add_vary, ANSWER, svc_response_add_vary(at->res, "Accept"))                     \
    X(svc_response_bind, ANSWER, answer_with_struct(at))                                           \
    X(svc_response_body, LOOK, TEXT(res, svc_response_body(at->res, &length)))                     \
    X(svc_response_cache_add_admin, MAKE, response_cache_admin(at))                                \
    X(svc_response_cache_layer, LOOK, svc_response_cache_layer(NULL) != NULL)                      \
    X(svc_response_cache_new, MAKE, response_cache(at))                                            \
    X(svc_response_cache_purge, LOOK, svc_response_cache_purge(NULL, at->req, "/") != SVC_ENOMEM)  \
    X(svc_response_cache_purge_all, LOOK,                                                          \
      svc_response_cache_purge_all(NULL, at->req) != SVC_ENOMEM)                                   \
    X(svc_response_cache_purge_tag, LOOK,                                                          \
      svc_response_cache_purge_tag(NULL, at->req, "a") != SVC_ENOMEM)                              \
    X(svc_response_cache_tag, ANSWER, svc_response_cache_tag(at->res, "a"))                        \
    X(svc_response_copy, ANSWER, svc_response_copy(at->res, 200, "text/plain", "a", 1))            \
    X(svc_response_empty, ANSWER, svc_response_empty(at->res, 204))                                \
    X(svc_response_events, ANSWER, use_events(at))                                                 \
    X(svc_response_fd, ANSWER, answer_with_file(at))                                               \
    X(svc_response_file, ANSWER, svc_response_file(at->res, 200, NULL, NULL, "/etc/passwd"))       \
    X(svc_response_free, LOOK, new_response(at))                                                   \
    X(svc_response_header, LOOK, TEXT(res, svc_response_header(at->res, "X-Added")))               \
    X(svc_response_header_at, LOOK,                                                                \
      GIVES(res, SVC_ENOTFOUND, svc_response_header_at(at->res, 0, &text, &other_text)))           \
    X(svc_response_header_count, LOOK, FINDS(res, svc_response_header_count(at->res)))             \
    X(svc_response_hold_head, ANSWER, svc_response_hold_head(at->res))                             \
    X(svc_response_json, ANSWER, svc_response_json(at->res, 200, "{s:i}", "a", 1))                 \
    X(svc_response_json_begin, ANSWER, write_json(at))                                             \
    X(svc_response_json_end, ANSWER, write_json(at))                                               \
    X(svc_response_json_take, ANSWER, svc_response_json_take(at->res, 200, json_object()))         \
    X(svc_response_new, LOOK, new_response(at))                                                    \
    X(svc_response_on_trailers, ANSWER, svc_response_on_trailers(at->res, end_reply, NULL))        \
    X(svc_response_pipe, ANSWER, answer_with_pipe(at))                                             \
    X(svc_response_problem, ANSWER, svc_response_problem(at->res, 400, "a"))                       \
    X(svc_response_problem_take, ANSWER,                                                           \
      svc_response_problem_take(at->res, 400, "a", json_object()))                                 \
    X(svc_response_redirect, ANSWER, svc_response_redirect(at->res, 303, "/"))                     \
    X(svc_response_remove_cookie, ANSWER, svc_response_remove_cookie(at->res, &cookie))            \
    X(svc_response_remove_header, LOOK, (svc_response_remove_header(at->res, "X-Added"), 0))       \
    X(svc_response_set_age, ANSWER, svc_response_set_age(at->res, 1))                              \
    X(svc_response_set_attachment, ANSWER, svc_response_set_attachment(at->res, "a"))              \
    X(svc_response_set_cache_control, ANSWER, set_cache_control(at))                               \
    X(svc_response_set_cookie, ANSWER, svc_response_set_cookie(at->res, &cookie))                  \
    X(svc_response_set_date, ANSWER, svc_response_set_date(at->res, 1))                            \
    X(svc_response_set_etag, ANSWER, svc_response_set_etag(at->res, "a", false))                   \
    X(svc_response_set_header, ANSWER, svc_response_set_header(at->res, "X-Set", "a"))             \
    X(svc_response_set_length, ANSWER, svc_response_set_length(at->res, 1))                        \
    X(svc_response_set_modified, ANSWER, svc_response_set_modified(at->res, 1))                    \
    X(svc_response_set_status, ANSWER, svc_response_set_status(at->res, 200))                      \
    X(svc_response_source, ANSWER, answer_from_source(at))                                         \
    X(svc_response_static, ANSWER, svc_response_static(at->res, 200, NULL, "a", 1))                \
    X(svc_response_status, LOOK, FINDS(res, svc_response_status(at->res)))                         \
    X(svc_response_take, ANSWER, svc_response_take(at->res, 200, NULL, strdup("a"), 1, free))      \
    X(svc_response_take_source, ANSWER, take_source(at))                                           \
    X(svc_response_text, ANSWER, svc_response_text(at->res, 200, "ok"))                            \
    X(svc_response_violations, ANSWER, violations(at))                                             \
    X(svc_response_waker, LOOK, use_waker(at))                                                     \
    X(svc_response_writer, ANSWER, answer_by_writer(at))                                           \
    X(svc_schema_new, MAKE,                                                                        \
      svc_schema_new(at->app, bound_fields, sizeof(struct bound), 0) != NULL)                      \
    X(svc_span_begin, LOOK, use_span(at))                                                          \
    X(svc_span_end, LOOK, (svc_span_end(NULL), 0))                                                 \
    X(svc_span_fail, LOOK, (svc_span_fail(NULL, "late", NULL), 0))                                 \
    X(svc_span_link, LOOK, (svc_span_link(NULL, "late"), 0))                                       \
    X(svc_span_set_items, LOOK, (svc_span_set_items(NULL, NULL), 0))                               \
    X(svc_span_traceparent, LOOK, TEXT(req, svc_span_traceparent(at->req, NULL)))                  \
    X(svc_store_add, LOOK, svc_store_add(NULL, at->req, "a", &value, 0) != SVC_ENOMEM)             \
    X(svc_store_add_then, LOOK,                                                                    \
      svc_store_add_then(NULL, at->req, "a", &value, 0, take_answer, NULL) != SVC_ENOMEM)          \
    X(svc_store_compare_and_delete, LOOK,                                                          \
      svc_store_compare_and_delete(NULL, at->req, "a", 1) != SVC_ENOMEM)                           \
    X(svc_store_compare_and_delete_then, LOOK,                                                     \
      svc_store_compare_and_delete_then(NULL, at->req, "a", 1, take_answer, NULL) != SVC_ENOMEM)   \
    X(svc_store_compare_and_set, LOOK,                                                             \
      svc_store_compare_and_set(NULL, at->req, "a", &value, 0) != SVC_ENOMEM)                      \
    X(svc_store_compare_and_set_then, LOOK,                                                        \
      svc_store_compare_and_set_then(NULL, at->req, "a", &value, 0, take_answer, NULL) !=          \
          SVC_ENOMEM)                                                                              \
    X(svc_store_delete, LOOK, svc_store_delete(NULL, at->req, "a") != SVC_ENOMEM)                  \
    X(svc_store_delete_then, LOOK,                                                                 \
      svc_store_delete_then(NULL, at->req, "a", take_answer, NULL) != SVC_ENOMEM)                  \
    X(svc_store_evicts, LOOK, svc_store_evicts(NULL))                                              \
    X(svc_store_get, LOOK, svc_store_get(NULL, at->req, "a", &value) != SVC_ENOMEM)                \
    X(svc_store_get_many, LOOK, svc_store_get_many(NULL, at->req, stored_items, 1) != SVC_ENOMEM)  \
    X(svc_store_get_then, LOOK,                                                                    \
      svc_store_get_then(NULL, at->req, "a", take_answer, NULL) != SVC_ENOMEM)                     \
    X(svc_store_increment, LOOK,                                                                   \
      svc_store_increment(NULL, at->req, "a", 1, 0, &stored_number) != SVC_ENOMEM)                 \
    X(svc_store_increment_then, LOOK,                                                              \
      svc_store_increment_then(NULL, at->req, "a", 1, 0, take_answer, NULL) != SVC_ENOMEM)         \
    X(svc_store_lease, LOOK, svc_store_lease(NULL, at->req, "a", 1, &value) != SVC_ENOMEM)         \
    X(svc_store_lease_then, LOOK,                                                                  \
      svc_store_lease_then(NULL, at->req, "a", 1, take_answer, NULL) != SVC_ENOMEM)                \
    X(svc_store_leases, LOOK, svc_store_leases(NULL))                                              \
    X(svc_store_limit, LOOK, svc_store_limit(NULL, at->req, "a", &charge, &verdict) != SVC_ENOMEM) \
    X(svc_store_limit_then, LOOK,                                                                  \
      svc_store_limit_then(NULL, at->req, "a", &charge, take_answer, NULL) != SVC_ENOMEM)          \
    X(svc_store_open, MAKE, svc_store_open(at->app, NULL) != NULL)                                 \
    X(svc_store_set, LOOK, svc_store_set(NULL, at->req, "a", &value, 0) != SVC_ENOMEM)             \
    X(svc_store_set_then, LOOK,                                                                    \
      svc_store_set_then(NULL, at->req, "a", &value, 0, take_answer, NULL) != SVC_ENOMEM)          \
    X(svc_store_value_free, LOOK, (svc_store_value_free(&value), 0))                               \
    X(svc_struct_defaults, LOOK, svc_struct_defaults("svc_route", &length) == NULL)                \
    X(svc_sys_app_add_coding, REGISTER, add_coding(at))                                            \
    X(svc_sys_app_add_store, REGISTER, add_store(at))                                              \
    X(svc_sys_app_alloc, MAKE, svc_sys_app_alloc(at->app, 1) != NULL)                              \
    X(svc_sys_app_exporter, LOOK, (svc_sys_app_exporter(at->app), 0))                              \
    X(svc_sys_app_refuse, LOOK, (svc_sys_app_refuse(NULL, SVC_EINVAL, "late"), 0))                 \
    X(svc_sys_app_set_exporter, REGISTER, set_exporter(at))                                        \
    X(svc_sys_debug_group, MAKE, svc_sys_debug_group(at->app) != NULL)                             \
    X(svc_sys_double_format, LOOK, (svc_sys_double_format(NULL, 1), 0))                            \
    X(svc_sys_int_format, LOOK, (svc_sys_int_format(NULL, 1), 0))                                  \
    X(svc_sys_memory_delete, LOOK, svc_sys_memory_delete(NULL, "a", 1) != SVC_ENOMEM)              \
    X(svc_sys_memory_free, LOOK, (svc_sys_memory_free(NULL), 0))                                   \
    X(svc_sys_memory_get, LOOK, svc_sys_memory_get(NULL, "a", 1, NULL, NULL) != SVC_ENOMEM)        \
    X(svc_sys_memory_new, LOOK, svc_sys_memory_new(1, 1, NULL) != SVC_EINVAL)                      \
    X(svc_sys_memory_read_stats, LOOK, (svc_sys_memory_read_stats(NULL, NULL), 0))                 \
    X(svc_sys_memory_set, LOOK, svc_sys_memory_set(NULL, "a", 1, "", 0, 0, NULL) != SVC_ENOMEM)    \
    X(svc_sys_span_free, LOOK, (svc_sys_span_free(NULL), 0))                                       \
    X(svc_sys_store_alloc, LOOK, svc_sys_store_alloc(NULL, 1) != NULL)                             \
    X(svc_sys_store_done, LOOK, (svc_sys_store_done(NULL), 0))                                     \
    X(svc_sys_uint_format, LOOK, (svc_sys_uint_format(NULL, 1), 0))                                \
    X(svc_task_app, LOOK, FINDS(task, svc_task_app(at->task)))                                     \
    X(svc_task_sleep, LOOK, GIVES(task, SVC_ENOMEM, svc_task_sleep(at->task, 0)))                  \
    X(svc_task_stopping, LOOK, GIVES(task, true, svc_task_stopping(at->task)))                     \
    X(svc_test_memo_age, LOOK, svc_test_memo_age(NULL, 1) != SVC_ENOMEM)                           \
    X(svc_test_metric, LOOK, (svc_test_metric(at->app, "calls_total") > 0 && !at->app))            \
    X(svc_test_store, LOOK, svc_test_store(NULL) != NULL)                                          \
    X(svc_test_store_age, LOOK, svc_test_store_age(NULL, 1) != SVC_ENOMEM)                         \
    X(svc_timer_cancel, LOOK, (svc_timer_cancel(at->timer), 0))                                    \
    X(svc_timer_free, LOOK, use_timer(at))                                                         \
    X(svc_timer_new, LOOK, use_timer(at))                                                          \
    X(svc_timer_set, LOOK, use_timer(at))                                                          \
    X(svc_topic_listen, LOOK, svc_topic_listen(NULL, NULL, NULL) != SVC_ENOMEM)                    \
    X(svc_topic_listeners, LOOK, svc_topic_listeners(NULL) != 0)                                   \
    X(svc_topic_new, MAKE, svc_topic_new(at->app, "a", NULL) != NULL)                              \
    X(svc_topic_publish, LOOK, svc_topic_publish(NULL, NULL, NULL, "a") != SVC_ENOMEM)             \
    X(svc_trailers_add, LOOK, svc_trailers_add(NULL, "a", "b") != SVC_ENOMEM)                      \
    X(svc_upload_fd, LOOK, svc_upload_fd(NULL) != -1)                                              \
    X(svc_upload_filename, LOOK, *svc_upload_filename(NULL))                                       \
    X(svc_upload_keep, LOOK, svc_upload_keep(NULL, "a") != SVC_ENOMEM)                             \
    X(svc_upload_size, LOOK, svc_upload_size(NULL) != 0)                                           \
    X(svc_upload_type, LOOK, !*svc_upload_type(NULL))                                              \
    X(svc_version, LOOK, (text = svc_version(), 0))                                                \
    X(svc_waker_ref, LOOK, use_waker(at))                                                          \
    X(svc_waker_unref, LOOK, use_waker(at))                                                        \
    X(svc_waker_wake, LOOK, use_waker(at))                                                         \
    X(svc_watch_free, LOOK, use_watch(at))                                                         \
    X(svc_watch_new, LOOK, use_watch(at))                                                          \
    X(svc_watch_set, LOOK, use_watch(at))

#define DEFINE(name, kind, expression)                                                             \
    static long make_##name(struct things *at)                                                     \
    {                                                                                              \
        (void)at;                                                                                  \
        return (long)(expression);                                                                 \
    }
CALLS(DEFINE)

#define ROW(name, kind, expression) {#name, kind, (kind) == LIFE ? NULL : make_##name},
const struct call all_calls[] = {CALLS(ROW)};
const size_t call_count = sizeof all_calls / sizeof *all_calls;
