/* Asking the program for gauges: a thread for each, made when the gauge is asked for the first
 * time. */
#include "libsvc/ops/asked_gauges.h"

#include <stdlib.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/ops/inquiry.h"

enum { TIMEOUT_MS = 1000 };

struct asked_gauge {
    struct inquiry inquiry; /* first */
    struct family *family;
    struct asked_gauge *next;
};

struct asked_gauges {
    svc_app *app;
    struct inquiries inquiries;
    pthread_mutex_t lock; /* of the list */
    struct asked_gauge *first;
};

struct asked_gauges *svc__asked_gauges_new(svc_app *app)
{
    struct asked_gauges *gauges = calloc(1, sizeof *gauges);
    if (!gauges)
        return NULL;
    gauges->app = app;
    gauges->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    svc__inquiries_init(&gauges->inquiries, app);
    return gauges;
}

void svc__asked_gauges_free(struct asked_gauges *gauges)
{
    if (!gauges)
        return;
    for (struct asked_gauge *gauge = gauges->first, *next; gauge; gauge = next) {
        next = gauge->next;
        free(gauge);
    }
    svc__inquiries_free(&gauges->inquiries);
    pthread_mutex_destroy(&gauges->lock);
    free(gauges);
}

static struct family *family_of(const struct inquiry *inquiry)
{
    return ((const struct asked_gauge *)(const void *)inquiry)->family;
}

static int ask_family(struct inquiry *inquiry)
{
    svc__metric_ask(family_of(inquiry));
    return 0;
}

/* One that has no thread yet gets one; where that cannot be, the next time. With the lock held. */
static void add_gauge(struct family *family, void *arg)
{
    struct asked_gauges *gauges = arg;
    if (!family->is_program)
        return;
    for (const struct asked_gauge *known = gauges->first; known; known = known->next)
        if (known->family == family)
            return;
    struct asked_gauge *gauge = calloc(1, sizeof *gauge);
    if (!gauge)
        return;
    gauge->inquiry.run = ask_family;
    gauge->family = family;
    if (svc__inquiries_add(&gauges->inquiries, &gauge->inquiry)) {
        free(gauge);
        return;
    }
    gauge->next = gauges->first;
    gauges->first = gauge;
}

/* The value of one that is late is not that of now. */
static void forget_late(struct inquiry *inquiry, void *arg)
{
    (void)arg;
    if (inquiry->asked)
        svc__metric_forget(family_of(inquiry));
}

void svc__asked_gauges_ask(struct asked_gauges *gauges)
{
    pthread_mutex_lock(&gauges->lock);
    svc__metrics_each(gauges->app->metrics, add_gauge, gauges);
    bool any = gauges->first;
    pthread_mutex_unlock(&gauges->lock);
    if (any)
        svc__inquiries_ask(&gauges->inquiries, TIMEOUT_MS, forget_late, NULL);
}

int svc__asked_gauges_stop(struct asked_gauges *gauges, uint64_t deadline_ms)
{
    return gauges ? svc__inquiries_stop(&gauges->inquiries, deadline_ms) : 0;
}
