#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libsvc/base/rand.h"

enum { ID = 16, IDS = 2000 };

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, ID);
}

static void expect_all_different(char (*ids)[ID], size_t count)
{
    qsort(ids, count, ID, compare);
    for (size_t i = 1; i < count; i++)
        cr_assert_neq(memcmp(ids[i - 1], ids[i], ID), 0, "an id came twice");
}

Test(base_rand, ids_differ)
{
    static char ids[IDS][ID];
    for (size_t i = 0; i < IDS; i++)
        svc__rand_bytes(ids[i], ID);
    expect_all_different(ids, IDS);
}

static void *draw(void *arg)
{
    char(*ids)[ID] = arg;
    for (size_t i = 0; i < IDS / 4; i++)
        svc__rand_bytes(ids[i], ID);
    return NULL;
}

Test(base_rand, threads_draw_different_ids)
{
    static char ids[IDS][ID];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, draw, ids[i * (IDS / 4)]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    expect_all_different(ids, IDS);
}

/* Sizes around the batch, with guard bytes on both sides: each byte is set at some time, none
 * outside ever. */
Test(base_rand, fills_exactly_what_was_asked)
{
    static const size_t sizes[] = {0, 1, 7, 255, 256, 257, 1000, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        unsigned char *out = malloc(n + 2), *seen = calloc(1, n + 1);
        for (int round = 0; round < 20; round++) {
            memset(out, 0xa5, n + 2);
            svc__rand_bytes(out + 1, n);
            cr_assert_eq(out[0], 0xa5);
            cr_assert_eq(out[n + 1], 0xa5);
            for (size_t i = 0; i < n; i++)
                seen[i] |= out[i + 1] != 0xa5;
        }
        for (size_t i = 0; i < n; i++)
            cr_assert(seen[i], "byte %zu of %zu is never set", i, n);
        free(out);
        free(seen);
    }
}

Test(base_rand, a_child_never_repeats_what_the_parent_draws)
{
    char child[64], parent[64], first[8];
    int fds[2];
    svc__rand_bytes(first, sizeof first); /* fills the buffer that the child then shares */
    cr_assert_eq(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        svc__rand_bytes(child, sizeof child);
        _exit(write(fds[1], child, sizeof child) == (ssize_t)sizeof child ? 0 : 1);
    }
    svc__rand_bytes(parent, sizeof parent);
    cr_assert_eq(read(fds[0], child, sizeof child), sizeof child);
    cr_expect_neq(memcmp(child, parent, sizeof child), 0);
    waitpid(pid, NULL, 0);
    close(fds[0]);
    close(fds[1]);
}
