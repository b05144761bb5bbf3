/*
 * The text formats: a head for each family, and a line for each value. OpenMetrics names a family
 * of counters without "_total", states units, and shows examples.
 */
#include "libsvc/ops/metrics_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <svc/errors.h>
#include <svc/metric.h>

#include "libsvc/base/double.h"
#include "libsvc/base/num.h"
#include "libsvc/metrics/walk.h"
#include "libsvc/proto/media.h"

enum { BOUND_LEN = DOUBLE_LEN + 2 /* ".0" */ };

/* The text of a bucket's bound, which all series of a family share. */
struct bound_text {
    double bound;
    size_t len; /* 0: not written yet */
    char text[BOUND_LEN];
};

struct page {
    struct buf *out;
    enum metrics_format format;
    const char *prefix; /* or NULL */
    struct metrics_omitted *omitted;
    const char *family; /* the name of the one that is being written; NULL: none */
    size_t family_start;
    struct bound_text bounds[SVC_METRIC_BOUNDS + 1];
};

/* ---- The choice of a format */

static const struct {
    const char *type, *subtype, *params, *content_type;
} formats[] = {
    [METRICS_PROMETHEUS] = {"text", "plain", ";version=0.0.4",
                            "text/plain; version=0.0.4; charset=utf-8"},
    [METRICS_OPENMETRICS] = {"application", "openmetrics-text", ";version=1.0.0",
                             "application/openmetrics-text; version=1.0.0; charset=utf-8"},
};

static struct media_answer ask_for(const struct fields *fields, enum metrics_format format)
{
    return svc__media_accept_version(fields, formats[format].type, formats[format].subtype,
                                     formats[format].params);
}

enum metrics_format svc__metrics_text_choose(const struct fields *fields)
{
    struct media_answer open = ask_for(fields, METRICS_OPENMETRICS);
    struct media_answer other = ask_for(fields, METRICS_PROMETHEUS);
    bool preferred = open.weight > other.weight || (open.named && open.weight == other.weight);
    return open.weight > 0 && preferred ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}

const char *svc__metrics_text_type(enum metrics_format format)
{
    return formats[format].content_type;
}

/* ---- Names and numbers */

static bool ends_with(struct bytes text, const char *end)
{
    size_t n = strlen(end);
    return text.len >= n && memcmp(text.data + text.len - n, end, n) == 0;
}

/* The name of a family, which that of its samples may go beyond. */
static struct bytes family_name(const struct page *page, const struct metric_family *family)
{
    struct bytes name = svc__bytes_z(family->name);
    if (page->format == METRICS_OPENMETRICS && family->type == METRIC_COUNTER)
        name.len -= strlen("_total");
    return name;
}

static void put_name(const struct page *page, struct bytes name)
{
    static const char usual[] = "svc_";
    size_t own = 0;
    if (page->prefix != NULL) {
        own = strncmp(name.data, usual, sizeof usual - 1) == 0 ? sizeof usual - 1 : 0;
        svc__buf_puts(page->out, page->prefix);
    }
    svc__buf_append(page->out, name.data + own, name.len - own);
}

/* Appends a text in which a backslash, a line feed and, in most places, a quote are escaped. */
static void put_escaped(struct buf *out, const char *text, bool quotes)
{
    for (const char *stop = quotes ? "\\\n\"" : "\\\n"; *text != '\0';) {
        size_t n = strcspn(text, stop);
        svc__buf_append(out, text, n);
        text += n;
        if (*text == '\0')
            break;
        svc__buf_putc(out, '\\');
        svc__buf_putc(out, *text == '\n' ? 'n' : *text);
        text++;
    }
}

/* Writes any double, without a NUL, and returns its length. */
static size_t format_value(char out[static BOUND_LEN], double d)
{
    if (!isnan(d) && !isinf(d))
        return svc__double_format(out, d);
    const char *word = isnan(d) ? "NaN" : d < 0 ? "-Inf" : "+Inf";
    memcpy(out, word, strlen(word));
    return strlen(word);
}

static void put_double(struct buf *out, double d)
{
    char *to = svc__buf_reserve(out, BOUND_LEN);
    if (to != NULL)
        out->len += format_value(to, d);
}

