/* The timing wheel: levels of 64 slots, each with a word of bits for the slots that hold timers. */
#include "libsvc/base/wheel.h"

#include <string.h>

void svc__wheel_init(struct wheel *w, uint64_t now, unsigned shift)
{
    memset(w, 0, sizeof *w);
    w->shift = shift;
    w->next = (now >> shift) + 1;
}

/* The first tick that begins at `due` or later; at the end of time, the last one. */
static uint64_t tick_of(const struct wheel *w, uint64_t due)
{
    uint64_t part = (UINT64_C(1) << w->shift) - 1;
    uint64_t latest = UINT64_MAX - part;
    return due < latest ? (due + part) >> w->shift : latest >> w->shift;
}

static unsigned slot_of(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> WHEEL_BITS * level) % WHEEL_SLOTS;
}

/* The level is that of the highest digit, to the base of 64, in which the tick differs from the
 * next one. So the slots of a level all lie after those of the levels below it. */
static void file_timer(struct wheel *w, struct timer *t)
{
    uint64_t tick = tick_of(w, t->due);
    if (tick < w->next)
        tick = w->next;
    unsigned level = (63 - (unsigned)__builtin_clzll((tick ^ w->next) | 1)) / WHEEL_BITS;
    unsigned slot = slot_of(tick, level);
    struct timer **first = &w->slots[level][slot];
    t->level = level;
    t->tick = tick >> WHEEL_BITS * level << WHEEL_BITS * level;
    t->prev = first;
    t->next = *first;
    if (t->next != NULL)
        t->next->prev = &t->next;
    *first = t;
    w->full[level] |= UINT64_C(1) << slot;
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
    unsigned slot = slot_of(t->tick, t->level);
    if (w->slots[t->level][slot] == NULL)
        w->full[t->level] &= ~(UINT64_C(1) << slot);
}

void svc__wheel_clear(struct wheel *w)
{
    while (w->visiting != NULL)
        svc__wheel_cancel(w, w->visiting);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        while (w->full[level])
            svc__wheel_cancel(w, w->slots[level][__builtin_ctzll(w->full[level])]);
}

void svc__wheel_set(struct wheel *w, struct timer *t, uint64_t due)
{
    t->due = due;
    /* A visit at or before the new time files the timer again, so that the usual move is only this
     * store. */
    if (t->prev != NULL && t->tick <= tick_of(w, due))
        return;
    svc__wheel_cancel(w, t);
    file_timer(w, t);
}

/* Takes the timers out of a slot in the order in which they were filed, the reverse of the list's.
 */
static struct timer *empty_slot(struct wheel *w, unsigned level, unsigned slot)
{
    struct timer *latest = w->slots[level][slot], *first = NULL;
    while (latest != NULL) {
        struct timer *t = latest;
        latest = t->next;
        t->next = first;
        if (first != NULL)
            first->prev = &t->next;
        first = t;
    }
    w->slots[level][slot] = NULL;
    w->full[level] &= ~(UINT64_C(1) << slot);
    return first;
}

/* The beginning of the first slot that holds a timer, which is of the lowest level that has one.
 * False when there is none. */
static bool find_full(const struct wheel *w, uint64_t *tick)
{
    unsigned level = 0;
    while (level < WHEEL_LEVELS && w->full[level] == 0)
        level++;
    if (level == WHEEL_LEVELS)
        return false;
    uint64_t slot = (uint64_t)__builtin_ctzll(w->full[level]);
    uint64_t around = w->next >> WHEEL_BITS * level; /* its last digit is the slot's */
    *tick = (around - around % WHEEL_SLOTS + slot) << WHEEL_BITS * level;
    return true;
}

/* Moves on to a tick; no slot that begins before it holds timers. Its trailing zeros, to the base
 * of 64, are the level of the slot that begins at it; no other level has a full slot there. */
static void move_to(struct wheel *w, uint64_t tick)
{
    unsigned level = tick ? (unsigned)__builtin_ctzll(tick) / WHEEL_BITS : 0;
    w->next = tick;
    if (level == 0)
        return;
    struct timer *t = empty_slot(w, level, slot_of(tick, level));
    while (t != NULL) {
        struct timer *next = t->next;
        file_timer(w, t);
        t = next;
    }
}

/* Moves on to the next full slot of a single tick that the time has reached. False when there is
 * none. */
static bool visit_next(struct wheel *w, uint64_t now_tick)
{
    uint64_t tick;
    while (find_full(w, &tick) && tick <= now_tick) {
        if (w->full[0] == 0) {
            move_to(w, tick);
            continue;
        }
        w->visiting = empty_slot(w, 0, slot_of(tick, 0));
        w->visiting->prev = &w->visiting;
        move_to(w, tick + 1);
        return true;
    }
    if (w->next <= now_tick)
        move_to(w, now_tick + 1);
    return false;
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
        file_timer(w, t);
    }
}

int64_t svc__wheel_wait(const struct wheel *w, uint64_t now)
{
    uint64_t tick;
    if (w->visiting != NULL)
        return 0;
    if (!find_full(w, &tick))
        return -1;
    uint64_t at = tick << w->shift, wait = at <= now ? 0 : at - now;
    return wait < INT64_MAX ? (int64_t)wait : INT64_MAX;
}
