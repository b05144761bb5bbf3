/* What a connection does to its memory, without libmicrohttpd. */
#include "libsvc/fronts/mhd/mhd_link.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct mhd_loop mhd;
static struct mhd_conn conn = {.mhd = &mhd};

/* Gives back the `size` bytes from `from` on of four pages of ones; expects zeros from `first` to
 * `last`, and ones around them. */
static void expect_rest(size_t from, size_t size, size_t first, size_t last)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), all = 4 * page;
    char *memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    memset(memory, 1, all);
    conn.base = memory + from;
    mhd.pool = size;
    svc__mhd_link_rest(&conn);
    for (size_t i = 0; i < all; i++)
        cr_assert_eq(memory[i], i < first || i >= last, "byte %zu of %zu from %zu", i, size, from);
    munmap(memory, all);
}

Test(mhd_link, pages_that_lie_whole_in_a_connection_s_memory_are_given_back)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    expect_rest(page, 2 * page, page, 3 * page);
    expect_rest(page + 1, 2 * page, 2 * page, 3 * page);
    expect_rest(page - 1, 2 * page, page, 2 * page);
    expect_rest(page - 1, 2 * page + 1, page, 3 * page);
    expect_rest(1, 2 * page - 2, 0, 0);
    expect_rest(page + 16, 100, 0, 0);
    expect_rest(page, page - 1, 0, 0);
}

Test(mhd_link, one_that_is_not_suspended_is_not_resumed)
{
    svc__mhd_link_resume(&conn);
    svc__mhd_link_called(&conn);
    cr_expect_not(conn.first);
    cr_expect_not(mhd.part.again);
    cr_expect_eq(conn.first_run, 0);
}
