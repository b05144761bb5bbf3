/* The lock-free list behind a mailbox: pushed one by one in front, taken whole, then turned round.
 */
#include "libsvc/base/mailbox.h"

void svc__mailbox_init(struct mailbox *box)
{
    atomic_init(&box->latest, NULL);
}

bool svc__mailbox_post(struct mailbox *box, struct mail *mail)
{
    struct mail *before = atomic_load_explicit(&box->latest, memory_order_relaxed);
    do {
        mail->next = before;
    } while (!atomic_compare_exchange_weak_explicit(&box->latest, &before, mail,
                                                    memory_order_release, memory_order_relaxed));
    return before == NULL;
}

struct mail *svc__mailbox_take_all(struct mailbox *box)
{
    struct mail *latest = atomic_exchange_explicit(&box->latest, NULL, memory_order_acquire);
    struct mail *list = NULL;
    while (latest != NULL) {
        struct mail *mail = latest;
        latest = mail->next;
        mail->next = list;
        list = mail;
    }
    return list;
}
