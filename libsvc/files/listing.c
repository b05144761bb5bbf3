/* What a folder has in it. */
#include "libsvc/files/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc/errors.h>

enum { MEMORY = 16 << 20 };

void svc__listing_free(struct listing *listing)
{
    svc__arena_reset(&listing->memory);
}

/* Looks at an entry. A link is opened beneath the root, since it may lead out of it. */
static bool look_at_entry(struct open_files *table, const char *path, int folder, const char *name,
                          struct stat *info)
{
    if (fstatat(folder, name, info, AT_SYMLINK_NOFOLLOW))
        return false;
    if (!S_ISLNK(info->st_mode))
        return true;
    char whole[PATH_MAX];
    size_t len = strlen(path), more = strlen(name);
    if (len + more + 2 > sizeof whole)
        return false;
    stpcpy(stpcpy(stpcpy(whole, path), len ? "/" : ""), name);
    return svc__open_files_look(table, whole, info);
}

static int add_entry(struct listing *listing, const char *name, const struct stat *info)
{
    struct listing_entry *entry = &listing->entries[listing->count];
    *entry =
        (struct listing_entry){.name = svc__arena_strndup(&listing->memory, name, strlen(name)),
                               .folder = S_ISDIR(info->st_mode),
                               .size = S_ISDIR(info->st_mode) ? 0 : (uint64_t)info->st_size,
                               .modified_s = info->st_mtim.tv_sec};
    if (!entry->name)
        return SVC_ENOMEM;
    listing->count++;
    return 0;
}

static int read_entries(struct listing *listing, struct open_files *table, const char *path,
                        DIR *dir)
{
    const struct dirent *at;
    int error = 0;
    while (!error && !listing->truncated && (at = readdir(dir))) {
        struct stat info;
        if (*at->d_name == '.' || strchr(at->d_name, '\\') ||
            !look_at_entry(table, path, dirfd(dir), at->d_name, &info) ||
            !(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
            continue;
        if (listing->count == LISTING_ENTRIES)
            listing->truncated = true;
        else
            error = add_entry(listing, at->d_name, &info);
    }
    return error;
}

int svc__listing_read(struct listing *listing, struct open_files *table, const char *path)
{
    int fd = svc__open_files_folder(table, path);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? SVC_EUNAVAILABLE
               : errno == ENOMEM || errno == EIO  ? SVC_ESYSTEM
                                                  : SVC_ENOTFOUND;
    *listing = (struct listing){.count = 0};
    svc__arena_init(&listing->memory, NULL, MEMORY);
    listing->entries =
        svc__arena_alloc(&listing->memory, LISTING_ENTRIES * sizeof *listing->entries);
    DIR *dir = fdopendir(fd);
    if (!dir)
        close(fd);
    int error = dir && listing->entries ? read_entries(listing, table, path, dir) : SVC_ENOMEM;
    if (dir)
        closedir(dir);
    if (error)
        svc__listing_free(listing);
    return error;
}

/* ---- Its order */

static int by_name(const void *a, const void *b)
{
    const struct listing_entry *left = a, *right = b;
    return left->folder != right->folder ? right->folder - left->folder
                                         : strcmp(left->name, right->name);
}

static int order_of(bool less, bool more, const void *a, const void *b)
{
    const struct listing_entry *left = a, *right = b;
    bool same = left->folder != right->folder || less == more;
    return same ? by_name(a, b) : less ? -1 : 1;
}

static int by_size(const void *a, const void *b)
{
    const struct listing_entry *left = a, *right = b;
    return order_of(left->size<right->size, left->size> right->size, a, b);
}

static int by_time(const void *a, const void *b)
{
    const struct listing_entry *left = a, *right = b;
    return order_of(left->modified_s<right->modified_s, left->modified_s> right->modified_s, a, b);
}

static void reverse(struct listing_entry *first, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct listing_entry kept = first[i];
        first[i] = first[count - 1 - i];
        first[count - 1 - i] = kept;
    }
}

void svc__listing_sort(struct listing *listing, enum listing_key key, bool descending)
{
    static int (*const orders[])(const void *, const void *) = {
        [LISTING_NAME] = by_name, [LISTING_SIZE] = by_size, [LISTING_MODIFIED] = by_time};
    size_t folders = 0;
    qsort(listing->entries, listing->count, sizeof *listing->entries, orders[key]);
    while (folders < listing->count && listing->entries[folders].folder)
        folders++;
    if (!descending)
        return;
    reverse(listing->entries, folders);
    reverse(listing->entries + folders, listing->count - folders);
}
