#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "libsvc/base/mailbox.h"
#include "tests/support/large.h"

enum { POSTERS = 4, PER_POSTER = 20000 };

struct letter {
    struct mail mail; /* first, so that a mail is cast back to its letter */
    size_t poster, number;
};

Test(base_mailbox, an_empty_mailbox_gives_nothing)
{
    struct mailbox box;
    svc__mailbox_init(&box);
    cr_expect_null(svc__mailbox_take_all(&box));
}

Test(base_mailbox, mail_comes_in_posting_order_and_the_first_wakes)
{
    struct mailbox box = {NULL};
    struct mail mail[3];
    for (int round = 0; round < 2; round++) {
        cr_expect(svc__mailbox_post(&box, &mail[0]));
        cr_expect_not(svc__mailbox_post(&box, &mail[1]));
        cr_expect_not(svc__mailbox_post(&box, &mail[2]));
        struct mail *list = svc__mailbox_take_all(&box);
        for (int i = 0; i < 3; i++, list = list->next)
            cr_assert_eq(list, &mail[i]);
        cr_expect_null(list);
        cr_expect_null(svc__mailbox_take_all(&box));
    }
}

Test(base_mailbox, one_that_is_closed_gives_what_it_had_and_takes_nothing)
{
    struct mailbox box = {NULL};
    struct mail mail[3];
    bool first = false;
    cr_expect(svc__mailbox_is_empty(&box));
    cr_expect(svc__mailbox_offer(&box, &mail[0], &first) && first);
    cr_expect(svc__mailbox_offer(&box, &mail[1], &first) && !first);
    cr_expect_not(svc__mailbox_is_empty(&box));
    struct mail *list = svc__mailbox_close(&box);
    cr_expect_eq(list, &mail[0]);
    cr_expect_eq(list->next, &mail[1]);
    cr_expect_null(list->next->next);
    cr_expect_not(svc__mailbox_offer(&box, &mail[2], &first));
}

static struct mailbox shared;
static atomic_size_t wakes;

static void *post_all(void *arg)
{
    struct letter *mine = arg;
    for (size_t i = 0; i < PER_POSTER; i++) {
        mine[i].number = i;
        if (svc__mailbox_post(&shared, &mine[i].mail))
            atomic_fetch_add(&wakes, 1);
        if (i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

/* Each poster's letters come complete and in order, what was written in them before the post is
 * seen, and a non-empty take was announced by exactly one poster. */
Test(base_mailbox, threads_lose_nothing_and_keep_their_order)
{
    pthread_t threads[POSTERS];
    size_t next[POSTERS] = {0};
    size_t got = 0, takes = 0;
    struct letter(*letters)[PER_POSTER] = (void *)large(POSTERS * sizeof *letters);
    for (size_t i = 0; i < POSTERS; i++) {
        for (size_t k = 0; k < PER_POSTER; k++)
            letters[i][k].poster = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, post_all, letters[i]), 0);
    }
    while (got < (size_t)POSTERS * PER_POSTER) {
        struct mail *list = svc__mailbox_take_all(&shared);
        takes += list != NULL;
        for (; list != NULL; list = list->next, got++) {
            const struct letter *letter = (const struct letter *)list;
            cr_assert_eq(letter->number, next[letter->poster]++);
        }
    }
    for (size_t i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(atomic_load(&wakes), takes);
    cr_expect_null(svc__mailbox_take_all(&shared));
}
