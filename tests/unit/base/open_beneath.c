/* The walk finds what openat2 finds, and nothing else. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libsvc/base/open_beneath.h"
#include "tests/support/sandbox.h"

enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK };

static char top[] = "/tmp/svc-beneath-XXXXXX";
static int top_fd, root_fd;
static char root[64];

static void write_file(const char *path)
{
    int fd = openat(top_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(write(fd, path, strlen(path)), (ssize_t)strlen(path));
    close(fd);
}

static void link_to(const char *text, const char *path)
{
    cr_assert_eq(symlinkat(text, top_fd, path), 0, "%s", path);
}

static void make_tree(void)
{
    static const char *const folders[] = {"root", "root/a", "root/a/b", "root/a/b/c", "outside"};
    cr_assert(mkdtemp(top));
    top_fd = open(top, O_PATH | O_CLOEXEC);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        cr_assert_eq(mkdirat(top_fd, folders[i], 0700), 0);
    write_file("root/f");
    write_file("root/a/f");
    write_file("root/a/b/c/f");
    write_file("secret");
    write_file("outside/f");
    link_to("f", "root/to_f");
    link_to("a/b", "root/to_b");
    link_to("a/b/", "root/to_b_slash");
    link_to("../../f", "root/a/b/up");
    link_to("../../../secret", "root/a/b/out");
    link_to("../secret", "root/out");
    link_to("../outside", "root/out_folder");
    link_to("../root/f", "root/out_and_in");
    link_to("/etc/passwd", "root/absolute");
    link_to("loop", "root/loop");
    link_to("to_f", "root/twice");
    link_to(".", "root/here");
    link_to("none", "root/dangling");
    link_to("/proc/self/fd/0", "root/magic");
    snprintf(root, sizeof root, "%s/root", top);
    root_fd = open(root, O_PATH | O_CLOEXEC);
}

static void remove_tree(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    cr_expect_eq(system(command), 0);
    close(top_fd);
    close(root_fd);
}

TestSuite(base_open_beneath, .init = make_tree, .fini = remove_tree);

static int by_kernel(const char *path)
{
    struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

static void compare(const char *path)
{
    struct stat want, got;
    int theirs = by_kernel(path), ours = svc__open_beneath_walk(root_fd, path, FLAGS);
    cr_assert_eq(theirs < 0, ours < 0, "%s: %d, %d", path, theirs, ours);
    if (theirs < 0)
        return;
    cr_assert(!fstat(theirs, &want) && !fstat(ours, &got));
    cr_assert(want.st_ino == got.st_ino && want.st_dev == got.st_dev, "%s", path);
    close(theirs);
    close(ours);
}

static bool kernel_has_it(void)
{
    int fd = by_kernel("f");
    close(fd);
    return fd >= 0;
}

Test(base_open_beneath, finds_what_the_kernel_finds)
{
    static const char *const paths[] = {
        "",
        ".",
        "f",
        "f/",
        "f/.",
        "./f",
        "//f",
        "/f",
        "a",
        "a/",
        "a//f",
        "a/./f",
        "a/../f",
        "a/b/../f",
        "..",
        "../root/f",
        "a/../../f",
        "to_f",
        "to_f/",
        "to_b/c/f",
        "to_b/../f",
        "to_b",
        "to_b_slash",
        "to_b_slash/c/f",
        "to_b/up",
        "to_b/out",
        "a/b/up",
        "a/b/out",
        "out",
        "out_folder",
        "out_folder/f",
        "out_and_in",
        "absolute",
        "loop",
        "loop/f",
        "twice",
        "here/f",
        "here/here/here/f",
        "dangling",
        "none",
        "none/f",
        "f/f",
        "magic",
        "a/b/c/../../../f",
        "a/b/c/../../../../root/f",
        "a/b/c/f/..",
        "...",
        "a/..",
    };
    if (!kernel_has_it())
        cr_skip_test("the kernel has no openat2, or it is refused");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        compare(paths[i]);
}

/* Paths of up to eight parts, of which most exist. */
Test(base_open_beneath, finds_the_same_on_any_way)
{
    static const char *const parts[] = {"a",    "b",    "c",  "f",    "..",         ".",
                                        "",     "to_b", "up", "out",  "..",         "out_folder",
                                        "here", "to_f", "a",  "loop", "to_b_slash", "absolute"};
    unsigned seed = 1;
    if (!kernel_has_it())
        cr_skip_test("the kernel has no openat2, or it is refused");
    for (int i = 0; i < 20000; i++) {
        char path[256], *to = path;
        for (int n = rand_r(&seed) % 8; n >= 0; n--) {
            to = stpcpy(to, parts[(unsigned)rand_r(&seed) % (sizeof parts / sizeof *parts)]);
            to = stpcpy(to, n ? "/" : "");
        }
        compare(path);
    }
}

static int error_of(const char *path)
{
    int fd = svc__open_beneath_walk(root_fd, path, FLAGS);
    int error = fd < 0 ? errno : 0;
    close(fd);
    return error;
}

Test(base_open_beneath, says_why_there_is_nothing)
{
    char long_name[NAME_MAX + 2], long_path[PATH_MAX + 1];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    memset(long_path, '/', sizeof long_path - 1);
    memcpy(long_path, "a", 1);
    long_path[sizeof long_path - 1] = '\0';
    cr_expect_eq(error_of("/f"), EXDEV);
    cr_expect_eq(error_of(".."), EXDEV);
    cr_expect_eq(error_of("out"), EXDEV);
    cr_expect_eq(error_of("absolute"), EXDEV);
    cr_expect_eq(error_of("none"), ENOENT);
    cr_expect_eq(error_of("f/f"), ENOTDIR);
    cr_expect_eq(error_of("loop"), ELOOP);
    cr_expect_eq(error_of(long_name), ENAMETOOLONG);
    cr_expect_eq(error_of(long_path), ENAMETOOLONG);
}

Test(base_open_beneath, what_a_path_may_cost_has_a_ceiling)
{
    char path[PATH_MAX], *to = path;
    for (int i = 0; i < 600; i++)
        to = stpcpy(to, "a/../");
    strcpy(to, "f");
    cr_expect_eq(error_of(path), ELOOP);
}

static void expect_without_openat2(unsigned error)
{
    sandbox_refuse(SYS_openat2, error);
    cr_assert_lt(by_kernel("f"), 0);
    cr_assert_eq(errno, (int)error);
    int fd = svc__open_beneath(root, "to_b/c/f", FLAGS);
    cr_expect_geq(fd, 0);
    close(fd);
    cr_expect_lt(svc__open_beneath(root, "out", FLAGS), 0);
    cr_expect_eq(errno, EXDEV);
}

Test(base_open_beneath, works_where_the_call_is_not_there)
{
    expect_without_openat2(ENOSYS);
}

Test(base_open_beneath, works_where_the_call_is_refused)
{
    expect_without_openat2(EPERM);
}

Test(base_open_beneath, works_where_the_call_is_refused_as_files_are)
{
    expect_without_openat2(EACCES);
}

Test(base_open_beneath, tells_a_file_that_is_absent_from_a_failure)
{
    cr_expect_lt(svc__open_beneath(root, "none", FLAGS), 0);
    cr_expect(svc__open_beneath_is_absent(errno));
    cr_expect_lt(svc__open_beneath(root, "out", FLAGS), 0);
    cr_expect(svc__open_beneath_is_absent(errno));
    cr_expect_not(svc__open_beneath_is_absent(EPERM));
    cr_expect_not(svc__open_beneath_is_absent(EMFILE));
}