/* Writes the digits of a text of svc__double_format with an exponent of at least two digits. */
static size_t format_exponent(char out[static BOUND_LEN], const char *text, size_t len)
{
    char digits[DOUBLE_LEN];
    size_t n = 0, i = 0;
    int exponent = -1; /* of the first digit */
    bool behind = false;
    char *to = out;
    if (text[0] == '-')
        *to++ = text[i++];
    for (; i < len && text[i] != 'e'; i++) {
        if (text[i] == '.') {
            behind = true;
            continue;
        }
        if (n > 0 || text[i] != '0')
            digits[n++] = text[i];
        if (behind ? n == 0 : n > 0)
            exponent += behind ? -1 : 1;
    }
    if (i < len)
        exponent += (int)strtol(text + i + 1, NULL, 10);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *to++ = digits[0];
    if (n > 1)
        *to++ = '.';
    memcpy(to, digits + 1, n - 1);
    to += n - 1;
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    if (abs(exponent) < 10)
        *to++ = '0';
    return (size_t)(to - out) + svc__num_format_u64(to, (uint64_t)abs(exponent));
}

/* OpenMetrics has one form for a bound, since readers compare it as a text: that of Go, with a
 * point or an exponent. */
static size_t format_canonical(char out[static BOUND_LEN], double d)
{
    char text[DOUBLE_LEN + 1] = "";
    if (isinf(d))
        return format_value(out, d);
    if (d != 0 && (fabs(d) < 1e-4 || fabs(d) >= 1e6))
        return format_exponent(out, text, svc__double_format(text, d));
    size_t len = svc__double_format(out, d);
    if (memchr(out, '.', len) != NULL)
        return len;
    memcpy(out + len, ".0", 2);
    return len + 2;
}

static void put_bound(struct page *page, size_t index, double bound)
{
    struct bound_text *known = &page->bounds[index];
    if (known->len == 0 || known->bound != bound) {
        known->bound = bound;
        known->len = page->format == METRICS_OPENMETRICS ? format_canonical(known->text, bound)
                                                         : format_value(known->text, bound);
    }
    svc__buf_append(page->out, known->text, known->len);
}

/* ---- Families */

/* Ends the family that is being written. One without room is taken back. */
static void end_family(struct page *page)
{
    if (page->family == NULL || svc__buf_error(page->out) != SVC_ETOOBIG)
        return;
    svc__buf_cut(page->out, page->family_start);
    if (page->omitted == NULL)
        return;
    if (page->omitted->families++ == 0)
        page->omitted->first = page->family;
}

/* Begins a line about the family, such as "# TYPE ". */
static void put_about(const struct page *page, const char *keyword, struct bytes name)
{
    svc__buf_puts(page->out, keyword);
    put_name(page, name);
    svc__buf_putc(page->out, ' ');
}

/* OpenMetrics demands that the name ends with the unit, so the unit is taken from there. */
static void put_unit(const struct page *page, struct bytes name)
{
    static const char *const units[] = {"_seconds", "_bytes", "_ratio"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!ends_with(name, units[i]))
            continue;
        put_about(page, "# UNIT ", name);
        svc__buf_puts(page->out, units[i] + 1);
        svc__buf_putc(page->out, '\n');
    }
}

static void put_family(void *arg, const struct metric_family *family)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    struct page *page = arg;
    struct bytes name = family_name(page, family);
    bool open = page->format == METRICS_OPENMETRICS;
    end_family(page);
    page->family = family->name;
    page->family_start = page->out->len;
    put_about(page, "# HELP ", name);
    put_escaped(page->out, family->help, open);
    svc__buf_putc(page->out, '\n');
    put_about(page, "# TYPE ", name);
    svc__buf_puts(page->out, types[family->type]);
    svc__buf_putc(page->out, '\n');
    if (open)
        put_unit(page, name);
}

/* ---- Series */

/* Appends the name and the labels, without the brace that closes them. Returns the character that
 * would stand before another. */
static char put_labels(const struct page *page, const struct metric_family *family,
                       const struct metric_series *series, const char *suffix)
{
    struct buf *out = page->out;
    char before = '{';
    put_name(page, svc__bytes_z(family->name));
    svc__buf_puts(out, suffix);
    for (size_t i = 0; i < family->label_count; i++, before = ',') {
        svc__buf_putc(out, before);
        svc__buf_puts(out, family->labels[i]);
        svc__buf_puts(out, "=\"");
        put_escaped(out, series->label_values[i], true);
        svc__buf_putc(out, '"');
    }
    return before;
}

