#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
    static const size_t sizes[] = {0, 1, 7, 1023, 1024, 1025, 3000, 100000};
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

/* Has the kernel refuse two system calls to this process from now on. */
static bool refuse_calls(unsigned first, unsigned second)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { DIFFERENT, REPEATED, NOT_REFUSED };

static int draw_without(unsigned first, unsigned second)
{
    static char ids[100][ID];
    if (!refuse_calls(first, second))
        return NOT_REFUSED;
    for (size_t i = 0; i < 100; i++)
        svc__rand_bytes(ids[i], ID);
    qsort(ids, 100, ID, compare);
    for (size_t i = 1; i < 100; i++)
        if (memcmp(ids[i - 1], ids[i], ID) == 0)
            return REPEATED;
    return DIFFERENT;
}

static void expect_ids_without(unsigned first, unsigned second)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(draw_without(first, second));
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_REFUSED)
        cr_skip_test("this system has no seccomp");
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == DIFFERENT);
}

Test(base_rand, ids_differ_also_without_getrandom)
{
    expect_ids_without(SYS_getrandom, SYS_getrandom);
}

Test(base_rand, ids_differ_also_without_any_random_device)
{
    expect_ids_without(SYS_getrandom, SYS_openat);
}
