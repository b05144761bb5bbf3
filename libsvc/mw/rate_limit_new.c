/* The constructor of rate limits: checks the program's options, and reports every mistake. */
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/sized.h"
#include "libsvc/mw/rate_fields.h"
#include "libsvc/mw/rate_limit.h"
#include "libsvc/mw/rate_store.h"
#include "libsvc/proto/token.h"
#include "libsvc/storage/store.h"
#include "libsvc/store/gcra.h"
#include "libsvc/store/limit_table.h"

enum { MAX_EXEMPT = 1024 };

static const unsigned known_flags = SVC_RATE_BY_CLIENT | SVC_RATE_BY_ROUTE | SVC_RATE_REPORT_ONLY |
                                    SVC_RATE_REFUSE_WHEN_FULL | SVC_RATE_FIELDS_ALWAYS |
                                    SVC_RATE_X_FIELDS | SVC_RATE_NO_DRAFT_FIELDS;
static const uint64_t max_memory = UINT64_C(1) << 36;

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_rate_limit_new: " __VA_ARGS__), SVC_EINVAL)

static int no_memory(svc_app *app)
{
    svc__faults_add(&app->faults, NULL, 0, "svc_rate_limit_new: %s", svc_error_text(SVC_ENOMEM));
    return SVC_ENOMEM;
}

/* Names stand in quotes, in header fields and JSON, without escapes. */
static bool rate_name_valid(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= RATE_NAME_MAX && strspn(name, allowed) == len;
}

static int take_window(svc_app *app, struct rate_limit *limit, const svc_rate_window *from)
{
    struct rate_window *to = &limit->windows[limit->window_count];
    struct gcra tried;
    if (!rate_name_valid(from->name))
        return WRONG(app, "window \"%.100s\": a name has letters, digits, '.', '_', '-'",
                     from->name ? from->name : "");
    if (svc__gcra_window(&to->window, from) || svc__gcra_init(&tried, &to->window))
        return WRONG(app,
                     "window \"%s\": rate and burst are 1 to 2^31, period_s is 1 to 31622400, and "
                     "rate / period_s at most 1000000",
                     from->name);
    if (limit->cost > to->window.burst && !limit->cost_of)
        return WRONG(app, "window \"%s\": the cost %u is more than the burst", from->name,
                     (unsigned)limit->cost);
    to->name = svc__arena_strndup(&app->memory, from->name, strlen(from->name));
    limit->window_count++;
    return to->name ? 0 : no_memory(app);
}

static int take_windows(svc_app *app, struct rate_limit *limit, const svc_rate_limit *options)
{
    const svc_rate_window one = {"default", options->rate, options->period_s, options->burst};
    bool several = options->windows != NULL;
    size_t count = several ? options->window_count : 1;
    if (several && (options->rate || options->burst))
        return WRONG(app, "either rate and burst are set, or windows");
    if (count < 1 || count > LIMITER_WINDOWS)
        return WRONG(app, "%zu windows: 1 to %d are possible", count, LIMITER_WINDOWS);
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = take_window(app, limit, several ? &options->windows[i] : &one);
    return error;
}

static int take_key(svc_app *app, struct rate_limit *limit, const svc_rate_limit *options)
{
    limit->subject = options->subject;
    limit->key = options->key;
    bool named = options->header || options->subject || options->key ||
                 options->flags & (SVC_RATE_BY_CLIENT | SVC_RATE_BY_ROUTE);
    if (!named)
        limit->flags |= SVC_RATE_BY_CLIENT;
    if (!options->header)
        return 0;
    if (!svc__token_valid(svc__bytes_z(options->header)))
        return WRONG(app, "\"%.100s\" cannot be the name of a header field", options->header);
    limit->header = svc__arena_copy(&app->memory, svc__bytes_z(options->header));
    return limit->header.data ? 0 : no_memory(app);
}

static int take_exempt(svc_app *app, struct rate_limit *limit, const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    if (count == 0)
        return 0;
    if (count > MAX_EXEMPT)
        return WRONG(app, "%zu networks are exempt: at most %d can be", count, MAX_EXEMPT);
    limit->exempt = svc__arena_alloc(&app->memory, count * sizeof *limit->exempt);
    if (!limit->exempt)
        return no_memory(app);
    for (size_t i = 0; i < count; i++)
        if (svc__network_parse(svc__bytes_z(texts[i]), &limit->exempt[i]))
            return WRONG(app, "\"%.100s\" is no network such as 192.0.2.0/24 or 2001:db8::/32",
                         texts[i]);
    limit->exempt_count = count;
    return 0;
}

static void free_limiter(void *limiter)
{
    struct limiter *made = limiter;
    made->free(made);
}

