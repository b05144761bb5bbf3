/* Asking loops for what is in flight. */
#include "libsvc/server/census.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/wait.h"
#include "libsvc/server/conn.h"
#include "libsvc/server/flight.h"
#include "libsvc/server/front.h"
#include "libsvc/server/loop.h"

/* One loop. Its thread writes `found` while it is asked, and whoever asks reads it otherwise. */
struct slot {
    struct census *census;
    struct loop *loop;
    struct census_loop found;
    bool asked; /* since `asked_ms`; guarded by the lock, like it */
    uint64_t asked_ms;
};

struct census {
    pthread_mutex_t asking;  /* held by who asks, and reads the answers */
    pthread_mutex_t lock;    /* of what slots say of it; never held for long */
    pthread_cond_t answered; /* a loop has */
    size_t count;
    struct slot *slots;
    struct census_loop *loops;         /* what is handed out: of each slot */
    const struct census_flight **list; /* and of all flights that they list */
};

struct census *svc__census_new(void)
{
    struct census *census = calloc(1, sizeof *census);
    if (!census)
        return NULL;
    census->asking = census->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    census->answered = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    return census;
}

void svc__census_free(struct census *census)
{
    if (!census)
        return;
    for (size_t i = 0; i < census->count; i++)
        free(census->slots[i].found.list);
    free(census->slots);
    free(census->loops);
    free(census->list);
    pthread_mutex_destroy(&census->asking);
    pthread_mutex_destroy(&census->lock);
    pthread_cond_destroy(&census->answered);
    free(census);
}

/* Memory for the answers is made when somebody asks for the first time. */
int svc__census_add(struct census *census, const char *name, const struct server *server)
{
    size_t count = census->count + server->loop_count;
    struct slot *slots = realloc(census->slots, count * sizeof *slots);
    if (!slots)
        return SVC_ENOMEM;
    census->slots = slots;
    for (size_t i = 0; i < server->loop_count; i++)
        slots[census->count++] = (struct slot){.census = census,
                                               .loop = server->loops[i],
                                               .found = {.server = name, .index = i, .holds = ""}};
    return 0;
}

void svc__census_visit_listeners(const struct census *census,
                                 void (*visit)(void *arg, const char *server,
                                               const struct listener *listener),
                                 void *arg)
{
    for (size_t i = 0; census && i < census->count; i++) {
        const struct slot *slot = &census->slots[i];
        const struct listeners *listeners = &slot->loop->server->listeners;
        for (size_t at = 0; slot->found.index == 0 && at < listeners->count; at++)
            visit(arg, slot->found.server, &listeners->all[at]);
    }
}

/* ---- On a loop's thread */

/* The oldest flights that were seen so far, oldest first. */
struct oldest {
    size_t seen, count;
    const struct flight *flights[CENSUS_FLIGHTS];
};

static uint64_t begin_of(const struct flight *flight)
{
    return flight->x->request.started_ns;
}

static void note_flight(const struct flight *flight, void *arg)
{
    struct oldest *oldest = arg;
    if (!flight->x || flight->phase == FLIGHT_NONE)
        return;
    oldest->seen++;
    size_t at = oldest->count;
    while (at > 0 && begin_of(flight) < begin_of(oldest->flights[at - 1]))
        at--;
    if (at == CENSUS_FLIGHTS)
        return;
    oldest->count += oldest->count < CENSUS_FLIGHTS;
    memmove(&oldest->flights[at + 1], &oldest->flights[at],
            (oldest->count - at - 1) * sizeof *oldest->flights);
    oldest->flights[at] = flight;
}

static const char *phase_of(const struct flight *flight)
{
    const struct away *away = &flight->x->away;
    if (flight->phase == FLIGHT_SEND)
        return "writing";
    if (away->out)
        return "worker";
    if (atomic_load(&away->wait) == WAIT_PENDING)
        return "layer";
    if (atomic_load(&away->pending))
        return "deferred";
    return flight->phase == FLIGHT_HANDLE ? "handler" : "body";
}

static void copy_text(char *to, size_t size, struct bytes text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    if (len > 0)
        memcpy(to, text.data, len);
    to[len] = '\0';
}

static const char *pattern_of(const struct route *route)
{
    return route ? route->pattern.text : "";
}

/* All that is read here was set by the home before others could have the exchange. */
static void describe_flight(const struct census_loop *loop, const struct flight *flight,
                            struct census_flight *out)
{
    const svc_request *req = &flight->x->request;
    *out = (struct census_flight){.server = loop->server,
                                  .loop = loop->index,
                                  .pattern = pattern_of(req->route),
                                  .phase = phase_of(flight),
                                  .started_ns = req->started_ns};
    copy_text(out->method, sizeof out->method, req->method);
    copy_text(out->id, sizeof out->id, svc__bytes_z(req->id));
    copy_text(out->peer, sizeof out->peer, svc__bytes_z(flight->transport.peer->text));
}

