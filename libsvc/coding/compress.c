/* The way out through the compression layer: a reply's body is replaced by its coded form. */
#include "libsvc/coding/compress.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "libsvc/base/clock.h"
#include "libsvc/coding/coded_source.h"
#include "libsvc/coding/compress_choice.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"
#include "libsvc/proto/etag.h"

enum {
    WORTH_PARTS = 16, /* a body must shrink by one of so many parts */
    COPIED_AT_ONCE = 16384,
    FILE_SETTLED_S = 2 /* a file that was changed since may change again within its times' grain */
};

/* ---- Fields */

/* Marks a strong tag as weak: the coded bytes differ, and not even each time alike. */
static int weaken_tag(svc_response *res)
{
    struct etag tag;
    const struct field *field = svc__response_find(res, svc__bytes_z("ETag"));
    if (!field || svc__etag_parse(field->value, &tag) || tag.weak)
        return 0;
    char *text = svc__arena_alloc(&res->exchange->arena, tag.opaque.len + 3);
    if (!text)
        return SVC_ENOMEM;
    memcpy(text, "W/", 2);
    memcpy(text + 2, tag.opaque.data, tag.opaque.len);
    text[tag.opaque.len + 2] = '\0';
    return svc__response_put(res, svc__bytes_z("ETag"), svc__bytes(text, tag.opaque.len + 2));
}

static int mark_coded(svc_response *res, const struct coder *coder)
{
    svc_response_remove_header(res, "Accept-Ranges");
    int error =
        svc__response_put(res, svc__bytes_z("Content-Encoding"), svc__bytes_z(coder->coding->name));
    return error ? error : weaken_tag(res);
}

static int add_vary(svc_response *res)
{
    return svc__vary_merge(res, svc__bytes_z("Accept-Encoding"));
}

/* ---- Bodies at once */

/* A body on its way through: where it comes from, and its coded form. */
struct passing {
    struct compress_layer *layer;
    struct compress_choice choice;
    svc_response *res;
    int level;
    struct coded_key key; /* for the cache; without an origin, the body is not kept */
    struct bytes plain;
};

/* Compresses all of `plain` into the buffer. 0; SVC_EAGAIN if it does not get shorter than `most`.
 */
static int run_encoder(const struct passing *passing, void *encoder, size_t most, struct buf *out)
{
    char *room = svc__buf_reserve(out, most + SVC_SYS_CODING_ROOM);
    if (!room)
        return SVC_ENOMEM;
    svc_sys_coding_step step = {.size = sizeof step,
                                .input = passing->plain.data,
                                .input_len = passing->plain.len,
                                .output = room,
                                .output_len = most + SVC_SYS_CODING_ROOM};
    int error = passing->choice.coder->coding->encode(encoder, &step, SVC_SYS_CODING_END);
    size_t len = (size_t)(step.output - room);
    if (!error && len > most)
        return SVC_EAGAIN;
    out->len += error ? 0 : len;
    return error;
}

/* As run_encoder, with a context of the coder. */
static int code_at_once(const struct passing *passing, struct buf *out)
{
    void *encoder = NULL;
    struct coder *coder = passing->choice.coder;
    size_t len = passing->plain.len;
    /* Codings add little to bytes that do not shrink: a part in 1,000, and a frame. */
    size_t most = passing->choice.forced ? len + len / 64 + 1024 : len - len / WORTH_PARTS;
    svc_sys_coding_aim aim = {.size = sizeof aim, .level = passing->level, .length = len};
    int error = svc__coder_take(coder, &aim, &encoder);
    if (!error)
        error = run_encoder(passing, encoder, most, out);
    svc__coder_give(coder, false, encoder);
    return error;
}

/* Answers with a body of the cache, which is given back with the reply. */
static int send_kept(const struct passing *passing, struct coded_body *body)
{
    svc_response *res = passing->res;
    if (body->len == 0) {
        svc__coded_cache_release(body->data);
        return 0;
    }
    int error = mark_coded(res, passing->choice.coder);
    if (error) {
        svc__coded_cache_release(body->data);
        return error;
    }
    svc__response_drop_body(res);
    res->body = (struct response_body){.kind = REPLY_MEMORY,
                                       .data = body->data,
                                       .len = body->len,
                                       .release = svc__coded_cache_release};
    return 0;
}

