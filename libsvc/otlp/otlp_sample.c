/* Samplers. */
#include "libsvc/otlp/otlp_sample.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <svc/errors.h>
#include <svc/sys/span.h>

static const uint64_t all = UINT64_C(1) << 63;

/* Digits behind so large a number change no ratio; nor does a larger exponent. */
#define ENOUGH 1e17
enum { EXPONENT_MOST = 1000 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Adds the exponent behind the letter at `at`, as far as it matters to a ratio. Returns its end, or
 * NULL when there is none. */
static const char *read_exponent(const char *at, int *exponent)
{
    int read = 0, sign = at[1] == '-' ? -1 : 1;
    at += at[1] == '-' || at[1] == '+' ? 2 : 1;
    if (!is_digit(*at))
        return NULL;
    for (; is_digit(*at); at++)
        read = read < EXPONENT_MOST ? read * 10 + (*at - '0') : read;
    *exponent += sign * read;
    return at;
}

/* A ratio from 0 to 1, whatever the locale has for a point: digits, digits behind a point, an
 * exponent. */
static int read_ratio(const char *text, uint64_t *bound)
{
    double ratio = 0;
    int exponent = 0;
    size_t digits = 0;
    const char *at = text;
    for (; is_digit(*at); at++, digits++)
        ratio = ratio * 10 + (*at - '0');
    if (*at == '.')
        for (at++; is_digit(*at); at++, digits++)
            if (ratio < ENOUGH) {
                ratio = ratio * 10 + (*at - '0');
                exponent--;
            }
    if (digits && (*at == 'e' || *at == 'E'))
        at = read_exponent(at, &exponent);
    for (; exponent < 0; exponent++)
        ratio /= 10;
    for (; exponent > 0 && ratio > 0 && ratio <= 1; exponent--)
        ratio *= 10;
    if (!at || *at || !digits || !(ratio <= 1))
        return SVC_ESYNTAX;
    *bound = (uint64_t)(ratio * (double)all);
    return 0;
}

int svc__otlp_sample_read(struct otlp_sampler *sampler, const char *name, const char *argument)
{
    static const char prefix[] = "parentbased_";
    struct otlp_sampler read = {.bound = all};
    int error = 0;
    read.by_parent = !strncasecmp(name, prefix, sizeof prefix - 1);
    const char *kind = read.by_parent ? name + sizeof prefix - 1 : name;
    if (!strcasecmp(kind, "always_off"))
        read.bound = 0;
    else if (!strcasecmp(kind, "traceidratio"))
        error = argument ? read_ratio(argument, &read.bound) : 0;
    else if (strcasecmp(kind, "always_on") != 0)
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
