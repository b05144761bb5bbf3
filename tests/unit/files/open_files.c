/* The table of open files: one descriptor for each file and version. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libsvc/files/open_files.h"
#include "tests/support/sandbox.h"

static char root[] = "/tmp/svc-open-XXXXXX";
static struct open_files *table;

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static void make_table(void)
{
    char path[128];
    cr_assert(mkdtemp(root));
    write_file("a", "first");
    snprintf(path, sizeof path, "%s/folder", root);
    cr_assert_eq(mkdir(path, 0700), 0);
    write_file("folder/b", "deep");
    table = svc__open_files_new(root);
    cr_assert(table);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void remove_table(void)
{
    svc__open_files_free(table);
    cr_expect_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TestSuite(files_open_files, .init = make_table, .fini = remove_table);

static struct open_file *get(const char *path)
{
    struct open_file *file = NULL;
    cr_assert_eq(svc__open_files_get(table, path, &file), FILE_FOUND, "%s", path);
    return file;
}

static void expect_text(const struct open_file *file, const char *text)
{
    char read[64] = "";
    cr_assert_geq(pread(file->shared.fd, read, sizeof read - 1, 0), 0);
    cr_expect_str_eq(read, text);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

Test(files_open_files, share_a_descriptor)
{
    struct open_file *files[100];
    struct open_file *first = get("a");
    unsigned before = count_descriptors();
    for (size_t i = 0; i < 100; i++) {
        files[i] = get("a");
        cr_expect_eq(files[i], first);
    }
    cr_expect_eq(count_descriptors(), before);
    for (size_t i = 0; i < 100; i++)
        files[i]->shared.release(&files[i]->shared);
    expect_text(first, "first");
    svc__open_files_unref(first);
}

Test(files_open_files, of_two_versions_have_two_descriptors)
{
    struct open_file *before = get("a");
    write_file("new", "second, which is longer");
    char from[128], to[128];
    snprintf(from, sizeof from, "%s/new", root);
    snprintf(to, sizeof to, "%s/a", root);
    cr_assert_eq(rename(from, to), 0);
    struct open_file *after = get("a");
    cr_expect_neq(after, before);
    expect_text(before, "first");
    expect_text(after, "second, which is longer");
    cr_expect_eq(get("a"), after);
    svc__open_files_unref(after);
    svc__open_files_unref(after);
    svc__open_files_unref(before);
}

/* A file that is open already is not served any more once its path leads to none. */
Test(files_open_files, that_have_gone_are_not_found)
{
    struct open_file *file = get("a"), *none;
    char path[128];
    snprintf(path, sizeof path, "%s/a", root);
    unlink(path);
    cr_expect_eq(svc__open_files_get(table, "a", &none), FILE_NONE);
    expect_text(file, "first");
    svc__open_files_unref(file);
}

Test(files_open_files, are_told_from_folders_and_others)
{
    struct open_file *none;
    char path[128];
    snprintf(path, sizeof path, "%s/fifo", root);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(svc__open_files_get(table, "folder", &none), FILE_FOLDER);
    cr_expect_eq(svc__open_files_get(table, "fifo", &none), FILE_NONE);
    cr_expect_eq(svc__open_files_get(table, "none", &none), FILE_NONE);
    cr_expect_eq(svc__open_files_get(table, "../a", &none), FILE_NONE);
}

/* Takes all descriptors that the process may have. */
static void take_descriptors(void)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 256;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        continue;
    cr_assert_eq(errno, EMFILE);
}

Test(files_open_files, have_descriptors_kept_for_them)
{
    take_descriptors();
    for (int round = 0; round < 100; round++) { /* more than there are spare ones */
        struct open_file *a = get("a"), *b = get("folder/b"), *none;
        expect_text(a, "first");
        expect_text(b, "deep");
        cr_expect_eq(svc__open_files_get(table, "folder", &none), FILE_FOLDER);
        svc__open_files_unref(a);
        svc__open_files_unref(b);
    }
}

Test(files_open_files, outlive_the_table_that_is_freed)
{
    struct open_file *file = get("a");
    svc__open_files_free(table);
    expect_text(file, "first");
    svc__open_files_unref(file); /* frees the table: the address sanitizer watches */
    table = NULL;
}

Test(files_open_files, are_found_where_a_sandbox_refuses_openat2)
{
    sandbox_refuse(SYS_openat2, EPERM);
    struct open_file *file = get("folder/b"), *none;
    expect_text(file, "deep");
    svc__open_files_unref(file);
    cr_expect_eq(svc__open_files_get(table, "folder/../../a", &none), FILE_NONE);
}

Test(files_open_files, have_a_tag_that_is_sought_once)
{
    struct open_file *file = get("a");
    struct tag_job jobs[3];
    bool first = false;
    cr_expect_null(svc__open_files_tag(file));
    cr_expect(!svc__open_files_ask_tag(file, &jobs[0], &first) && first);
    cr_expect(!svc__open_files_ask_tag(file, &jobs[1], &first) && !first);
    struct tag_job *waiting = svc__open_files_tagged(file, "tag", false);
    cr_expect(waiting && waiting->next && !waiting->next->next);
    cr_expect_null(svc__open_files_tag(file));
    cr_expect(!svc__open_files_ask_tag(file, &jobs[2], &first) && first);
    cr_expect_eq(svc__open_files_tagged(file, "tag", true), &jobs[2]);
    cr_expect_str_eq(svc__open_files_tag(file), "tag");
    cr_expect(svc__open_files_ask_tag(file, &jobs[0], &first));
    svc__open_files_unref(file);
}
