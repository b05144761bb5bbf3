/* The text format 0.0.4: a head for each family, and a line for each value. */
#include "libsvc/ops/metrics_text.h"

#include <math.h>
#include <stdbool.h>

#include "libsvc/base/double.h"
#include "libsvc/metrics/walk.h"

struct page {
    struct buf *out;
    const char *prefix; /* or NULL */
};

static void put_name(const struct page *page, const char *name)
{
    static const char usual[] = "svc_";
    size_t own =
        page->prefix != NULL && strncmp(name, usual, sizeof usual - 1) == 0 ? sizeof usual - 1 : 0;
    svc__buf_puts(page->out, page->prefix != NULL ? page->prefix : "");
    svc__buf_puts(page->out, name + own);
}

/* Appends a text in which the format escapes a backslash, a line feed and, in a label, a quote. */
static void put_escaped(struct buf *out, const char *text, bool in_label)
{
    for (const char *stop = in_label ? "\\\n\"" : "\\\n"; *text != '\0';) {
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

static void put_double(struct buf *out, double d)
{
    if (isnan(d)) {
        svc__buf_puts(out, "NaN");
    } else if (isinf(d)) {
        svc__buf_puts(out, d < 0 ? "-Inf" : "+Inf");
    } else {
        char *to = svc__buf_reserve(out, DOUBLE_LEN);
        if (to != NULL)
            out->len += svc__double_format(to, d);
    }
}

static void put_family(void *arg, const struct metric_family *family)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    const struct page *page = arg;
    struct buf *out = page->out;
    svc__buf_puts(out, "# HELP ");
    put_name(page, family->name);
    svc__buf_putc(out, ' ');
    put_escaped(out, family->help, false);
    svc__buf_puts(out, "\n# TYPE ");
    put_name(page, family->name);
    svc__buf_putc(out, ' ');
    svc__buf_puts(out, types[family->type]);
    svc__buf_putc(out, '\n');
}

/* Appends the name, the labels, and the bound of a bucket if the line is that of one. */
static void put_sample(const struct page *page, const struct metric_family *family,
                       const struct metric_series *series, const char *suffix,
                       const struct metric_bucket *bucket)
{
    struct buf *out = page->out;
    char before = '{';
    put_name(page, family->name);
    svc__buf_puts(out, suffix);
    for (size_t i = 0; i < family->label_count; i++, before = ',') {
        svc__buf_putc(out, before);
        svc__buf_puts(out, family->labels[i]);
        svc__buf_puts(out, "=\"");
        put_escaped(out, series->label_values[i], true);
        svc__buf_putc(out, '"');
    }
    if (bucket != NULL) {
        svc__buf_putc(out, before);
        svc__buf_puts(out, "le=\"");
        put_double(out, bucket->bound);
        svc__buf_putc(out, '"');
        before = ',';
    }
    if (before == ',')
        svc__buf_putc(out, '}');
    svc__buf_putc(out, ' ');
}

static void put_count(struct buf *out, uint64_t count)
{
    svc__buf_u64(out, count);
    svc__buf_putc(out, '\n');
}

static void put_histogram(const struct page *page, const struct metric_family *family,
                          const struct metric_series *series)
{
    struct buf *out = page->out;
    uint64_t count = 0;
    for (size_t i = 0; i < series->bucket_count; i++) {
        count += series->buckets[i].count;
        put_sample(page, family, series, "_bucket", &series->buckets[i]);
        put_count(out, count);
    }
    put_sample(page, family, series, "_sum", NULL);
    put_double(out, series->sum);
    svc__buf_putc(out, '\n');
    put_sample(page, family, series, "_count", NULL);
    put_count(out, series->count);
}

static void put_series(void *arg, const struct metric_family *family,
                       const struct metric_series *series)
{
    const struct page *page = arg;
    if (family->type == METRIC_HISTOGRAM) {
        put_histogram(page, family, series);
        return;
    }
    put_sample(page, family, series, "", NULL);
    put_double(page->out, series->value);
    svc__buf_putc(page->out, '\n');
}

void svc__metrics_text_write(struct metrics *m, const char *prefix, struct buf *out)
{
    struct page page = {out, prefix};
    svc__metrics_walk(m, &(struct metric_visitor){put_family, put_series, &page});
}