static int send_rendered(const struct passing *passing, struct buf *coded)
{
    struct response_body plain = passing->res->body;
    int error = mark_coded(passing->res, passing->choice.coder);
    if (error)
        return error;
    passing->res->body = (struct response_body){.kind = REPLY_EMPTY};
    error = svc__response_rendered(passing->res, passing->res->status, NULL, coded);
    if (error)
        passing->res->body = plain;
    else
        svc__response_body_drop(&plain);
    return error;
}

/* Whether the coded form is put into the cache: at once, if the body lives as long as the program
 * or is small, else when it comes again, since its copy would cost a part of what compression does.
 */
static bool is_kept(const struct passing *passing)
{
    const struct response_body *plain = &passing->res->body;
    if (!passing->key.origin.data)
        return false;
    return !plain->release || plain->len <= COPIED_AT_ONCE ||
           passing->key.origin.data != plain->data ||
           svc__coded_cache_meet(passing->layer->cache, &passing->key);
}

/* Compresses the body, keeps the result if there is a cache, and answers with it. A body that does
 * not shrink, or for which there is no memory, stays as it is. */
static int send_new(const struct passing *passing)
{
    struct buf coded;
    struct coded_body *body = NULL;
    svc__response_scratch_take(passing->res, &coded);
    int error = code_at_once(passing, &coded);
    if ((!error || error == SVC_EAGAIN) && is_kept(passing))
        body = svc__coded_cache_put(passing->layer->cache, &passing->key, svc__buf_view(&coded));
    if (body)
        error = send_kept(passing, body);
    else if (error)
        error = passing->choice.forced ? error : 0;
    else
        error = send_rendered(passing, &coded);
    svc__response_scratch_give(passing->res, &coded);
    return error;
}

/* Looks for the coded form of `origin` in the cache, and notes the key. */
static struct coded_body *find_kept(struct passing *passing, unsigned kind, struct bytes origin)
{
    if (!passing->layer->cache || passing->choice.forced || !origin.data)
        return NULL;
    unsigned number = (unsigned)(passing->choice.coder - passing->layer->coders) + kind;
    passing->key = svc__coded_cache_key(passing->layer->cache, number, origin);
    return svc__coded_cache_find(passing->layer->cache, &passing->key);
}

/* ---- Files at once */

/* The parts of a file's state that change with its bytes. */
struct file_version {
    uint64_t device, inode, size, offset, length;
    int64_t changed_s, changed_ns, modified_s, modified_ns;
};

/* False: the file may have been changed a moment ago, so that another change might not show. */
static bool read_version(const svc_response *res, struct file_version *out)
{
    struct stat info;
    if (fstat(res->body.fd, &info))
        return false;
    *out = (struct file_version){.device = info.st_dev,
                                 .inode = info.st_ino,
                                 .size = (uint64_t)info.st_size,
                                 .offset = res->body.offset,
                                 .length = res->body.len,
                                 .changed_s = info.st_ctim.tv_sec,
                                 .changed_ns = info.st_ctim.tv_nsec,
                                 .modified_s = info.st_mtim.tv_sec,
                                 .modified_ns = info.st_mtim.tv_nsec};
    return (int64_t)(svc__clock_wall_us() / 1000000) - info.st_ctim.tv_sec >= FILE_SETTLED_S;
}

/* Reads all of a source of a known length. 0 or an error. */
static int read_whole(const svc_source *source, char *to, size_t len)
{
    for (size_t at = 0; at < len;) {
        int64_t n = source->read(source->state, to + at, len - at);
        if (n <= 0)
            return n < 0 ? (int)n : SVC_ESYSTEM;
        at += (size_t)n;
    }
    return 0;
}

/* Puts the file's part into memory as the body. */
static int load_file(svc_response *res, size_t len)
{
    svc_source source = SVC_SOURCE_INIT;
    char *data = malloc(len > 0 ? len : 1);
    if (!data || svc_response_take_source(res, &source)) {
        free(data);
        return SVC_ENOMEM;
    }
    int error = read_whole(&source, data, len);
    source.close(source.state);
    if (error) {
        free(data);
        return error;
    }
    res->body =
        (struct response_body){.kind = REPLY_MEMORY, .data = data, .len = len, .release = free};
    return 0;
}

static int code_file(struct passing *passing)
{
    struct file_version version;
    const char *settled = read_version(passing->res, &version) ? (const char *)&version : NULL;
    struct coded_body *body = find_kept(passing, CODINGS_MAX, svc__bytes(settled, sizeof version));
    if (body)
        return send_kept(passing, body);
    int error = load_file(passing->res, passing->res->body.len);
    if (error)
        return error;
    passing->plain = svc__bytes(passing->res->body.data, passing->res->body.len);
    return send_new(passing);
}

