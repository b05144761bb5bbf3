/* Files by their path. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <svc/cache.h>

#include "libsvc/base/open_beneath.h"
#include "libsvc/reply/response_file.h"

static int answer_absent(svc_response *res)
{
    return svc_response_problem(res, 404, "there is no such file");
}

int svc_response_file(svc_response *res, int status, const char *type, const char *root,
                      const char *path)
{
    struct stat info;
    svc_file file = SVC_FILE_INIT;
    if (!res)
        return SVC_ENOMEM;
    if (!path)
        return SVC_EINVAL;
    /* O_NONBLOCK, since a FIFO would hold the caller, and is no regular file anyway. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    file.fd = root ? svc__open_beneath(root, path, flags) : open(path, flags);
    if (file.fd < 0)
        return svc__open_beneath_is_absent(errno) ? answer_absent(res) : SVC_ESYSTEM;
    int error = fstat(file.fd, &info) ? SVC_ESYSTEM : 0;
    if (!error && !S_ISREG(info.st_mode)) {
        close(file.fd);
        return answer_absent(res);
    }
    if (!error)
        error = svc_response_set_modified(res, info.st_mtime);
    if (!error)
        error = svc__response_file_set(res, status, type, &file, &info);
    if (error)
        close(file.fd);
    return error;
}
