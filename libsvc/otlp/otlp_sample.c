/* Samplers. */
#include "libsvc/otlp/otlp_sample.h"

#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>
#include <svc/sys/span.h>

static const uint64_t all = UINT64_C(1) << 63;

/* A ratio from 0 to 1, whatever the locale has for a point: digits, and digits behind a point. */
static int read_ratio(const char *text, uint64_t *bound)
{
    double ratio = 0, unit = 1;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        ratio = ratio * 10 + (*at - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++)
            ratio += (unit /= 10) * (*at - '0');
    if (*at || at == text || !strcmp(text, ".") || ratio > 1)
        return SVC_ESYNTAX;
    *bound = (uint64_t)(ratio * (double)all);
    return 0;
}

int svc__otlp_sample_read(struct otlp_sampler *sampler, const char *name, const char *argument)
{
    static const char prefix[] = "parentbased_";
    struct otlp_sampler read = {.bound = all};
    int error = 0;
    read.by_parent = !strncmp(name, prefix, sizeof prefix - 1);
    const char *kind = read.by_parent ? name + sizeof prefix - 1 : name;
    if (!strcmp(kind, "always_off"))
        read.bound = 0;
    else if (!strcmp(kind, "traceidratio"))
        error = argument ? read_ratio(argument, &read.bound) : 0;
    else if (strcmp(kind, "always_on") != 0)
        error = SVC_EINVAL;
    if (!error)
        *sampler = read;
    return error;
}

bool svc__otlp_sample_decide(const struct otlp_sampler *sampler, const unsigned char *trace_id,
                             int parent)
{
    if (sampler->by_parent && parent != SVC_SYS_PARENT_NONE)
        return parent == SVC_SYS_PARENT_SAMPLED;
    /* The later half of the id is random also where the former is a time, and every service of a
     * trace decides alike. */
    uint64_t number = 0;
    for (size_t i = SVC_SYS_TRACE_BYTES / 2; i < SVC_SYS_TRACE_BYTES; i++)
        number = number << 8 | trace_id[i];
    return number >> 1 < sampler->bound;
}
