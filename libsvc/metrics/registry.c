/* The registry: which families there are, and whether another may be added. */
#include "libsvc/metrics/registry.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/sized.h"

static void drop_family(struct family *family)
{
    if (family == NULL)
        return;
    svc__series_free_all(family);
    free((char *)(uintptr_t)family->shape.name);
    free((char *)(uintptr_t)family->shape.help);
    for (size_t i = 0; i < SVC_METRIC_LABELS; i++)
        free((char *)(uintptr_t)family->labels[i]);
    free(family->bounds);
    free(family);
}

void svc__metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (struct family *family = m->first, *next; family != NULL; family = next) {
        next = family->next;
        drop_family(family);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- Names */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS "0123456789"

static bool is_name(const char *name)
{
    return name[0] != '\0' && strchr(DIGITS, name[0]) == NULL &&
           name[strspn(name, LETTERS DIGITS)] == '\0';
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), of_end = strlen(end);
    return n >= of_end && strcmp(name + n - of_end, end) == 0;
}

/* The name without that by which OpenMetrics names a counter's samples. */
static size_t base_len(enum metric_type type, const char *name)
{
    return strlen(name) - (type == METRIC_COUNTER ? strlen("_total") : 0);
}

/* Whether a sample of a family that is called `name` would have the name of `other`, or a sample of
 * that.
 * OpenMetrics has "_created" for the age of a series. */
static bool samples_meet(enum metric_type type, const char *name, enum metric_type other_type,
                         const char *other)
{
    static const char *const suffixes[] = {"", "_total", "_created", "_bucket", "_sum", "_count"};
    size_t n = base_len(type, name), of_other = base_len(other_type, other);
    size_t count = type == METRIC_HISTOGRAM ? 6 : type == METRIC_COUNTER ? 3 : 1;
    for (size_t i = 0; i < count; i++)
        if (of_other == n + strlen(suffixes[i]) && strncmp(other, name, n) == 0 &&
            strncmp(other + n, suffixes[i], of_other - n) == 0)
            return true;
    return false;
}

static const char *fault_in_labels(const svc_metric *metric)
{
    for (size_t i = 0; i < SVC_METRIC_LABELS && metric->labels[i] != NULL; i++) {
        const char *label = metric->labels[i];
        if (!is_name(label) || strncmp(label, "__", 2) == 0)
            return "a label's name has letters, digits and '_', and begins with no digit and not "
                   "\"__\"";
        if (strcmp(label, "le") == 0 || strcmp(label, "quantile") == 0)
            return "the labels \"le\" and \"quantile\" are the format's";
        for (size_t j = 0; j < i; j++)
            if (strcmp(label, metric->labels[j]) == 0)
                return "two labels have one name";
    }
    return NULL;
}

static const char *fault_in_bounds(const svc_metric *metric)
{
    if (metric->bounds == NULL)
        return metric->bound_count != 0 ? "bounds are counted that are not there" : NULL;
    if (metric->bound_count == 0 || metric->bound_count > SVC_METRIC_BOUNDS)
        return "a histogram has 1 to 64 bounds";
    for (size_t i = 0; i < metric->bound_count; i++)
        if (!isfinite(metric->bounds[i]) || (i > 0 && metric->bounds[i] <= metric->bounds[i - 1]))
            return "bounds are finite and ascend";
    return NULL;
}

/* Why a metric cannot be one; NULL: it can. */
static const char *fault_in(const svc_metric *metric, const struct metric_sort *sort)
{
    if (metric->name == NULL || !is_name(metric->name))
        return "a name has letters, digits and '_', and begins with no digit";
    if (ends_in(metric->name, "_total") != (sort->type == METRIC_COUNTER))
        return "the name of a counter, and no other, ends in \"_total\"";
    if (metric->help == NULL || metric->help[0] == '\0')
        return "help is missing";
    if (metric->max_series == 0 || metric->max_series > METRIC_SERIES_MAX)
        return "max_series is 1 to 1000000";
    if (sort->read != NULL && metric->labels[0] != NULL)
        return "a gauge that is asked for has no labels";
    if (sort->type != METRIC_HISTOGRAM && (metric->bounds != NULL || metric->bound_count != 0))
        return "only a histogram has bounds";
    const char *fault = fault_in_labels(metric);
    return fault != NULL ? fault : fault_in_bounds(metric);
}

/* ---- Families */

/* The bounds of the OpenTelemetry HTTP conventions, in seconds. */
static const double default_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                        0.5,   0.75, 1,     2.5,  5,     7.5, 10};

