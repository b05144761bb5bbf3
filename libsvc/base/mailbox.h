/*
 * How other threads hand things to an event loop: a list that anyone may add to without a lock and
 * that its owner takes whole.
 */
#ifndef SVC_BASE_MAILBOX_H
#define SVC_BASE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A link, embedded in the posted struct. It belongs to the mailbox from post to take. */
struct mail {
    struct mail *next;
};

struct mailbox {
    _Atomic(struct mail *) latest;
};

/* Makes an empty mailbox. All zero is one too. */
void svc__mailbox_init(struct mailbox *box);

/*
 * Adds `mail`, which must be in no mailbox. Whatever the poster wrote before is seen by the taker.
 * Returns true when the mailbox was empty: the poster then wakes the owner (through an eventfd,
 * say), which clears its wake-up before it takes. Lock-free; any thread.
 */
bool svc__mailbox_post(struct mailbox *box, struct mail *mail);

/*
 * The same for a mailbox that its owner may close: whether `mail` was taken, and then in `*first`
 * what svc__mailbox_post returns. Lock-free; any thread.
 */
bool svc__mailbox_offer(struct mailbox *box, struct mail *mail, bool *first);

/* Whether nothing is there to be taken, which may change at once. Any thread. */
static inline bool svc__mailbox_is_empty(const struct mailbox *box)
{
    return atomic_load_explicit(&box->latest, memory_order_relaxed) == NULL;
}

/* Takes everything, as a list in posting order; NULL when empty. The owner's thread only. */
struct mail *svc__mailbox_take_all(struct mailbox *box);

/* Takes everything, and has svc__mailbox_offer take nothing from now on. The owner's thread, once;
 * the other calls, save that one, are over then. */
struct mail *svc__mailbox_close(struct mailbox *box);

#endif
