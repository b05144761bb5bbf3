/*
 * A service whose label values and help texts come from standard input, for labels.py: a line of hexadecimal
 * digits for each. A value counts once in a counter and a histogram beside the value before it, and is the help
 * of a gauge of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { SERIES_MAX = 1000000, GAUGES = 1000, BYTES = 4096 };

static svc_counter_family *values_total;
static svc_histogram_family *sizes;

static void set_up(svc_metric *metric, const char *name)
{
    *metric = (svc_metric)SVC_METRIC_INIT;
    metric->name = name;
    metric->help = "Values.";
    metric->max_series = SERIES_MAX;
    metric->labels[0] = "first";
    metric->labels[1] = "second";
}

static void register_metrics(svc_app *app)
{
    svc_metric metric;
    set_up(&metric, "values_total");
    values_total = svc_app_counter(app, &metric);
    set_up(&metric, "sizes");
    metric.bounds = (const double[]){0.5, 1e6};
    metric.bound_count = 2;
    sizes = svc_app_histogram(app, &metric);
}

static void add_gauge(svc_app *app, int number, const char *help)
{
    char name[32];
    svc_metric metric = SVC_METRIC_INIT;
    snprintf(name, sizeof name, "gauge_%d", number);
    metric.name = name;
    metric.help = help;
    if (*help && number < GAUGES)
        svc_app_gauge(app, &metric);
}

/* The bytes of a line of hexadecimal digits. */
static void decode(const char *line, char *value)
{
    unsigned byte;
    for (; sscanf(line, "%2x", &byte) == 1; line += 2)
        *value++ = (char)byte;
    *value = '\0';
}

static void take_values(svc_app *app)
{
    static char line[2 * BYTES + 2], values[2][BYTES + 1];
    for (int i = 0; fgets(line, sizeof line, stdin); i++) {
        decode(line, values[i % 2]);
        const char *both[] = {values[i % 2], values[(i + 1) % 2]};
        svc_counter_add(svc_counter_of(values_total, 2, both), 1);
        svc_histogram_observe(svc_histogram_of(sizes, 2, both), 1);
        add_gauge(app, i, values[i % 2]);
    }
}

int main(void)
{
    svc_app *app = svc_app_new("labels");
    register_metrics(app);
    take_values(app);
    return svc_app_run(app);
}
