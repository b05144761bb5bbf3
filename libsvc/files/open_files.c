/* The files of a folder that are being served, with one descriptor for each file and version. */
#include "libsvc/files/open_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libsvc/base/open_beneath.h"
#include "libsvc/base/siphash.h"

enum {
    SLOTS = 256, /* a power of two */
    /* Descriptors that are kept for the time when the process has no other left: connections may
     * take all of them. They are for files that are open at once, and for looks at a path. */
    SPARES = 16,
    /* The kernel's clock for a file's times ticks 100 times a second or more often; network file
     * systems have clocks of their own. */
    FRESH_NS = 50000000,
    FILE_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
};

struct open_files {
    int root;
    struct siphash_key key; /* paths come from the network */
    pthread_mutex_t lock;
    struct open_file *slots[SLOTS];
    size_t count;
    int spares[SPARES];
    size_t spare_count;
    bool ended;
};

/* ---- Spare descriptors, under the lock */

static void fill_spares(struct open_files *table)
{
    while (table->spare_count < SPARES) {
        int fd = fcntl(table->root, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return;
        table->spares[table->spare_count++] = fd;
    }
}

/* Closes a descriptor that was opened with a spare one's place, and takes the place again. */
static void close_to_spare(struct open_files *table, int fd)
{
    if (table->spare_count < SPARES && dup3(table->root, fd, O_CLOEXEC) == fd)
        table->spares[table->spare_count++] = fd;
    else
        close(fd);
}

static bool lacks_descriptors(int error)
{
    return error == EMFILE || error == ENFILE;
}

static int open_file(struct open_files *table, const char *path, int flags)
{
    int fd = svc__open_beneath_at(table->root, path, flags);
    if (fd >= 0 || !lacks_descriptors(errno))
        return fd;
    pthread_mutex_lock(&table->lock);
    while (fd < 0 && lacks_descriptors(errno) && table->spare_count > 0) {
        close(table->spares[--table->spare_count]);
        fd = svc__open_beneath_at(table->root, path, flags);
    }
    int error = errno;
    pthread_mutex_unlock(&table->lock);
    errno = error;
    return fd;
}

static void close_file(struct open_files *table, int fd)
{
    pthread_mutex_lock(&table->lock);
    close_to_spare(table, fd);
    pthread_mutex_unlock(&table->lock);
}

/* ---- The table's life */

struct open_files *svc__open_files_new(const char *root)
{
    struct open_files *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (table->root < 0) {
        free(table);
        return NULL;
    }
    table->key = svc__siphash_key();
    pthread_mutex_init(&table->lock, NULL);
    fill_spares(table);
    return table;
}

static void destroy_table(struct open_files *table)
{
    while (table->spare_count > 0)
        close(table->spares[--table->spare_count]);
    close(table->root);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

void svc__open_files_free(struct open_files *table)
{
    if (!table)
        return;
    pthread_mutex_lock(&table->lock);
    table->ended = true;
    bool empty = table->count == 0;
    pthread_mutex_unlock(&table->lock);
    if (empty)
        destroy_table(table);
}

/* ---- References */

static void unlink_file(struct open_files *table, const struct open_file *file)
{
    struct open_file **at = &table->slots[file->slot];
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    table->count--;
}

void svc__open_files_unref(struct open_file *file)
{
    struct open_files *table = file->table;
    pthread_mutex_lock(&table->lock);
    bool last = --file->refs == 0;
    if (last) {
        unlink_file(table, file);
        close_to_spare(table, file->shared.fd);
    }
    bool ends = last && table->ended && table->count == 0;
    pthread_mutex_unlock(&table->lock);
    if (last)
        free(file);
    if (ends)
        destroy_table(table);
}

static void release_file(struct shared_fd *shared)
{
    svc__open_files_unref((struct open_file *)(void *)shared);
}

/* ---- Finding a file */

static struct file_version version_of(const struct stat *info)
{
    return (struct file_version){.device = info->st_dev,
                                 .inode = info->st_ino,
                                 .size = (uint64_t)info->st_size,
                                 .modified_s = info->st_mtim.tv_sec,
                                 .modified_ns = info->st_mtim.tv_nsec,
                                 .changed_s = info->st_ctim.tv_sec,
                                 .changed_ns = info->st_ctim.tv_nsec};
}

static bool same_version(const struct file_version *a, const struct file_version *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool svc__open_files_fresh(const struct open_file *file)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t seconds = now.tv_sec - file->version.changed_s;
    return seconds <= 1 && seconds * 1000000000 + now.tv_nsec - file->version.changed_ns < FRESH_NS;
}

static size_t path_slot(const struct open_files *table, const char *path)
{
    return svc__siphash(table->key, svc__bytes_z(path)) & (SLOTS - 1);
}

/* The newest open file of that path; of `version` if that is not NULL. With a reference. */
static struct open_file *find_file(struct open_files *table, size_t slot, const char *path,
                                   const struct file_version *version)
{
    struct open_file *file = table->slots[slot];
    while (file &&
           (strcmp(file->path, path) != 0 || (version && !same_version(&file->version, version))))
        file = file->next;
    if (file)
        file->refs++;
    return file;
}

/* Whether the path still leads to the file, as far as a look without a descriptor can tell. */
static bool is_current(const struct open_files *table, const struct open_file *file)
{
    struct stat info;
    if (fstatat(table->root, file->path, &info, AT_SYMLINK_NOFOLLOW))
        return false;
    const struct file_version version = version_of(&info);
    return same_version(&version, &file->version);
}

static struct open_file *find_current(struct open_files *table, size_t slot, const char *path)
{
    pthread_mutex_lock(&table->lock);
    struct open_file *file = find_file(table, slot, path, NULL);
    pthread_mutex_unlock(&table->lock);
    if (!file || is_current(table, file))
        return file;
    svc__open_files_unref(file);
    return NULL;
}

static struct open_file *make_file(struct open_files *table, size_t slot, const char *path, int fd,
                                   const struct file_version *version)
{
    size_t len = strlen(path);
    struct open_file *file = malloc(sizeof *file + len + 1);
    if (!file)
        return NULL;
    *file = (struct open_file){.shared = {.fd = fd, .release = release_file},
                               .version = *version,
                               .table = table,
                               .refs = 1,
                               .slot = slot};
    memcpy(file->path, path, len + 1);
    return file;
}

/* Puts a file that was just opened into the table, unless another thread was quicker: that thread's
 * is taken then. NULL when out of memory. `fd` is taken. */
static struct open_file *add_file(struct open_files *table, size_t slot, const char *path, int fd,
                                  const struct file_version *version)
{
    struct open_file *made = make_file(table, slot, path, fd, version);
    pthread_mutex_lock(&table->lock);
    struct open_file *file = made ? find_file(table, slot, path, version) : NULL;
    if (!made || file) {
        close_to_spare(table, fd);
    } else {
        file = made;
        file->next = table->slots[slot];
        table->slots[slot] = file;
        table->count++;
    }
    pthread_mutex_unlock(&table->lock);
    if (file != made)
        free(made);
    return file;
}

static enum file_found find_on_disk(struct open_files *table, size_t slot, const char *path,
                                    struct open_file **out)
{
    struct stat info;
    int fd = open_file(table, path, FILE_FLAGS);
    if (fd < 0)
        return svc__open_beneath_is_absent(errno) ? FILE_NONE : FILE_ERROR;
    bool known = !fstat(fd, &info);
    if (!known || !S_ISREG(info.st_mode)) {
        close_file(table, fd);
        return !known ? FILE_ERROR : S_ISDIR(info.st_mode) ? FILE_FOLDER : FILE_NONE;
    }
    const struct file_version version = version_of(&info);
    struct open_file *file = add_file(table, slot, path, fd, &version);
    if (!file) {
        errno = ENOMEM;
        return FILE_ERROR;
    }
    *out = file;
    return FILE_FOUND;
}

enum file_found svc__open_files_get(struct open_files *table, const char *path,
                                    struct open_file **file)
{
    size_t slot = path_slot(table, path);
    struct open_file *found = find_current(table, slot, path);
    if (!found)
        return find_on_disk(table, slot, path, file);
    *file = found;
    return FILE_FOUND;
}

int svc__open_files_folder(struct open_files *table, const char *path)
{
    return open_file(table, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool svc__open_files_look(struct open_files *table, const char *path, struct stat *info)
{
    int fd = open_file(table, path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool looked = !fstat(fd, info);
    close_file(table, fd);
    return looked;
}

bool svc__open_files_unchanged(const struct open_file *file)
{
    struct stat info;
    if (fstat(file->shared.fd, &info))
        return false;
    const struct file_version version = version_of(&info);
    return same_version(&version, &file->version);
}

/* ---- Tags of contents */

const char *svc__open_files_tag(struct open_file *file)
{
    return atomic_load(&file->tagged) ? file->tag : NULL;
}

bool svc__open_files_ask_tag(struct open_file *file, struct tag_job *job, bool *first)
{
    pthread_mutex_lock(&file->table->lock);
    bool known = atomic_load(&file->tagged);
    if (!known) {
        *first = !file->tagging;
        file->tagging = true;
        job->next = file->waiting;
        file->waiting = job;
    }
    pthread_mutex_unlock(&file->table->lock);
    return known;
}

struct tag_job *svc__open_files_tagged(struct open_file *file, const char *tag, bool keep)
{
    pthread_mutex_lock(&file->table->lock);
    struct tag_job *jobs = file->waiting;
    file->waiting = NULL;
    file->tagging = false;
    if (keep) {
        memcpy(file->tag, tag, strlen(tag) + 1);
        atomic_store(&file->tagged, true);
    }
    pthread_mutex_unlock(&file->table->lock);
    return jobs;
}
