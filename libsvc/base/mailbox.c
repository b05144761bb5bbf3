/* The lock-free list behind a mailbox: pushed one by one in front, taken whole, then turned round.
 */
#include "libsvc/base/mailbox.h"

void svc__mailbox_init(struct mailbox *box)
{
    atomic_init(&box->latest, NULL);
}

/* The value of `latest` in a closed mailbox. */
static struct mail closed;

bool svc__mailbox_offer(struct mailbox *box, struct mail *mail, bool *first)
{
    struct mail *before = atomic_load_explicit(&box->latest, memory_order_relaxed);
    do {
        if (before == &closed)
            return false;
        mail->next = before;
    } while (!atomic_compare_exchange_weak_explicit(&box->latest, &before, mail,
                                                    memory_order_release, memory_order_relaxed));
    *first = before == NULL;
    return true;
}

bool svc__mailbox_post(struct mailbox *box, struct mail *mail)
{
    bool first;
    return svc__mailbox_offer(box, mail, &first) && first;
}

static struct mail *take_all(struct mailbox *box, struct mail *leave)
{
    struct mail *latest = atomic_exchange_explicit(&box->latest, leave, memory_order_acquire);
    struct mail *list = NULL;
    while (latest != NULL) {
        struct mail *mail = latest;
        latest = mail->next;
        mail->next = list;
        list = mail;
    }
    return list;
}

struct mail *svc__mailbox_take_all(struct mailbox *box)
{
    return take_all(box, NULL);
}

struct mail *svc__mailbox_close(struct mailbox *box)
{
    return take_all(box, &closed);
}
