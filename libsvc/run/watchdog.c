/* How a loop was held. */
#include "libsvc/run/watchdog.h"

void svc__watchdog_init(struct watchdog *dog, uint64_t limit_ns,
                        void (*bark)(void *arg, const struct stall *stall), void *arg)
{
    *dog = (struct watchdog){
        .bark = bark, .arg = arg, .limit_ns = limit_ns, .mark_ns = svc__clock_ns()};
    svc__watchdog_enter(dog);
}

void svc__watchdog_enter(struct watchdog *dog)
{
    dog->sample_ns = dog->limit_ns ? 0 : UINT64_MAX;
}

void svc__watchdog_sample(struct watchdog *dog, uint64_t now_ns)
{
    uint64_t least_ns = 1000000, pause_ns = dog->limit_ns / 4;
    svc__thread_usage(&dog->sample);
    dog->sampled_ns = now_ns;
    dog->sample_ns = now_ns + (pause_ns < least_ns ? least_ns : pause_ns);
    dog->waits = 0;
}

/*
 * The sample is older than the mark. What the thread may have run for in between does not count;
 * neither do as many waits as the loop had there. A thread that was never interrupted has waited,
 * or was stopped.
 */
enum hold svc__watchdog_hold(const struct watchdog *dog, uint64_t held_ns,
                             const struct thread_usage *now)
{
    const struct thread_usage *then = &dog->sample;
    if (!then->known || !now->known)
        return HOLD_UNKNOWN;
    uint64_t before_ns = dog->mark_ns - dog->sampled_ns, ran_ns = now->cpu_ns - then->cpu_ns;
    ran_ns = ran_ns > before_ns ? ran_ns - before_ns : 0;
    if (ran_ns >= dog->limit_ns || ran_ns >= held_ns / 4)
        return HOLD_COMPUTED;
    bool waited = now->waits - then->waits > dog->waits || now->preemptions == then->preemptions;
    return waited ? HOLD_WAITED : HOLD_NOT_RUN;
}

void svc__watchdog_bark(struct watchdog *dog, enum watched what, const void *subject,
                        uint64_t held_ns)
{
    struct thread_usage now;
    svc__thread_usage(&now);
    bool known = now.known && dog->sample.known;
    struct stall stall = {.what = what,
                          .subject = subject,
                          .hold = svc__watchdog_hold(dog, held_ns, &now),
                          .held_ns = held_ns,
                          .limit_ns = dog->limit_ns,
                          .ran_ns = known ? (int64_t)(now.cpu_ns - dog->sample.cpu_ns) : -1};
    dog->bark(dog->arg, &stall);
}
