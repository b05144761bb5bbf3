/* Files that have no name until they are kept. */
#include "libsvc/form/upload_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* A kernel that does not know O_TMPFILE takes it for O_DIRECTORY, and some file systems report
 * other errors. */
int svc__upload_file_open(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    return errno == EISDIR || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

int svc__upload_file_write(int fd, struct bytes data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            data = svc__bytes(data.data + n, data.len - (size_t)n);
    }
    return 0;
}

bool svc__upload_file_name_valid(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= NAME_MAX && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* By /proc, since a link by the descriptor alone (AT_EMPTY_PATH) needs a capability before Linux
 * 6.10. That is tried for sandboxes without /proc. */
int svc__upload_file_link(int fd, const char *folder, const char *name)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int to = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return errno;
    int error = 0;
    if (linkat(AT_FDCWD, path, to, name, AT_SYMLINK_FOLLOW))
        error = errno;
    if (error == ENOENT || error == ENOTDIR)
        error = linkat(fd, "", to, name, AT_EMPTY_PATH) ? errno : 0;
    close(to);
    return error;
}

int svc__upload_file_status(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}