/* Appends all of a line that stands before its value. */
static void put_sample(const struct page *page, const struct metric_family *family,
                       const struct metric_series *series, const char *suffix)
{
    if (put_labels(page, family, series, suffix) == ',')
        svc__buf_putc(page->out, '}');
    svc__buf_putc(page->out, ' ');
}

/* The ids have 63 characters with their names, of the 128 that OpenMetrics allows. */
static void put_exemplar(const struct page *page, const struct metric_exemplar *exemplar)
{
    struct buf *out = page->out;
    if (exemplar == NULL || page->format != METRICS_OPENMETRICS)
        return;
    svc__buf_puts(out, " # {trace_id=\"");
    svc__buf_puts(out, exemplar->trace_id);
    svc__buf_puts(out, "\",span_id=\"");
    svc__buf_puts(out, exemplar->span_id);
    svc__buf_puts(out, "\"} ");
    put_double(out, exemplar->value);
    svc__buf_putc(out, ' ');
    put_double(out, (double)exemplar->unix_ms / 1000);
}

static void put_count(struct buf *out, uint64_t count)
{
    char *to = svc__buf_reserve(out, NUM_U64_LEN);
    if (to != NULL)
        out->len += svc__num_format_u64(to, count);
}

/* Appends `n` bytes that stand in the buffer at `from` already. */
static void repeat(struct buf *out, size_t from, size_t n)
{
    char *to = svc__buf_reserve(out, n);
    if (to == NULL)
        return;
    memcpy(to, out->data + from, n);
    out->len += n;
}

/* Lines of buckets begin alike, up to the bound. */
static void put_buckets(struct page *page, const struct metric_family *family,
                        const struct metric_series *series)
{
    struct buf *out = page->out;
    uint64_t count = 0;
    size_t start = out->len, head = 0;
    for (size_t i = 0; i < series->bucket_count; i++) {
        if (i == 0) {
            svc__buf_putc(out, put_labels(page, family, series, "_bucket"));
            svc__buf_puts(out, "le=\"");
            head = out->len - start;
        } else {
            repeat(out, start, head);
        }
        put_bound(page, i, series->buckets[i].bound);
        svc__buf_append(out, "\"} ", 3);
        count += series->buckets[i].count;
        put_count(out, count);
        put_exemplar(page, series->buckets[i].exemplar);
        svc__buf_putc(out, '\n');
    }
}

/* OpenMetrics has no sum that is not a number, or may sink, and no count without a sum. */
static bool has_sum(const struct page *page, const struct metric_series *series)
{
    return page->format != METRICS_OPENMETRICS ||
           (series->buckets[0].bound >= 0 && series->sum >= 0);
}

static void put_histogram(struct page *page, const struct metric_family *family,
                          const struct metric_series *series)
{
    struct buf *out = page->out;
    put_buckets(page, family, series);
    if (!has_sum(page, series))
        return;
    put_sample(page, family, series, "_sum");
    put_double(out, series->sum);
    svc__buf_putc(out, '\n');
    put_sample(page, family, series, "_count");
    put_count(out, series->count);
    svc__buf_putc(out, '\n');
}

static void put_series(void *arg, const struct metric_family *family,
                       const struct metric_series *series)
{
    struct page *page = arg;
    if (svc__buf_error(page->out) != 0)
        return;
    if (family->type == METRIC_HISTOGRAM) {
        put_histogram(page, family, series);
        return;
    }
    put_sample(page, family, series, "");
    put_double(page->out, series->value);
    put_exemplar(page, series->exemplar);
    svc__buf_putc(page->out, '\n');
}

/* ---- The page */

void svc__metrics_text_write(struct metrics *m, const char *prefix, enum metrics_format format,
                             struct buf *out, struct metrics_omitted *omitted)
{
    struct page page = {.out = out, .format = format, .prefix = prefix, .omitted = omitted};
    svc__metrics_walk(m, &(struct metric_visitor){put_family, put_series, &page});
    end_family(&page);
}

void svc__metrics_text_end(enum metrics_format format, struct buf *out)
{
    if (format == METRICS_OPENMETRICS)
        svc__buf_puts(out, "# EOF\n");
}
