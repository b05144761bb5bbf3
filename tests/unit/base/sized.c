#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "libsvc/base/sized.h"

/* A struct of three releases. */
struct first {
    size_t size;
    uint64_t must;
};
struct second {
    size_t size;
    uint64_t must, may;
};
struct third {
    size_t size;
    uint64_t must, may, later;
};

static int read(struct second *own, const void *given)
{
    *own = (struct second){sizeof *own, 1, 2};
    return svc__sized_read(own, sizeof *own, SIZED_END(struct second, must), given);
}

Test(base_sized, of_an_older_release_has_the_defaults_for_what_it_does_not_say)
{
    struct second own;
    cr_expect_eq(read(&own, &(struct first){sizeof(struct first), 5}), 0);
    cr_expect(own.size == sizeof own && own.must == 5 && own.may == 2);
}

Test(base_sized, of_the_same_release_is_read_whole)
{
    struct second own;
    cr_expect_eq(read(&own, &(struct second){sizeof own, 5, 6}), 0);
    cr_expect(own.must == 5 && own.may == 6);
}

Test(base_sized, of_a_later_release_asks_for_nothing_that_is_not_known)
{
    struct second own;
    cr_expect_eq(read(&own, &(struct third){sizeof(struct third), 5, 6, 0}), 0);
    cr_expect(own.size == sizeof own && own.must == 5 && own.may == 6);
    cr_expect_eq(read(&own, &(struct third){sizeof(struct third), 7, 8, UINT64_C(1) << 56}),
                 SVC_EINVAL);
    cr_expect(own.must == 1 && own.may == 2, "nothing of it was taken");
}

Test(base_sized, without_what_must_be_there_is_refused)
{
    struct second own;
    char huge[SIZED_MAX + 8] = {0};
    const size_t sizes[] = {0, sizeof(size_t), SIZED_END(struct second, must) - 1,
                            sizeof(struct third) - 1, sizeof huge,
                            SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memcpy(huge, &sizes[i], sizeof *sizes);
        cr_expect_eq(read(&own, huge), SVC_EINVAL, "%zu", sizes[i]);
    }
    cr_expect_eq(read(&own, NULL), SVC_EINVAL);
    cr_expect(own.must == 1 && own.may == 2);
}

Test(base_sized, is_written_as_far_as_the_reader_has_room)
{
    const struct second own = {sizeof own, 5, 6};
    struct third shorter = {sizeof(struct first), 1, 2, 3}, longer = {sizeof longer, 1, 2, 3};
    cr_expect_eq(svc__sized_write(&shorter, SIZED_END(struct second, must), &own, sizeof own), 0);
    cr_expect(shorter.size == sizeof(struct first) && shorter.must == 5 && shorter.may == 2);
    cr_expect_eq(svc__sized_write(&longer, SIZED_END(struct second, must), &own, sizeof own), 0);
    cr_expect(longer.size == sizeof longer && longer.must == 5 && longer.may == 6 &&
              longer.later == 0);
    cr_expect_eq(svc__sized_write(NULL, 0, &own, sizeof own), SVC_EINVAL);
}
