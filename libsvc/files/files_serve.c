/* The handler of files: from a path to the file, the folder or the page that answers. */
#include "libsvc/files/files_serve.h"

#include <errno.h>
#include <string.h>

#include <svc/log.h>

#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"
#include "libsvc/files/file_answer.h"
#include "libsvc/files/file_path.h"
#include "libsvc/files/file_tag.h"
#include "libsvc/files/listing_answer.h"
#include "libsvc/proto/accept_encoding.h"
#include "libsvc/proto/media.h"

static int answer_fault(const svc_request *req, svc_response *res)
{
    if (errno == EMFILE || errno == ENFILE)
        return svc__file_answer_busy(res);
    svc_log_error(req, "file cannot be served", svc_kv_str("error", strerror(errno)));
    return SVC_ESYSTEM;
}

/* ---- A file */

/* The sibling of the highest weight: the first of equal ones, and better than the file itself. */
static void prefer_sibling(const svc_request *req, const struct folder *folder,
                           struct chosen_file *chosen)
{
    static const struct {
        const char *suffix, *coding;
    } siblings[] = {{".br", "br"}, {".zst", "zstd"}, {".gz", "gzip"}};
    size_t len = strlen(chosen->path);
    unsigned best = svc__accept_encoding_weight(&req->fields, svc__bytes_z("identity"));
    int64_t modified_s = chosen->file->version.modified_s;
    char *path = svc__arena_alloc(&svc__exchange_of(req)->arena, len + 5);
    for (size_t i = 0; path && i < sizeof siblings / sizeof *siblings; i++) {
        struct bytes coding = svc__bytes_z(siblings[i].coding);
        unsigned weight = svc__accept_encoding_weight(&req->fields, coding);
        struct open_file *file;
        stpcpy(stpcpy(path, chosen->path), siblings[i].suffix);
        bool better = weight > best || (weight > 0 && weight == best && !chosen->coding);
        if (!better || svc__open_files_get(folder->open, path, &file) != FILE_FOUND)
            continue;
        if (file->version.modified_s < modified_s) { /* made from an older version */
            svc__open_files_unref(file);
            continue;
        }
        svc__open_files_unref(chosen->file);
        *chosen = (struct chosen_file){chosen->path, file, siblings[i].coding};
        best = weight;
    }
}

static int answer_file(svc_request *req, svc_response *res, const struct folder *folder,
                       const char *path, struct open_file *file)
{
    struct chosen_file chosen = {.path = path, .file = file};
    if (folder->options.precompressed)
        prefer_sibling(req, folder, &chosen);
    return folder->options.content_tags ? svc__file_tag_answer(req, res, folder, &chosen)
                                        : svc__file_answer(req, res, folder, &chosen, NULL);
}

/* ---- No file */

/* A navigation of a browser prefers a page; its requests for scripts, images and data do not. */
static bool prefers_page(const svc_request *req)
{
    return svc__media_accept_fields(&req->fields, "text", "html") >
           svc__media_accept_fields(&req->fields, "x", "any");
}

static int answer_none(svc_request *req, svc_response *res, const struct folder *folder)
{
    struct open_file *file;
    const char *fallback = folder->options.fallback;
    enum file_found found = FILE_NONE;
    int error = fallback ? svc__vary_merge(res, svc__bytes_z("Accept")) : 0;
    if (error)
        return error;
    if (fallback && prefers_page(req))
        found = svc__open_files_get(folder->open, fallback, &file);
    if (found == FILE_FOUND)
        return answer_file(req, res, folder, fallback, file);
    return found == FILE_ERROR ? answer_fault(req, res)
                               : svc_response_problem(res, 404, "there is no such file");
}

/* ---- A folder */

static int answer_slash(svc_request *req, svc_response *res)
{
    struct buf *location = svc__response_scratch(res);
    svc__buf_bytes(location, req->target.path);
    svc__buf_putc(location, '/');
    if (req->target.has_query) {
        svc__buf_putc(location, '?');
        svc__buf_bytes(location, req->target.query);
    }
    svc__buf_terminate(location);
    int error = svc__buf_error(location);
    if (!error)
        error = svc_response_redirect(res, 308, location->data);
    svc__response_scratch_done(res);
    return error;
}

/* The path of an index file, in the request's memory; NULL when out of memory. */
static char *join_paths(svc_request *req, const char *folder, const char *name)
{
    size_t len = strlen(folder);
    char *path = svc_request_alloc(req, len + strlen(name) + 2);
    if (path)
        stpcpy(stpcpy(stpcpy(path, folder), len ? "/" : ""), name);
    return path;
}

static int answer_folder(svc_request *req, svc_response *res, const struct folder *folder,
                         const char *path)
{
    static const char *const usual[] = {"index.html", NULL};
    const char *const *index = folder->options.index ? folder->options.index : usual;
    struct open_file *file;
    for (; *index; index++) {
        const char *whole = join_paths(req, path, *index);
        if (!whole)
            return SVC_ENOMEM;
        enum file_found found = svc__open_files_get(folder->open, whole, &file);
        if (found == FILE_FOUND)
            return answer_file(req, res, folder, whole, file);
        if (found == FILE_ERROR)
            return answer_fault(req, res);
    }
    return folder->options.listing ? svc__listing_answer(req, res, folder, path)
                                   : answer_none(req, res, folder);
}

int svc__files_serve(svc_request *req, svc_response *res)
{
    const struct folder *folder = svc_request_arg(req);
    struct bytes raw = req->match.params[req->match.count - 1].raw;
    struct open_file *file;
    bool is_folder;
    char *path = svc_request_alloc(req, raw.len + 1);
    if (!path)
        return SVC_ENOMEM;
    if (!svc__file_path_read(raw, path, &is_folder))
        return answer_none(req, res, folder);
    if (is_folder)
        return answer_folder(req, res, folder, path);
    switch (svc__open_files_get(folder->open, path, &file)) {
    case FILE_FOUND:
        return answer_file(req, res, folder, path, file);
    case FILE_FOLDER:
        return answer_slash(req, res);
    case FILE_NONE:
        return answer_none(req, res, folder);
    case FILE_ERROR:
        break;
    }
    return answer_fault(req, res);
}
