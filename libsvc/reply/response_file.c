/* Bodies that are parts of files. */
#include "libsvc/reply/response_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "libsvc/base/least.h"
#include "libsvc/base/sized.h"
#include "libsvc/exchange/response_internal.h"

/* Settles the length of a part, which must lie within the file. */
static int measure(const svc_file *file, const struct stat *info, uint64_t *length)
{
    uint64_t size = (uint64_t)info->st_size;
    if (!S_ISREG(info->st_mode) || file->offset > size)
        return SVC_EINVAL;
    uint64_t left = size - file->offset;
    *length = file->length == SVC_LENGTH_UNKNOWN ? left : file->length;
    return *length <= left ? 0 : SVC_EINVAL;
}

int svc__response_file_set(svc_response *res, int status, const char *type, const svc_file *file,
                           const struct stat *info)
{
    uint64_t length;
    if (!res)
        return SVC_ENOMEM;
    if (status < 200 || status > 599)
        return SVC_EINVAL;
    int error = measure(file, info, &length);
    if (!error)
        error = svc__response_put_type(res, type);
    if (error)
        return error;
    svc__response_drop_body(res);
    res->status = status;
    res->body = (struct response_body){
        .kind = REPLY_FILE, .len = (size_t)length, .fd = file->fd, .offset = file->offset};
    return 0;
}

int svc__response_file_share(svc_response *res, int status, const char *type,
                             struct shared_fd *shared, uint64_t length)
{
    int error = svc_response_set_status(res, status);
    if (!error)
        error = svc__response_put_type(res, type);
    if (error)
        return error;
    svc__response_drop_body(res);
    res->body = (struct response_body){
        .kind = REPLY_FILE, .len = (size_t)length, .fd = shared->fd, .shared = shared};
    return 0;
}

int svc_response_fd(svc_response *res, int status, const char *type, const svc_file *file)
{
    struct stat info;
    svc_file own = SVC_FILE_INIT;
    if (SIZED_READ(&own, file, fd))
        return SVC_EINVAL;
    int error =
        fstat(own.fd, &info) ? SVC_ESYSTEM : svc__response_file_set(res, status, type, &own, &info);
    if (error && own.fd >= 0)
        close(own.fd);
    return error;
}

bool svc__response_file_whole(const svc_response *res)
{
    struct stat info;
    const struct response_body *body = &res->body;
    return !fstat(body->fd, &info) && (uint64_t)info.st_size >= body->offset + body->len;
}

/* A part of a file that is read here, and not sent by the kernel. */
struct file_source {
    int fd;
    struct shared_fd *shared;
    uint64_t begin, at, end;
};

/* A file that has become shorter is an error: the part that is left must not pass for the whole. */
static int64_t read_file(void *state, char *data, size_t len)
{
    struct file_source *file = state;
    uint64_t left = file->end - file->at;
    if (!left)
        return 0;
    ssize_t n = pread(file->fd, data, (size_t)svc__least_u64(len, left), (off_t)file->at);
    if (n <= 0)
        return SVC_ESYSTEM;
    file->at += (uint64_t)n;
    return n;
}

static int seek_file(void *state, uint64_t offset)
{
    struct file_source *file = state;
    file->at = file->begin + svc__least_u64(offset, file->end - file->begin);
    return 0;
}

static void close_file(void *state)
{
    const struct file_source *file = state;
    svc__shared_fd_end(file->fd, file->shared);
}

int svc__response_file_source(svc_response *res, svc_source *source)
{
    struct file_source *file = svc__arena_alloc(&res->exchange->arena, sizeof *file);
    if (!file)
        return SVC_ENOMEM;
    const struct response_body *body = &res->body;
    *file = (struct file_source){.fd = body->fd,
                                 .shared = body->shared,
                                 .begin = body->offset,
                                 .at = body->offset,
                                 .end = body->offset + body->len};
    *source = (svc_source)SVC_SOURCE_INIT;
    source->length = res->body.len;
    source->read = read_file;
    source->seek = seek_file;
    source->close = close_file;
    source->state = file;
    return 0;
}
