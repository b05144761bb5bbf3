/* The timing wheel: lists of timers by tick, and a bitmap that tells which slots hold any. */
#include "libsvc/base/wheel.h"

#include <string.h>

void svc__wheel_init(struct wheel *w, uint64_t now, unsigned shift)
{
    memset(w, 0, sizeof *w);
    w->shift = shift;
    w->tick = now >> shift;
}

static size_t slot_of(uint64_t tick)
{
    return (size_t)(tick % WHEEL_SLOTS);
}

/* The first tick that begins at `due` or later. */
static uint64_t tick_of(const struct wheel *w, uint64_t due)
{
    return (due >> w->shift) + ((due & ((UINT64_C(1) << w->shift) - 1)) != 0);
}

/* Ticks w->tick + 1 to w->tick + WHEEL_SLOTS each have a slot of their own; others go to the
 * nearest. */
static void file(struct wheel *w, struct timer *t)
{
    t->tick = tick_of(w, t->due);
    if (t->tick <= w->tick)
        t->tick = w->tick + 1;
    if (t->tick > w->tick + WHEEL_SLOTS)
        t->tick = w->tick + WHEEL_SLOTS;
    size_t slot = slot_of(t->tick);
    t->prev = &w->slots[slot];
    t->next = w->slots[slot];
    if (t->next != NULL)
        t->next->prev = &t->next;
    w->slots[slot] = t;
    w->full[slot / 64] |= UINT64_C(1) << slot % 64;
}

void svc__wheel_cancel(struct wheel *w, struct timer *t)
{
    if (t->prev == NULL)
        return;
    *t->prev = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    t->prev = NULL;
    t->next = NULL;
    size_t slot = slot_of(t->tick);
    if (w->slots[slot] == NULL)
        w->full[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

void svc__wheel_clear(struct wheel *w)
{
    while (w->visiting != NULL)
        svc__wheel_cancel(w, w->visiting);
    for (size_t slot = 0; slot < WHEEL_SLOTS; slot++)
        while (w->slots[slot] != NULL)
            svc__wheel_cancel(w, w->slots[slot]);
}

void svc__wheel_set(struct wheel *w, struct timer *t, uint64_t due)
{
    t->due = due;
    /* A visit at or before the new time files it again, so that the usual move costs nothing more.
     */
    if (t->prev != NULL && t->tick <= tick_of(w, due))
        return;
    svc__wheel_cancel(w, t);
    file(w, t);
}

/* The first tick after w->tick whose slot holds a timer; 0 when none does. */
static uint64_t next_full(const struct wheel *w)
{
    uint64_t first = w->tick + 1;
    size_t from = slot_of(first);
    for (size_t i = 0; i <= WHEEL_WORDS;
         i++) { /* the first word again at the end, for its low bits */
        size_t word = (from / 64 + i) % WHEEL_WORDS;
        uint64_t bits = w->full[word];
        if (i == 0)
            bits &= UINT64_MAX << from % 64;
        if (bits == 0)
            continue;
        size_t slot = word * 64 + (size_t)__builtin_ctzll(bits);
        return first + (slot + WHEEL_SLOTS - from) % WHEEL_SLOTS;
    }
    return 0;
}

/* A slot's timers in the order in which they were filed, each in front of those before it. */
static struct timer *turned_round(struct timer *latest)
{
    struct timer *first = NULL;
    while (latest != NULL) {
        struct timer *t = latest;
        latest = t->next;
        t->next = first;
        if (first != NULL)
            first->prev = &t->next;
        first = t;
    }
    return first;
}

/* Moves on to the next slot that holds timers and that time has reached. False when there is none.
 */
static bool visit_next(struct wheel *w, uint64_t now_tick)
{
    uint64_t tick = next_full(w);
    if (tick == 0 || tick > now_tick) {
        if (w->tick < now_tick)
            w->tick = now_tick;
        return false;
    }
    size_t slot = slot_of(tick);
    w->tick = tick;
    w->visiting = turned_round(w->slots[slot]);
    w->visiting->prev = &w->visiting;
    w->slots[slot] = NULL;
    w->full[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    return true;
}

struct timer *svc__wheel_expire(struct wheel *w, uint64_t now)
{
    for (;;) {
        struct timer *t = w->visiting;
        if (t == NULL) {
            if (!visit_next(w, now >> w->shift))
                return NULL;
            continue;
        }
        svc__wheel_cancel(w, t);
        if (t->due <= now)
            return t;
        file(w, t);
    }
}

int64_t svc__wheel_wait(const struct wheel *w, uint64_t now)
{
    if (w->visiting != NULL)
        return 0;
    uint64_t tick = next_full(w);
    if (tick == 0)
        return -1;
    uint64_t at = tick << w->shift;
    return at <= now ? 0 : (int64_t)(at - now);
}
