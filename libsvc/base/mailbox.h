/*
 * The way by which other threads hand structs to an event loop: a list to which any thread may add
 * without a lock and which its owner takes whole.
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
 * Adds `mail`, which must be in no mailbox. The owner sees everything that the poster wrote before.
 * Returns true when the mailbox was empty: the poster then wakes the owner (through an eventfd,
 * say), which clears its wake-up before it takes the mail. Lock-free; any thread.
 */
bool svc__mailbox_post(struct mailbox *box, struct mail *mail);

/*
 * The same for a mailbox that its owner may close. Returns whether `mail` was added; `*first` is
 * then the result of svc__mailbox_post. Lock-free; any thread.
 */
bool svc__mailbox_offer(struct mailbox *box, struct mail *mail, bool *first);

/* Whether the mailbox is empty, which may change at once. Any thread. */
static inline bool svc__mailbox_is_empty(const struct mailbox *box)
{
    return atomic_load_explicit(&box->latest, memory_order_relaxed) == NULL;
}

/* Takes everything, as a list in posting order; NULL when empty. The owner's thread only. */
struct mail *svc__mailbox_take_all(struct mailbox *box);

/* Takes everything, and closes the mailbox: svc__mailbox_offer adds nothing from now on. The
 * owner's thread, once; of the other calls only svc__mailbox_offer is allowed then. */
struct mail *svc__mailbox_close(struct mailbox *box);

#endif
