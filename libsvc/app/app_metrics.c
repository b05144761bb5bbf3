/* Metrics that programs register, and how a test reads them. */
#include <math.h>
#include <string.h>

#include <svc/test.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/num.h"
#include "libsvc/base/sized.h"
#include "libsvc/metrics/walk.h"

/* Names that begin so may become the library's in any release. */
static bool is_reserved(const char *name)
{
    static const char *const prefixes[] = {"svc_", "http_server_", "process_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* Where the error of a registration goes, if the struct is of a release that has it. */
static int *error_of(const svc_metric *metric)
{
    return metric && metric->size >= SIZED_END(svc_metric, error) ? metric->error : NULL;
}

static int register_in(svc_app *app, const svc_metric *metric, struct metric_sort sort,
                       struct family **family, const char **why)
{
    *why = svc_error_text(SVC_ENOMEM);
    if (!app)
        return SVC_ENOMEM;
    if (metric && metric->name && is_reserved(metric->name)) {
        *why =
            "names that begin with \"svc_\", \"http_server_\" and \"process_\" are the library's";
        return SVC_EINVAL;
    }
    return svc__metric_register(svc__app_root(app)->metrics, metric, sort, family, why);
}

static bool before_start(const svc_app *app)
{
    int state = svc__app_root(app)->state;
    return state == APP_BUILDING || state == APP_STARTING;
}

/* Registers a metric by the call `call`, which stands in `file`. */
static int register_metric(svc_app *app, const char *call, const svc_metric *metric,
                           struct metric_sort sort, struct family **family, const char *file,
                           int line)
{
    const char *why;
    int error = register_in(app, metric, sort, family, &why), *to = error_of(metric);
    if (to)
        *to = error;
    if (!error || !app || !before_start(app))
        return error;
    svc__faults_add(&app->faults, file, line, "%s \"%s\": %s", call,
                    metric && metric->name ? metric->name : "", why);
    return error;
}

svc_counter_family *svc_app_counter_at(svc_app *app, const svc_metric *metric, const char *file,
                                       int line)
{
    struct family *family = NULL;
    register_metric(app, "svc_app_counter", metric, (struct metric_sort){.type = METRIC_COUNTER},
                    &family, file, line);
    return (svc_counter_family *)family;
}

svc_gauge_family *svc_app_gauge_at(svc_app *app, const svc_metric *metric, const char *file,
                                   int line)
{
    struct family *family = NULL;
    register_metric(app, "svc_app_gauge", metric, (struct metric_sort){.type = METRIC_GAUGE},
                    &family, file, line);
    return (svc_gauge_family *)family;
}

svc_histogram_family *svc_app_histogram_at(svc_app *app, const svc_metric *metric, const char *file,
                                           int line)
{
    struct family *family = NULL;
    register_metric(app, "svc_app_histogram", metric,
                    (struct metric_sort){.type = METRIC_HISTOGRAM}, &family, file, line);
    return (svc_histogram_family *)family;
}

int svc_app_gauge_fn_at(svc_app *app, const svc_metric *metric, double (*read)(void *arg),
                        void *arg, const char *file, int line)
{
    struct metric_sort sort = {.type = METRIC_GAUGE, .read = read, .arg = arg, .is_program = true};
    struct family *family;
    if (read)
        return register_metric(app, "svc_app_gauge_fn", metric, sort, &family, file, line);
    int error = app ? SVC_EINVAL : SVC_ENOMEM, *to = error_of(metric);
    if (to)
        *to = error;
    if (app && before_start(app))
        svc__faults_add(&app->faults, file, line, "svc_app_gauge_fn: no function is given");
    return error;
}

/* ---- How a test reads them */

enum { WANTED_LABELS = SVC_METRIC_LABELS + 1 /* and "le" */, WANTED_BYTES = 16384 };

/* A series as its line on a page begins, in parts, and its value when it was found. */
struct wanted {
    struct buf text; /* of all that follows, each with a NUL */
    const char *name;
    size_t count;
    const char *labels[WANTED_LABELS], *values[WANTED_LABELS];
    double value;
};

/* Takes the text up to one of `stop`, and passes that too. */
static const char *take_until(struct wanted *wanted, const char **at, const char *stop)
{
    size_t n = strcspn(*at, stop), start = wanted->text.len;
    svc__buf_append(&wanted->text, *at, n);
    svc__buf_putc(&wanted->text, '\0');
    *at += n;
    return wanted->text.data + start;
}

/* Takes a label's value and its closing quote, without the backslashes of the format. False: it has
 * none. */
static bool take_value(struct wanted *wanted, const char **at, const char **value)
{
    size_t start = wanted->text.len;
    const char *p = *at;
    for (; *p && *p != '"'; p++) {
        bool escaped = *p == '\\' && p[1];
        p += escaped;
        svc__buf_putc(&wanted->text, escaped && *p == 'n' ? '\n' : *p);
    }
    svc__buf_putc(&wanted->text, '\0');
    *value = wanted->text.data + start;
    *at = p + (*p == '"');
    return *p == '"';
}

/* Reads `name{label="value",…}`, whose parts lie in memory that is there already. */
static bool read_wanted(struct wanted *wanted, const char *at)
{
    wanted->name = take_until(wanted, &at, "{");
    if (!*at++)
        return true;
    while (*at && *at != '}' && wanted->count < WANTED_LABELS) {
        size_t i = wanted->count++;
        wanted->labels[i] = take_until(wanted, &at, "=");
        if (strncmp(at, "=\"", 2) != 0)
            return false;
        at += 2;
        if (!take_value(wanted, &at, &wanted->values[i]))
            return false;
        at += *at == ',';
    }
    return strcmp(at, "}") == 0;
}

static const char *wanted_value(const struct wanted *wanted, const char *label)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (strcmp(wanted->labels[i], label) == 0)
            return wanted->values[i];
    return NULL;
}

/* The sample of a histogram that is wanted; NaN: none of it. */
static double find_in_histogram(const struct wanted *wanted, const char *suffix,
                                const struct metric_series *series)
{
    const char *le = wanted_value(wanted, "le");
    double bound, count = 0;
    if (strcmp(suffix, "_count") == 0 && !le)
        return (double)series->count;
    if (strcmp(suffix, "_sum") == 0 && !le)
        return series->sum;
    if (strcmp(suffix, "_bucket") != 0 || !le)
        return NAN;
    if (strcmp(le, "+Inf") == 0)
        return (double)series->count;
    if (svc__num_double(svc__bytes_z(le), &bound))
        return NAN;
    for (size_t i = 0; i < series->bucket_count; i++) {
        count += (double)series->buckets[i].count;
        if (series->buckets[i].bound == bound)
            return count;
    }
    return NAN;
}

static void look_at_family(void *arg, const struct metric_family *family)
{
    (void)arg;
    (void)family;
}

static void look_at_series(void *arg, const struct metric_family *family,
                           const struct metric_series *series)
{
    struct wanted *wanted = arg;
    size_t n = strlen(family->name);
    if (strncmp(wanted->name, family->name, n) != 0)
        return;
    for (size_t i = 0; i < family->label_count; i++) {
        const char *value = wanted_value(wanted, family->labels[i]);
        if (!value || strcmp(value, series->label_values[i]) != 0)
            return;
    }
    bool of_bucket = family->type == METRIC_HISTOGRAM && wanted_value(wanted, "le");
    if (wanted->count != family->label_count + of_bucket)
        return;
    if (family->type == METRIC_HISTOGRAM && wanted->name[n])
        wanted->value = find_in_histogram(wanted, wanted->name + n, series);
    else if (family->type != METRIC_HISTOGRAM && !wanted->name[n])
        wanted->value = series->value;
}

static void ask_for_value(struct family *family, void *arg)
{
    (void)arg;
    if (family->is_program)
        svc__metric_ask(family);
}

double svc_test_metric(svc_app *app, const char *series)
{
    struct wanted wanted = {.value = NAN};
    if (!app || !series)
        return NAN;
    struct metrics *metrics = svc__app_root(app)->metrics;
    svc__buf_init(&wanted.text, WANTED_BYTES);
    if (svc__buf_reserve(&wanted.text, 2 * strlen(series) + 2) && read_wanted(&wanted, series)) {
        svc__metrics_each(metrics, ask_for_value, NULL);
        svc__metrics_walk(metrics,
                          &(struct metric_visitor){look_at_family, look_at_series, &wanted});
    }
    svc__buf_free(&wanted.text);
    return wanted.value;
}
