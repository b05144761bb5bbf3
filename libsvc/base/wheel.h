/*
 * A timing wheel for the deadlines of one thread's connections: arming, moving and disarming are
 * O(1), and a deadline that is moved on with every request costs one store.
 *
 * A timer fires never before its due time and at most one tick after it. Timers due beyond the
 * wheel's 32.8 seconds wait in its farthest slot and are filed again when that slot comes round.
 */
#ifndef LIBSVC_BASE_WHEEL_H
#define LIBSVC_BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WHEEL_TICK_MS = 64,
    WHEEL_SLOTS = 512,
    WHEEL_WORDS = WHEEL_SLOTS / 64 /* of the bitmap */
};

/* One deadline, embedded in what it is for. All zero is a disarmed timer. */
struct timer {
    struct timer *next;
    struct timer **prev; /* what points to this timer; NULL when disarmed */
    uint64_t due_ms;
    uint64_t tick; /* that of the slot it is filed under, never after due_ms rounded up */
};

/* The timers of one thread. Must not move in memory while timers are armed. */
struct wheel {
    uint64_t tick;              /* the last that was visited */
    uint64_t full[WHEEL_WORDS]; /* a bit for each slot that holds a timer */
    struct timer *visiting;     /* what is left of the slot that svc__wheel_expire is in */
    struct timer *slots[WHEEL_SLOTS];
};

/* Makes an empty wheel at the time `now_ms`, of the clock that all calls use (svc__clock_ms). */
void svc__wheel_init(struct wheel *w, uint64_t now_ms);

/* Whether the timer is armed. */
static inline bool svc__wheel_armed(const struct timer *t)
{
    return t->prev != NULL;
}

/* Arms the timer, or moves it when it is armed in this wheel. A time that has passed makes it fire
 * at the next tick. The timer is borrowed until it fires or is cancelled. */
void svc__wheel_set(struct wheel *w, struct timer *t, uint64_t due_ms);

/* Disarms the timer; nothing happens when it is not armed. */
void svc__wheel_cancel(struct wheel *w, struct timer *t);

/*
 * Disarms and returns one timer that is due at `now_ms`; NULL when there is none left. Between
 * calls any timer may be set or cancelled; one that is set to a time that has passed is not
 * returned again before a later tick, so that the caller's loop ends. In no particular order.
 */
struct timer *svc__wheel_expire(struct wheel *w, uint64_t now_ms);

/* Milliseconds from `now_ms` until svc__wheel_expire has something to look at (which may turn out
 * to be a timer that was moved on); 0 when it has now, -1 when no timer is armed. */
int svc__wheel_wait_ms(const struct wheel *w, uint64_t now_ms);

#endif