static void answer_census(void *arg)
{
    struct slot *slot = arg;
    struct census_loop *found = &slot->found;
    struct oldest oldest = {0};
    for (const struct conn *conn = slot->loop->conns; conn; conn = conn->next)
        conn->front->visit_flights(conn, note_flight, &oldest);
    found->in_flight = oldest.seen;
    found->listed = oldest.count;
    for (size_t i = 0; i < oldest.count; i++)
        describe_flight(found, oldest.flights[i], &found->list[i]);
    pthread_mutex_lock(&slot->census->lock);
    slot->asked = false;
    pthread_cond_broadcast(&slot->census->answered);
    pthread_mutex_unlock(&slot->census->lock);
}

/* ---- Asking */

static bool make_room(struct census *census)
{
    for (size_t i = 0; i < census->count; i++) {
        struct census_loop *found = &census->slots[i].found;
        if (!found->list)
            found->list = calloc(CENSUS_FLIGHTS, sizeof *found->list);
        if (!found->list)
            return false;
    }
    if (!census->loops)
        census->loops = calloc(census->count, sizeof *census->loops);
    if (!census->list)
        census->list = calloc(census->count * CENSUS_FLIGHTS, sizeof(struct census_flight *));
    return census->loops && census->list;
}

/* A loop that is still asked is not asked again: its answer will be as good. */
static void ask_loop(struct slot *slot, uint64_t now_ms)
{
    pthread_mutex_lock(&slot->census->lock);
    bool was_asked = slot->asked;
    slot->asked = true;
    slot->asked_ms = was_asked ? slot->asked_ms : now_ms;
    pthread_mutex_unlock(&slot->census->lock);
    if (was_asked || !svc_loop_post(&slot->loop->reactor, answer_census, slot))
        return;
    pthread_mutex_lock(&slot->census->lock);
    slot->asked = false; /* its loop has ended, or there is no memory */
    slot->found.in_flight = slot->found.listed = 0;
    pthread_mutex_unlock(&slot->census->lock);
}

/* Whether the loop has answered. */
static bool await_loop(struct slot *slot)
{
    struct census *census = slot->census;
    pthread_mutex_lock(&census->lock);
    uint64_t due_ms = slot->asked_ms + CENSUS_MS;
    while (slot->asked && svc__clock_ms() < due_ms &&
           svc__wait_until(&census->answered, &census->lock, due_ms))
        continue;
    bool answered = !slot->asked;
    pthread_mutex_unlock(&census->lock);
    return answered;
}

static struct census_loop read_slot(const struct slot *slot, bool answered)
{
    const struct loop *loop = slot->loop;
    struct census_loop found = {
        .server = slot->found.server, .index = slot->found.index, .holds = ""};
    if (answered)
        found = slot->found;
    found.connections = atomic_load(&loop->count);
    found.late = !answered;
    if (answered)
        return found;
    uint64_t turn_ns = atomic_load_explicit(&loop->turn_ns, memory_order_relaxed);
    uint64_t now_ns = svc__clock_ns();
    found.held_ms = turn_ns && turn_ns < now_ns ? (now_ns - turn_ns) / 1000000 : 0;
    found.holds = pattern_of(atomic_load_explicit(&loop->host.handles, memory_order_relaxed));
    return found;
}

static int compare_flights(const void *a, const void *b)
{
    const struct census_flight *one = *(const struct census_flight *const *)a;
    const struct census_flight *other = *(const struct census_flight *const *)b;
    return (one->started_ns > other->started_ns) - (one->started_ns < other->started_ns);
}

static struct census_answer gather_answers(struct census *census)
{
    struct census_answer all = {
        .loop_count = census->count, .loops = census->loops, .list = census->list};
    for (size_t i = 0; i < census->count; i++) {
        struct slot *slot = &census->slots[i];
        struct census_loop *loop = &census->loops[i];
        *loop = read_slot(slot, await_loop(slot));
        all.in_flight += loop->in_flight;
        for (size_t k = 0; k < loop->listed; k++)
            census->list[all.listed++] = &loop->list[k];
    }
    qsort(census->list, all.listed, sizeof *census->list, compare_flights);
    all.listed = all.listed < CENSUS_FLIGHTS ? all.listed : CENSUS_FLIGHTS;
    return all;
}

void svc__census_ask(struct census *census,
                     void (*take)(void *arg, const struct census_answer *answer), void *arg)
{
    static const struct census_answer none;
    if (!census || !census->count) {
        take(arg, &none);
        return;
    }
    pthread_mutex_lock(&census->asking);
    bool room = make_room(census);
    uint64_t now_ms = svc__clock_ms();
    for (size_t i = 0; room && i < census->count; i++)
        ask_loop(&census->slots[i], now_ms);
    struct census_answer answer = room ? gather_answers(census) : none;
    take(arg, &answer);
    pthread_mutex_unlock(&census->asking);
}
