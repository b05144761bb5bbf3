/* Paths beneath a folder: the kernel resolves them as a whole, or else they are walked here. */
#include "libsvc/base/open_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    MAX_LINKS = 40,  /* as the kernel's */
    MAX_STEPS = 1024 /* of a walk, which ".." begins again: bounds the cost of a path */
};

struct walk {
    int root, at;                       /* `at` is the folder reached, owned unless it is `root` */
    char done[PATH_MAX + 1];            /* the parts that lead to `at`, each with its slash */
    char rest[PATH_MAX + NAME_MAX + 2]; /* the path that is still to be walked */
    int links, steps;
};

static int fail_with(int error)
{
    errno = error;
    return -1;
}

static void move_to(struct walk *walk, int fd)
{
    int saved = errno;
    if (walk->at != walk->root)
        close(walk->at);
    walk->at = fd;
    errno = saved;
}

/* Puts `text`, with a slash if it must be a folder, before the path that is still to be walked. */
static int prepend(struct walk *walk, const char *text, size_t len, bool folder)
{
    size_t left = strlen(walk->rest), all = len + folder;
    if (all + left >= PATH_MAX)
        return fail_with(ENAMETOOLONG);
    memmove(walk->rest + all, walk->rest, left + 1);
    memcpy(walk->rest, text, len);
    if (folder)
        walk->rest[len] = '/';
    return 0;
}

/* Goes to the parent by walking from the root again without the last part: a folder that was moved
 * meanwhile has another parent than the one it was reached by. */
static int step_up(struct walk *walk)
{
    size_t len = strlen(walk->done);
    if (len == 0)
        return fail_with(EXDEV);
    for (len--; len > 0 && walk->done[len - 1] != '/';)
        len--;
    if (len > 0 && prepend(walk, walk->done, len - 1, true))
        return -1;
    walk->done[0] = '\0';
    move_to(walk, walk->root);
    return 0;
}

/* Replaces a link's name by its text. `link` is closed. */
static int follow(struct walk *walk, int link, bool folder)
{
    char text[PATH_MAX];
    ssize_t len = readlinkat(link, "", text, sizeof text);
    int error = errno;
    close(link);
    if (len < 0)
        return fail_with(error);
    if (len == 0)
        return fail_with(ENOENT);
    if (*text == '/')
        return fail_with(EXDEV);
    if (++walk->links > MAX_LINKS || len == sizeof text)
        return fail_with(ELOOP);
    return prepend(walk, text, (size_t)len, folder);
}

static int enter(struct walk *walk, int folder, const char *name, size_t len)
{
    size_t before = strlen(walk->done);
    if (before + len + 1 > PATH_MAX) {
        close(folder);
        return fail_with(ENAMETOOLONG);
    }
    memcpy(walk->done + before, name, len);
    memcpy(walk->done + before + len, "/", 2);
    move_to(walk, folder);
    return 0;
}

/* Takes the next part off the rest. `*last`: no text follows it, not even a slash. */
static size_t take_name(struct walk *walk, char name[static NAME_MAX + 1], bool *last)
{
    size_t len = strcspn(walk->rest, "/"), slashes = strspn(walk->rest + len, "/");
    *last = slashes == 0;
    if (len <= NAME_MAX) {
        memcpy(name, walk->rest, len);
        name[len] = '\0';
    }
    memmove(walk->rest, walk->rest + len + slashes, strlen(walk->rest + len + slashes) + 1);
    return len;
}

/* Walks one part. 0: go on; 1: `*fd` is the result; -1: it failed, with errno. */
static int step(struct walk *walk, int flags, int *fd)
{
    char name[NAME_MAX + 1];
    struct stat info;
    bool last;
    size_t len = take_name(walk, name, &last);
    if (len > NAME_MAX)
        return fail_with(ENAMETOOLONG);
    if (!strcmp(name, ".."))
        return step_up(walk);
    if (len == 0 || !strcmp(name, "."))
        return 0;
    int found = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (found < 0)
        return -1;
    if (fstat(found, &info)) {
        int error = errno;
        close(found);
        return fail_with(error);
    }
    if (S_ISLNK(info.st_mode))
        return follow(walk, found, !last);
    if (!last && S_ISDIR(info.st_mode))
        return enter(walk, found, name, len);
    close(found);
    if (!last)
        return fail_with(ENOTDIR);
    *fd = openat(walk->at, name, flags | O_NOFOLLOW);
    return *fd < 0 ? -1 : 1;
}

int svc__open_beneath_walk(int root, const char *path, int flags)
{
    struct walk walk;
    size_t len = strlen(path);
    int fd = -1, result = 0;
    if (len == 0)
        return fail_with(ENOENT);
    if (*path == '/')
        return fail_with(EXDEV);
    if (len >= PATH_MAX)
        return fail_with(ENAMETOOLONG);
    walk.root = walk.at = root;
    walk.links = walk.steps = 0;
    walk.done[0] = '\0';
    memcpy(walk.rest, path, len + 1);
    while (!result && *walk.rest)
        result = ++walk.steps > MAX_STEPS ? fail_with(ELOOP) : step(&walk, flags, &fd);
    if (!result)
        fd = openat(walk.at, ".", flags);
    move_to(&walk, root);
    return fd;
}

/* Whether openat2 itself may have failed: the kernel lacks it, a sandbox refuses it, or a folder
 * was renamed meanwhile (EAGAIN). The walk then finds the files' own errors. */
static bool is_refused(int error)
{
    return error == ENOSYS || error == EPERM || error == EACCES || error == EAGAIN;
}

int svc__open_beneath_at(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 && is_refused(errno) ? svc__open_beneath_walk(root, path, flags) : fd;
}

int svc__open_beneath(const char *root, const char *path, int flags)
{
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    int fd = svc__open_beneath_at(folder, path, flags);
    int saved = errno;
    close(folder);
    errno = saved;
    return fd;
}

bool svc__open_beneath_is_absent(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case ELOOP:
    case ENAMETOOLONG:
    case EXDEV:
    case ENXIO:
        return true;
    default:
        return false;
    }
}