/* Makes a table of `bytes`, which ends with the app. */
static int make_table(svc_app *app, const struct limiter_window *windows, size_t count,
                      size_t bytes, bool admit, struct limiter **table)
{
    const struct limit_table_options options = {.windows = windows,
                                                .window_count = count,
                                                .bytes = bytes,
                                                .admit = admit,
                                                .epoch_ns = svc__clock_ns(),
                                                .seed = svc__siphash_key()};
    int error = bytes > max_memory ? SVC_ETOOBIG : svc__limit_table_new(&options, table);
    if (error == SVC_ETOOBIG)
        return WRONG(app, "memory must be 64 bytes to 64 GiB for each window");
    if (error)
        return no_memory(app);
    if (!svc__arena_defer(&app->memory, free_limiter, *table))
        return 0;
    free_limiter(*table);
    return no_memory(app);
}

/* The name under which the limit counts in its store, which no other limit of the store has. */
static int take_store_name(svc_app *app, struct rate_limit *limit, const svc_rate_limit *options)
{
    const char *name = options->name ? options->name : limit->windows[0].name;
    if (!rate_name_valid(name))
        return WRONG(app, "name \"%.100s\": a name has letters, digits, '.', '_', '-'", name);
    int error = svc__store_claim(options->store, name);
    if (error == SVC_ECONFLICT)
        return WRONG(app, "the store has a limit \"%s\" already: give each a name", name);
    if (error)
        return no_memory(app);
    svc__rate_store_prepare(limit->shared, limit, name);
    return 0;
}

static int make_shared(svc_app *app, struct rate_limit *limit, const svc_rate_limit *options,
                       const struct limiter_window *windows)
{
    static const struct limiter_window each_second = {1, UINT64_C(1000000000), 1};
    struct rate_store *shared = svc__arena_zalloc(&app->memory, sizeof *shared);
    if (!shared)
        return no_memory(app);
    limit->shared = shared;
    shared->store = options->store;
    shared->on_failure = options->on_store_failure;
    shared->epoch_ns = svc__clock_ns();
    int error = take_store_name(app, limit, options);
    if (!error)
        error =
            make_table(app, windows, limit->window_count, options->memory, true, &shared->refused);
    if (!error)
        error = make_table(app, &each_second, 1, options->memory / limit->window_count, true,
                           &shared->asked);
    return error;
}

static int make_tables(svc_app *app, struct rate_limit *limit, const svc_rate_limit *options)
{
    struct limiter_window windows[LIMITER_WINDOWS];
    for (size_t i = 0; i < limit->window_count; i++)
        windows[i] = limit->windows[i].window;
    int error = options->store ? make_shared(app, limit, options, windows) : 0;
    if (!error && (!options->store || options->on_store_failure == SVC_RATE_DECIDE))
        error = make_table(app, windows, limit->window_count, options->memory,
                           !(limit->flags & SVC_RATE_REFUSE_WHEN_FULL), &limit->limiter);
    return error;
}

static int make_limit(svc_app *app, struct rate_limit *limit, const svc_rate_limit *options)
{
    limit->flags = options->flags;
    limit->cost = options->cost;
    limit->cost_of = options->cost_of;
    limit->arg = options->arg;
    int error = take_windows(app, limit, options);
    if (!error)
        error = take_key(app, limit, options);
    if (!error)
        error = take_exempt(app, limit, options->exempt);
    if (!error && svc__rate_fields_prepare(limit, &app->memory))
        error = no_memory(app);
    return error ? error : make_tables(app, limit, options);
}

const svc_middleware *svc_rate_limit_new(svc_app *app, const svc_rate_limit *options)
{
    if (svc__app_open(app, "svc_rate_limit_new"))
        return NULL;
    svc_rate_limit own = SVC_RATE_LIMIT_INIT;
    if (SIZED_READ(&own, options, rate)) {
        svc__faults_add(&app->faults, NULL, 0,
                        "svc_rate_limit_new: options need SVC_RATE_LIMIT_INIT");
        return NULL;
    }
    if (own.flags & ~known_flags) {
        (void)WRONG(app, "flags that are no rate limit's: 0x%x", own.flags & ~known_flags);
        return NULL;
    }
    if (own.on_store_failure < SVC_RATE_PASS || own.on_store_failure > SVC_RATE_DECIDE) {
        (void)WRONG(app, "on_store_failure %d is none of svc_rate_failure", own.on_store_failure);
        return NULL;
    }
    struct rate_limit *limit = svc__arena_zalloc(&app->memory, sizeof *limit);
    if (!limit) {
        no_memory(app);
        return NULL;
    }
    if (make_limit(app, limit, &own))
        return NULL;
    svc__rate_limit_prepare(limit);
    return &limit->middleware;
}
