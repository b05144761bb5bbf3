#include "libsvc/coding/context_pool.h"

#include <criterion/criterion.h>

static int ended;

static void end(void *context)
{
    (void)context;
    ended++;
}

Test(coding_context_pool, keeps_what_is_given_up_to_its_size)
{
    static char contexts[CONTEXT_SPARES + 3];
    struct context_pool pool;
    svc__context_pool_init(&pool, end);
    cr_expect_null(svc__context_pool_take(&pool));
    svc__context_pool_give(&pool, NULL);
    for (size_t i = 0; i < sizeof contexts; i++)
        svc__context_pool_give(&pool, &contexts[i]);
    cr_expect_eq(ended, 3);
    bool seen[sizeof contexts] = {false};
    for (size_t i = 0; i < CONTEXT_SPARES - 2; i++) {
        char *context = svc__context_pool_take(&pool);
        cr_assert_not_null(context);
        cr_expect_not(seen[context - contexts]);
        seen[context - contexts] = true;
    }
    svc__context_pool_free(&pool);
    cr_expect_eq(ended, 5);
    cr_expect_null(svc__context_pool_take(&pool));
}