static int copy_bounds(struct family *family, const svc_metric *metric)
{
    const double *bounds = metric->bounds != NULL ? metric->bounds : default_bounds;
    size_t count = metric->bounds != NULL ? metric->bound_count
                                          : sizeof default_bounds / sizeof *default_bounds;
    family->bounds = malloc((count + 1) * sizeof *bounds);
    if (family->bounds == NULL)
        return SVC_ENOMEM;
    memcpy(family->bounds, bounds, count * sizeof *bounds);
    family->bounds[count] = (double)INFINITY;
    family->bound_count = (uint32_t)count;
    return 0;
}

/* A copy that is UTF-8, whatever the text is; NULL when out of memory. */
static char *copy_text(const char *text)
{
    struct buf copy;
    svc__buf_init(&copy, SIZE_MAX);
    svc__buf_utf8(&copy, svc__bytes_z(text));
    svc__buf_terminate(&copy);
    if (svc__buf_error(&copy) != 0)
        svc__buf_free(&copy);
    return copy.data;
}

static int fill_family(struct family *family, const svc_metric *metric,
                       const struct metric_sort *sort)
{
    family->shape.type = sort->type;
    family->shape.name = strdup(metric->name);
    family->shape.help = copy_text(metric->help);
    family->shape.labels = family->labels;
    bool whole = family->shape.name != NULL && family->shape.help != NULL;
    for (size_t i = 0; i < SVC_METRIC_LABELS && metric->labels[i] != NULL; i++) {
        family->labels[i] = strdup(metric->labels[i]);
        whole = whole && family->labels[i] != NULL;
        family->shape.label_count++;
    }
    family->max_series = metric->max_series;
    family->read = sort->read;
    family->is_program = sort->is_program;
    family->give = sort->give;
    family->arg = sort->arg;
    family->last = &family->first;
    if (!whole || (sort->type == METRIC_HISTOGRAM && copy_bounds(family, metric)))
        return SVC_ENOMEM;
    return sort->give != NULL ? 0 : svc__series_begin(family);
}

static bool same_labels(const struct family *a, const char *const labels[])
{
    for (size_t i = 0; i < SVC_METRIC_LABELS; i++) {
        bool ends = labels[i] == NULL;
        if (ends != (a->labels[i] == NULL))
            return false;
        if (ends)
            return true;
        if (strcmp(a->labels[i], labels[i]) != 0)
            return false;
    }
    return true;
}

static bool same_bounds(const struct family *a, const double *bounds, size_t count)
{
    if (bounds == NULL) {
        bounds = default_bounds;
        count = sizeof default_bounds / sizeof *default_bounds;
    }
    for (size_t i = 0; i < count; i++)
        if (count != a->bound_count || a->bounds[i] != bounds[i])
            return false;
    return true;
}

static bool registered_alike(const struct family *a, const svc_metric *metric,
                             const struct metric_sort *sort)
{
    return a->shape.type == sort->type && a->read == sort->read && a->give == sort->give &&
           a->arg == sort->arg && same_labels(a, metric->labels) &&
           (sort->type != METRIC_HISTOGRAM || same_bounds(a, metric->bounds, metric->bound_count));
}

struct family *svc__metrics_find(struct metrics *m, const char *name)
{
    struct family *family = atomic_load_explicit(&m->first, memory_order_acquire);
    while (family != NULL && strcmp(family->shape.name, name) != 0)
        family = atomic_load_explicit(&family->next, memory_order_acquire);
    return family;
}

static bool meets_another(struct metrics *m, enum metric_type type, const char *name)
{
    for (const struct family *other = m->first; other != NULL; other = other->next)
        if (samples_meet(type, name, other->shape.type, other->shape.name) ||
            samples_meet(other->shape.type, other->shape.name, type, name))
            return true;
    return false;
}

static void append_family(struct metrics *m, struct family *family)
{
    family->metrics = m;
    atomic_store_explicit(m->last, family, memory_order_release);
    m->last = &family->next;
    m->count++;
}

/* The counter of a family's overflows, which is not shown before the first. */
static void count_overflows(struct metrics *m, struct family *family)
{
    if (m->overflows == NULL || family->overflow == NULL)
        return;
    struct series *series = svc__series_add(&m->overflows->family, &family->shape.name);
    if (series != NULL)
        atomic_store_explicit(&series->shown, false, memory_order_relaxed);
    family->overflowed = (svc_counter *)(void *)series;
}

