/* The limit of concurrency that follows latency. docs/overload.md compares other algorithms on the
 * same simulated servers. */
#include "libsvc/store/gradient.h"

#include <stdbool.h>

/* The limit falls when requests take this many times the latency without a queue: room for a queue
 * that comes and goes, and for the chance in samples. */
static const double tolerance = 1.5;

/* A probe whose result differs by this factor from the known latency shows that the service has
 * changed, or that the known latency was that of a queue: a few samples do not differ so much by
 * chance. */
static const double news = 1.5;

/* The weights by which measurements move the known latency: of a probe, of a time without pressure,
 * and of a window that was faster than the known latency. */
static const double by_probe = 0.5, by_calm = 0.05, by_faster = 0.2;

void svc__gradient_init(struct gradient *gradient, uint32_t min, uint32_t limit, uint32_t max)
{
    *gradient =
        (struct gradient){.min = min, .max = max, .limit = limit, .windows = GRADIENT_FIRST_PROBE};
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* The square root, rounded down: whole numbers will do, and need no library. */
static double root(double value)
{
    unsigned root = 1;
    while ((double)(root + 1) * (root + 1) <= value)
        root++;
    return root;
}

static void learn(struct gradient *gradient, double latency_ns, double weight)
{
    if (gradient->base_ns > 0)
        gradient->base_ns += (latency_ns - gradient->base_ns) * weight;
    else
        gradient->base_ns = latency_ns;
}

static void move(struct gradient *gradient, double latency_ns)
{
    double slope = clamp(tolerance * gradient->base_ns / latency_ns, 0.5, 1);
    double next = gradient->limit * slope + root(gradient->limit);
    gradient->limit = clamp(next, gradient->min, gradient->max);
}

static void follow(struct gradient *gradient, double latency_ns, enum gradient_pressure pressure)
{
    bool faster = latency_ns < gradient->base_ns;
    learn(gradient, latency_ns, faster ? by_faster : pressure == GRADIENT_CALM ? by_calm : 0);
    if (pressure != GRADIENT_CALM)
        move(gradient, latency_ns);
    if (gradient->windows > 0)
        gradient->windows--;
    else if (pressure == GRADIENT_FULL)
        gradient->phase = GRADIENT_DRAIN;
}

static uint32_t current(const struct gradient *gradient)
{
    bool probing = gradient->phase != GRADIENT_FOLLOW;
    double limit = probing ? gradient->limit / GRADIENT_PROBE_PART : gradient->limit;
    return (uint32_t)clamp(limit, gradient->min, gradient->max);
}

static void end_probe(struct gradient *gradient, unsigned windows)
{
    gradient->phase = GRADIENT_FOLLOW;
    gradient->windows = windows;
}

static void take_probe(struct gradient *gradient, double latency_ns)
{
    double known_ns = gradient->base_ns;
    bool differs = latency_ns > known_ns * news || latency_ns < known_ns / news;
    learn(gradient, latency_ns, by_probe);
    end_probe(gradient, differs ? GRADIENT_PROBE_SOON : GRADIENT_PROBE_EVERY);
}

uint32_t svc__gradient_next(struct gradient *gradient, uint64_t latency_ns,
                            enum gradient_pressure pressure)
{
    double latency = latency_ns ? (double)latency_ns : 1;
    switch (gradient->phase) {
    case GRADIENT_FOLLOW:
        follow(gradient, latency, pressure);
        break;
    case GRADIENT_DRAIN:
        gradient->phase = GRADIENT_PROBE;
        break;
    case GRADIENT_PROBE:
        take_probe(gradient, latency);
        break;
    }
    return current(gradient);
}

uint32_t svc__gradient_skip(struct gradient *gradient)
{
    if (gradient->phase != GRADIENT_FOLLOW)
        end_probe(gradient, GRADIENT_PROBE_EVERY);
    return current(gradient);
}
