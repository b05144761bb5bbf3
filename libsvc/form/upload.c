/* Parts of a form that are saved to files. */
#include <errno.h>
#include <unistd.h>

#include <svc/log.h>

#include "libsvc/form/multipart_internal.h"
#include "libsvc/form/upload_file.h"
#include "libsvc/run/reactor.h"

struct svc_upload {
    svc_multipart *form;
    int fd;
    uint64_t size;
    struct bytes filename, type;
};

static void close_upload(void *arg)
{
    const svc_upload *upload = arg;
    close(upload->fd);
}

/* Fails the form by an errno, and logs it: a disk that is full is not the client's fault. */
static int fail_file(svc_multipart *form, int error)
{
    char text[128];
    const svc_kv where = svc_kv_str("folder", form->folder);
    const svc_kv reason = svc_kv_str("error", strerror_r(error, text, sizeof text));
    int status = svc__upload_file_status(error);
    svc_log_error(form->req, "a file of a form cannot be stored", where, reason);
    return svc__multipart_fail(form, SVC_ESYSTEM, status,
                               status == 507 ? "there is no room for the file" : NULL);
}

/* Makes the struct for the part, without a file yet. NULL when the form has failed. */
static svc_upload *make_upload(svc_multipart *form)
{
    struct arena *arena = &svc__exchange_of(form->req)->arena;
    const struct multipart_head *head = &form->parser.head;
    if (svc__multipart_charge(form, head->filename.len + head->type.len))
        return NULL;
    svc_upload *upload = svc__arena_zalloc(arena, sizeof *upload);
    struct bytes filename = svc__arena_copy(arena, head->filename);
    struct bytes type = svc__arena_copy(arena, head->type);
    if (!upload || !filename.data || !type.data) {
        svc__multipart_fail(form, SVC_ENOMEM, REFUSAL_NO_MEMORY);
        return NULL;
    }
    *upload = (svc_upload){form, -1, 0, filename, type};
    return upload;
}

/* Opens the file, which is closed when the exchange ends. 0, or the code of the form's failure. */
static int open_upload(svc_upload *upload)
{
    svc_multipart *form = upload->form;
    upload->fd = svc__upload_file_open(form->folder);
    if (upload->fd < 0)
        return fail_file(form, -upload->fd);
    if (!svc_request_add_cleanup(form->req, close_upload, upload))
        return 0;
    close(upload->fd);
    return svc__multipart_fail(form, SVC_ENOMEM, REFUSAL_NO_MEMORY);
}

static int write_upload(svc_upload *upload)
{
    const char *data;
    int64_t n;
    while ((n = svc_part_read(&upload->form->part, &data)) > 0) {
        int error = svc__upload_file_write(upload->fd, svc__bytes(data, (size_t)n));
        if (error)
            return fail_file(upload->form, error);
        upload->size += (uint64_t)n;
    }
    if (n == 0 && lseek(upload->fd, 0, SEEK_SET) < 0)
        return fail_file(upload->form, errno);
    return (int)n;
}

int svc_part_save(svc_part *part, svc_upload **upload)
{
    if (!part)
        return SVC_ENOMEM;
    svc_multipart *form = part->form;
    if (form->error || !form->folder)
        return form->error ? form->error : SVC_EINVAL;
    if (svc__reactor_on_loop())
        return SVC_ESTATE;
    svc_upload *made = make_upload(form);
    if (!made)
        return form->error;
    int error = open_upload(made);
    if (!error)
        error = write_upload(made);
    if (!error)
        *upload = made;
    return error;
}

int svc_upload_keep(svc_upload *upload, const char *name)
{
    if (!upload)
        return SVC_ENOMEM;
    if (!svc__upload_file_name_valid(name))
        return SVC_EINVAL;
    int error = svc__upload_file_link(upload->fd, upload->form->folder, name);
    if (error == EEXIST)
        return SVC_ECONFLICT;
    return error ? fail_file(upload->form, error) : 0;
}

int svc_upload_fd(const svc_upload *upload)
{
    return upload ? upload->fd : -1;
}

uint64_t svc_upload_size(const svc_upload *upload)
{
    return upload ? upload->size : 0;
}

const char *svc_upload_filename(const svc_upload *upload)
{
    return upload ? upload->filename.data : "";
}

const char *svc_upload_type(const svc_upload *upload)
{
    return upload ? upload->type.data : "text/plain";
}
