/* Files without a name: nothing is left of them unless they are kept. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsvc/form/upload_file.h"

static char folder[] = "/tmp/upload-file-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void path_of(const char *name, char path[static PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

static void remove_folder(void)
{
    char path[PATH_MAX];
    path_of("kept", path);
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "something was left in %s", folder);
}

TestSuite(form_upload_file, .init = make_folder, .fini = remove_folder);

static size_t count_files(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

Test(form_upload_file, has_no_name_until_it_is_kept)
{
    char path[PATH_MAX];
    struct stat status;
    int fd = svc__upload_file_open(folder);
    cr_assert_geq(fd, 0, "%s", strerror(-fd));
    cr_expect_eq(svc__upload_file_write(fd, svc__bytes_z("abc")), 0);
    cr_expect_eq(svc__upload_file_write(fd, svc__bytes_z("")), 0);
    cr_expect_eq(count_files(), 0);
    cr_expect_eq(svc__upload_file_link(fd, folder, "kept"), 0);
    cr_expect_eq(count_files(), 1);
    close(fd);
    path_of("kept", path);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_size, 3);
    cr_expect_eq(status.st_mode & 07777, 0600);
}

Test(form_upload_file, does_not_replace_a_file)
{
    int fd = svc__upload_file_open(folder), other = svc__upload_file_open(folder);
    cr_assert(fd >= 0 && other >= 0);
    cr_expect_eq(svc__upload_file_link(fd, folder, "kept"), 0);
    cr_expect_eq(svc__upload_file_link(other, folder, "kept"), EEXIST);
    close(fd);
    close(other);
    cr_expect_eq(count_files(), 1);
}

Test(form_upload_file, reports_why_it_fails)
{
    cr_expect_eq(svc__upload_file_open("/nonexistent"), -ENOENT);
    cr_expect_eq(svc__upload_file_open("/proc"), -EOPNOTSUPP, "a file system without such files");
    cr_expect_eq(svc__upload_file_write(-1, svc__bytes_z("a")), EBADF);
    int fd = svc__upload_file_open(folder);
    cr_assert_geq(fd, 0);
    cr_expect_eq(svc__upload_file_link(fd, "/nonexistent", "kept"), ENOENT);
    close(fd);
}

Test(form_upload_file, ends_at_the_largest_size_and_leaves_nothing)
{
    static char block[8192];
    struct rlimit limit = {10000, 10000};
    signal(SIGXFSZ, SIG_IGN);
    int fd = svc__upload_file_open(folder);
    cr_assert_geq(fd, 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(svc__upload_file_write(fd, svc__bytes(block, sizeof block)), 0);
    cr_expect_eq(svc__upload_file_write(fd, svc__bytes(block, sizeof block)), EFBIG);
    close(fd);
    cr_expect_eq(count_files(), 0);
}

Test(form_upload_file, takes_names_that_are_no_path)
{
    static const char *const bad[] = {NULL, "", ".", "..", "a/b", "/a", "a/", "../a"};
    char longest[NAME_MAX + 2];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(svc__upload_file_name_valid(bad[i]));
    cr_expect(svc__upload_file_name_valid("a"));
    cr_expect(svc__upload_file_name_valid("..."));
    memset(longest, 'a', sizeof longest);
    longest[NAME_MAX + 1] = '\0';
    cr_expect_not(svc__upload_file_name_valid(longest));
    longest[NAME_MAX] = '\0';
    cr_expect(svc__upload_file_name_valid(longest));
}

Test(form_upload_file, has_a_status_for_each_failure)
{
    cr_expect_eq(svc__upload_file_status(ENOSPC), 507);
    cr_expect_eq(svc__upload_file_status(EDQUOT), 507);
    cr_expect_eq(svc__upload_file_status(EFBIG), 507);
    cr_expect_eq(svc__upload_file_status(EMFILE), 503);
    cr_expect_eq(svc__upload_file_status(ENOMEM), 503);
    cr_expect_eq(svc__upload_file_status(EIO), 500);
}