static int code_memory(struct passing *passing)
{
    passing->plain = svc__bytes(passing->res->body.data, passing->res->body.len);
    struct coded_body *body = find_kept(passing, 0, passing->plain);
    return body ? send_kept(passing, body) : send_new(passing);
}

/* ---- Bodies as they are sent */

static int64_t read_nothing(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return 0;
}

/* An answer to HEAD needs no context, since nobody reads its body. */
static int leave_out(struct passing *passing)
{
    svc_response *res = passing->res;
    if (res->body.kind == REPLY_SOURCE) {
        res->body.source.length = SVC_LENGTH_UNKNOWN;
    } else {
        svc_source source = SVC_SOURCE_INIT;
        source.read = read_nothing;
        svc__response_drop_body(res);
        res->body = (struct response_body){.kind = REPLY_SOURCE, .source = source};
    }
    return mark_coded(res, passing->choice.coder);
}

/* Puts a source in place of the body, which the pipe behind it goes on to feed. */
static int code_stream(struct passing *passing)
{
    svc_response *res = passing->res;
    svc_source inner = SVC_SOURCE_INIT, coded;
    struct response_pipe *pipe = res->pipe;
    int error = svc_response_take_source(res, &inner);
    if (error)
        return error;
    error = svc__coded_source_make(passing->choice.coder, passing->level, &res->exchange->arena,
                                   &inner, &coded);
    res->body = (struct response_body){.kind = REPLY_SOURCE, .source = error ? inner : coded};
    res->pipe = pipe;
    if (error)
        return passing->choice.forced ? error : 0;
    return mark_coded(res, passing->choice.coder);
}

/* ---- The layer */

/* How loaded this thread is, from 0 to 100: how late it is with the work of its turn. */
static unsigned find_load(const struct compress_layer *layer, const svc_response *res)
{
    uint64_t since_ns = res->exchange->host->turn_ns, busy_ms = layer->options.busy_ms;
    if (busy_ms == 0 || since_ns == 0)
        return 0;
    uint64_t now_ns = svc__clock_ns(), late_ns = now_ns > since_ns ? now_ns - since_ns : 0;
    uint64_t load = late_ns / (busy_ms * 10000);
    return load > 100 ? 100 : (unsigned)load;
}

static int code_body(struct passing *passing)
{
    const svc_response *res = passing->res;
    bool short_enough = res->body.len <= COMPRESS_AT_ONCE;
    passing->level = svc__coder_level(passing->choice.coder, find_load(passing->layer, res));
    if (res->body.kind == REPLY_MEMORY && short_enough)
        return code_memory(passing);
    if (res->body.kind == REPLY_FILE && short_enough)
        return code_file(passing);
    return svc__exchange_reply_bodiless(res->exchange) ? leave_out(passing) : code_stream(passing);
}

/*
 * A layer of conditions further in has compared the tag as the handler has set it. If the client
 * knows the weak form, its stored reply is one of those that this layer has compressed, and a cache
 * finds that only by the weak tag (RFC 9111 4.3.4).
 */
static int mark_not_modified(const svc_request *req, svc_response *res)
{
    struct etag own, known;
    const struct field *tag = svc__response_find(res, svc__bytes_z("ETag"));
    int error = add_vary(res);
    if (error || !tag || svc__etag_parse(tag->value, &own) || own.weak)
        return error;
    const struct field *field = NULL;
    while ((field = svc__fields_each(&req->fields, field, FIELD_IF_NONE_MATCH))) {
        struct bytes list = field->value;
        while (svc__etag_next(&list, &known) > 0)
            if (known.weak && svc__etag_equal(&known, &own, false))
                return weaken_tag(res);
    }
    return 0;
}

static int compress_reply(svc_request *req, svc_response *res, const svc_layer *given)
{
    struct passing passing = {.layer = given->arg, .res = res};
    if (res->status == 304)
        return mark_not_modified(req, res);
    passing.choice = svc__compress_choice_make(passing.layer, req, res);
    int error = passing.choice.varies ? add_vary(res) : 0;
    if (error || !passing.choice.coder)
        return error;
    return code_body(&passing);
}

void svc__compress_prepare(struct compress_layer *layer)
{
    layer->middleware = (svc_middleware){.size = sizeof layer->middleware,
                                         .name = "compress",
                                         .arg = layer,
                                         .on_response = compress_reply};
}