/* Under the lock. */
static int register_new(struct metrics *m, const svc_metric *metric, const struct metric_sort *sort,
                        struct family **out, const char **why)
{
    if (meets_another(m, sort->type, metric->name)) {
        *why = "another metric has this name, or one that its own values need";
        return SVC_ESTATE;
    }
    if (m->count == METRIC_FAMILIES_MAX) {
        *why = "there are 4096 metrics already";
        return SVC_ETOOBIG;
    }
    struct family *family = calloc(1, sizeof *family);
    if (family != NULL)
        family->metrics = m;
    int error = family != NULL ? fill_family(family, metric, sort) : SVC_ENOMEM;
    if (error != 0) {
        *why = svc_error_text(error);
        drop_family(family);
        return error;
    }
    count_overflows(m, family);
    append_family(m, family);
    *out = family;
    return 0;
}

int svc__metric_register(struct metrics *m, const svc_metric *given, struct metric_sort sort,
                         struct family **out, const char **why)
{
    svc_metric metric = SVC_METRIC_INIT;
    *why = "it needs SVC_METRIC_INIT";
    if (SIZED_READ(&metric, given, help) != 0)
        return SVC_EINVAL;
    if ((*why = fault_in(&metric, &sort)) != NULL)
        return SVC_EINVAL;
    pthread_mutex_lock(&m->lock);
    struct family *known = svc__metrics_find(m, metric.name);
    int error = 0;
    if (known != NULL && registered_alike(known, &metric, &sort)) {
        *out = known;
    } else {
        error = register_new(m, &metric, &sort, out, why);
    }
    pthread_mutex_unlock(&m->lock);
    return error;
}

/* Values of a label come from registrations here, and so are as many as there can be families. */
static int register_overflows(struct metrics *m)
{
    svc_metric metric = SVC_METRIC_INIT;
    struct family *family;
    const char *why;
    metric.name = "svc_metric_overflows_total";
    metric.help =
        "Times that a metric had more series than it may: they are counted as \"_OTHER\".";
    metric.labels[0] = "metric";
    metric.max_series = METRIC_FAMILIES_MAX;
    struct metric_sort counter = {.type = METRIC_COUNTER};
    int error = svc__metric_register(m, &metric, counter, &family, &why);
    if (error == 0)
        m->overflows = (svc_counter_family *)family;
    return error;
}

struct metrics *svc__metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return NULL;
    }
    m->last = &m->first;
    if (register_overflows(m) == 0)
        return m;
    svc__metrics_free(m);
    return NULL;
}

void svc__metric_ask(struct family *family)
{
    double value = family->read(family->arg);
    svc__cells_set_double(family->plain->cells, 0, value);
    atomic_store_explicit(&family->plain->shown, !isnan(value), memory_order_release);
}

void svc__metric_forget(struct family *family)
{
    atomic_store_explicit(&family->plain->shown, false, memory_order_relaxed);
}

void svc__metrics_end_fns(struct metrics *m)
{
    m->fns_end = true;
}

void svc__metrics_each(struct metrics *m, void (*visit)(struct family *family, void *arg),
                       void *arg)
{
    struct family *family = atomic_load_explicit(&m->first, memory_order_acquire);
    for (; family != NULL; family = atomic_load_explicit(&family->next, memory_order_acquire))
        visit(family, arg);
}

/* ---- Those of an app that is mounted */

/* The series of `inner` become others of `outer`, with all that was counted. */
static int join_family(struct family *outer, struct family *inner)
{
    for (struct series *series = inner->first; series != NULL; series = series->next) {
        if (!series->shown)
            continue;
        struct series *same = svc__series_of(outer, outer->shape.label_count, series->values);
        if (same == NULL)
            return SVC_ENOMEM;
        svc__series_join(same, series);
    }
    inner->same = outer;
    return 0;
}

static bool same_shape(const struct family *a, const struct family *b)
{
    return a->shape.type == b->shape.type && a->read == NULL && b->read == NULL &&
           same_labels(a, b->labels) &&
           (a->shape.type != METRIC_HISTOGRAM || same_bounds(a, b->bounds, b->bound_count));
}

int svc__metrics_adopt(struct metrics *outer, struct metrics *inner,
                       void (*refuse)(void *arg, const char *name), void *arg)
{
    int error = 0;
    struct family *family = inner->first, *next;
    inner->first = NULL;
    inner->last = &inner->first;
    inner->count = 0;
    for (; family != NULL; family = next) {
        next = family->next;
        family->next = NULL;
        struct family *known = svc__metrics_find(outer, family->shape.name);
        if (family == &inner->overflows->family) {
            append_family(inner, family);
        } else if (known != NULL && same_shape(known, family)) {
            error = join_family(known, family) != 0 ? SVC_ENOMEM : error;
            append_family(inner, family);
        } else if (known != NULL || meets_another(outer, family->shape.type, family->shape.name)) {
            refuse(arg, family->shape.name);
            append_family(inner, family);
        } else {
            count_overflows(outer, family);
            append_family(outer, family);
        }
    }
    return error;
}
