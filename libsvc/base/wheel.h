/*
 * A timing wheel: arming, moving and disarming a timer are O(1), and one that is moved on with
 * every request costs one store.
 *
 * Times are in a unit of the owner's choice, and a tick is a power of two of units. A timer fires
 * never before its due time and at most one tick after it. The wheel has levels, as a clock has
 * hands: 64 slots of a tick each, 64 of 64 ticks, and so on. A timer waits in a slot of the level
 * that its distance needs, and is filed at least one level below when that slot begins. So a far
 * timer is visited a few times in all, however long it waits.
 */
#ifndef SVC_BASE_WHEEL_H
#define SVC_BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WHEEL_BITS = 6,
    WHEEL_SLOTS = 1 << WHEEL_BITS,                    /* of a level, a bit each in a word */
    WHEEL_LEVELS = (64 + WHEEL_BITS - 1) / WHEEL_BITS /* for ticks of 64 bits */
};

/* One timer, embedded in its owner's struct. All zero is a disarmed timer. */
struct timer {
    struct timer *next;
    struct timer **prev; /* the pointer to this timer; NULL when disarmed */
    uint64_t due;
    uint64_t tick;  /* when its slot begins, never after `due` rounded up */
    unsigned level; /* of that slot */
};

/* The timers of one thread. Must not move in memory while timers are armed. */
struct wheel {
    unsigned shift;              /* a tick is 1 << shift units */
    uint64_t next;               /* the first tick that was not visited */
    uint64_t full[WHEEL_LEVELS]; /* a bit for each slot that holds a timer */
    struct timer *visiting;      /* the rest of the slot that svc__wheel_expire visits */
    struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* Makes an empty wheel at the time `now`, of the clock that all calls use, with ticks of
 * 1 << `shift` of that clock's units. */
void svc__wheel_init(struct wheel *w, uint64_t now, unsigned shift);

/* Whether the timer is armed. */
static inline bool svc__wheel_armed(const struct timer *t)
{
    return t->prev != NULL;
}

/* Arms the timer, or moves it when it is armed in this wheel. A time that has passed makes it fire
 * at the next tick. The timer is borrowed until it fires or is cancelled. */
void svc__wheel_set(struct wheel *w, struct timer *t, uint64_t due);

/* Disarms the timer; nothing happens when it is not armed. */
void svc__wheel_cancel(struct wheel *w, struct timer *t);

/* Disarms all timers. */
void svc__wheel_clear(struct wheel *w);

/*
 * Disarms and returns one timer that is due at `now`; NULL when there is none left. Between
 * calls any timer may be set or cancelled; one that is set to a time that has passed is not
 * returned again before a later tick, so that the caller's loop ends. In the order of their ticks;
 * within a tick, in which they were filed.
 */
struct timer *svc__wheel_expire(struct wheel *w, uint64_t now);

/* How long from `now` until svc__wheel_expire has something to look at (which may turn out to be a
 * timer that was moved on, or is filed again); 0 when it has now, -1 when no timer is armed. */
int64_t svc__wheel_wait(const struct wheel *w, uint64_t now);

#endif
