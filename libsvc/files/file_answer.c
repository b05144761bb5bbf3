/* The reply that sends a file. */
#include "libsvc/files/file_answer.h"

#include <string.h>

#include "libsvc/base/siphash.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"
#include "libsvc/files/file_rule.h"
#include "libsvc/files/file_type.h"
#include "libsvc/proto/disposition.h"
#include "libsvc/proto/etag.h"
#include "libsvc/reply/response_file.h"

_Static_assert((int)FILE_TAG_SIZE > (int)ETAG_HASH_TEXT, "a tag has no room");

/* Device and inode say something about the machine, so the tag has a hash of them. */
static void write_version_tag(char out[static FILE_TAG_SIZE], const struct file_version *version)
{
    struct siphash hash;
    unsigned char bytes[SIPHASH_SIZE];
    svc__siphash_init(&hash, svc__siphash_known_key);
    svc__siphash_update(&hash, version, sizeof *version);
    svc__siphash_final(&hash, bytes);
    svc__etag_write_hash(out, bytes);
    out[ETAG_HASH_TEXT] = '\0';
}

static svc_validators validators_of(const struct open_file *file, const char *content_tag,
                                    char tag[static FILE_TAG_SIZE])
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    if (!content_tag) {
        write_version_tag(tag, &file->version);
        validators.weak = svc__open_files_fresh(file);
        validators.etag = tag;
    } else if (*content_tag) {
        validators.etag = content_tag;
    }
    validators.modified_s = file->version.modified_s;
    validators.length = file->version.size;
    return validators;
}

/* The type, with a charset where it is text, in the request's memory or static; NULL when out of
 * memory. */
static const char *write_type(svc_response *res, const struct folder *folder, const char *path)
{
    const svc_files *options = &folder->options;
    const char *type = svc__file_type_find(options->types, path);
    if (!type)
        return options->default_type ? options->default_type : "application/octet-stream";
    if (!options->charset || strncmp(type, "text/", 5) != 0 || strchr(type, ';'))
        return type;
    size_t size = strlen(type) + strlen("; charset=") + strlen(options->charset) + 1;
    char *text = svc__arena_alloc(&res->exchange->arena, size);
    if (text)
        stpcpy(stpcpy(stpcpy(text, type), "; charset="), options->charset);
    return text;
}

/* The fields that a 304 has as well. */
static int put_fields(svc_response *res, const struct folder *folder,
                      const struct chosen_file *chosen)
{
    const svc_cache_policy *policy = svc__file_rule_find(folder->options.rules, chosen->path);
    int error = policy ? svc_response_set_cache_control(res, policy) : 0;
    if (!error && folder->options.precompressed)
        error = svc__vary_merge(res, svc__bytes_z("Accept-Encoding"));
    return error;
}

static int put_name(svc_response *res, const struct folder *folder, const char *path)
{
    const char *downloads = folder->options.downloads;
    return downloads && svc__file_rule_matches(downloads, path)
               ? svc_response_set_attachment(res, path)
               : 0;
}

static int put_body(svc_response *res, const struct folder *folder,
                    const struct chosen_file *chosen)
{
    const char *type = write_type(res, folder, chosen->path);
    int error = type ? 0 : SVC_ENOMEM;
    if (!error && chosen->coding)
        error =
            svc__response_put(res, svc__bytes_z("Content-Encoding"), svc__bytes_z(chosen->coding));
    if (!error)
        error =
            svc__response_put(res, svc__bytes_z("X-Content-Type-Options"), svc__bytes_z("nosniff"));
    if (!error)
        error = put_name(res, folder, chosen->path);
    return error ? error
                 : svc__response_file_share(res, 200, type, &chosen->file->shared,
                                            chosen->file->version.size);
}

int svc__file_answer(svc_request *req, svc_response *res, const struct folder *folder,
                     const struct chosen_file *chosen, const char *content_tag)
{
    char tag[FILE_TAG_SIZE];
    const svc_validators validators = validators_of(chosen->file, content_tag, tag);
    int error = put_fields(res, folder, chosen);
    bool sends = !error && svc_request_check_conditions(req, res, &validators);
    if (sends)
        error = put_body(res, folder, chosen);
    if (!sends || error)
        svc__open_files_unref(chosen->file);
    return error;
}

int svc__file_answer_busy(svc_response *res)
{
    int error = svc__response_put(res, svc__bytes_z("Retry-After"), svc__bytes_z("1"));
    return error ? error : svc_response_problem(res, 503, "too many requests for files at once");
}

void svc__file_answer_end(svc_pending *pending, svc_response *res, int error)
{
    if (!error)
        svc_pending_complete(pending, res);
    else
        svc_response_free(res);
    svc_pending_unref(pending);
}

int svc_response_set_attachment(svc_response *res, const char *name)
{
    if (!res)
        return SVC_ENOMEM;
    struct bytes own = svc__disposition_name(svc__bytes_z(name));
    if (own.len == 0)
        return SVC_EINVAL;
    struct buf *text = svc__response_scratch(res);
    svc__disposition_write(text, own);
    svc__buf_terminate(text);
    int error = svc__buf_error(text);
    if (!error)
        error = svc_response_set_header(res, "Content-Disposition", text->data);
    svc__response_scratch_done(res);
    return error;
}
