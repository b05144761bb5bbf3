/* The calls of svc/multipart.h on a whole form, and the options that it is read by. */
#include <svc/multipart.h>

#include "libsvc/base/sized.h"
#include "libsvc/base/utf8.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/form/multipart_internal.h"
#include "libsvc/proto/media.h"

/* Bytes of the body that are read at once, beside what a parser may have left. */
enum { MULTIPART_WINDOW = 64 << 10 };

static bool within(size_t number, size_t least, size_t most)
{
    return number >= least && number <= most;
}

/* ---- Beginning */

static int take_options(svc_multipart *form, const svc_multipart_options *given)
{
    svc_multipart_options options = SVC_MULTIPART_OPTIONS_INIT;
    int error = given ? SIZED_READ(&options, given, folder) : 0;
    if (error || !within(options.max_parts, 1, MULTIPART_PARTS) ||
        !within(options.max_head, 64, 32768) || options.max_name == 0 ||
        options.max_memory > (size_t)2 << 20)
        return SVC_EINVAL;
    form->folder = options.folder;
    form->memory = options.max_memory;
    form->limits = (struct multipart_limits){options.max_parts, options.max_head, options.max_name,
                                             options.max_field, options.max_file};
    return 0;
}

/* Sets where the bytes come from: a stream, by a window, or the body that is whole. */
static int open_source(svc_multipart *form, struct exchange *x)
{
    if (!x->body.stream) {
        const struct bytes body = form->req->body;
        form->in = body.data ? body : svc__bytes_z("");
        form->last = true;
        return 0;
    }
    size_t left = form->limits.head + 4 > MULTIPART_TAIL ? form->limits.head + 4 : MULTIPART_TAIL;
    form->window_len = MULTIPART_WINDOW + left;
    form->window = svc__arena_alloc(&x->arena, form->window_len);
    form->in = svc__bytes(form->window, 0);
    return form->window ? 0 : SVC_ENOMEM;
}

static void check_type(svc_multipart *form, char *text)
{
    const struct fields *fields = &form->req->fields;
    struct bytes type = svc__fields_value(fields, FIELD_CONTENT_TYPE);
    svc__multipart_begin(&form->parser, type, &form->limits, text);
    const struct refusal *why = &form->parser.why;
    if (!form->req->body_decoded && svc__media_is_coded(fields))
        svc__multipart_fail(form, SVC_ESYNTAX, REFUSAL_CODED);
    else if (svc__fields_repeats(fields, FIELD_CONTENT_TYPE))
        svc__multipart_fail(form, SVC_ESYNTAX, 400, "the Content-Type is repeated");
    else if (why->status)
        svc__multipart_fail(form, SVC_ESYNTAX, why->status, why->detail);
}

/* Makes the form; NULL when out of memory. */
static svc_multipart *begin_form(struct exchange *x, const svc_multipart_options *options)
{
    svc_multipart *form = svc__arena_zalloc(&x->arena, sizeof *form);
    if (!form)
        return NULL;
    form->req = &x->request;
    form->part.form = form;
    form->error = take_options(form, options);
    if (form->error)
        return form;
    char *text = svc__arena_alloc(&x->arena, form->limits.head + 1);
    if (!text || open_source(form, x))
        return NULL;
    check_type(form, text);
    return form;
}

svc_multipart *svc_request_multipart(svc_request *req, const svc_multipart_options *options)
{
    if (!req)
        return NULL;
    struct exchange *x = svc__exchange_of(req);
    svc_multipart *form = begin_form(x, options);
    if (!form) {
        x->body.refusal = (struct refusal){REFUSAL_NO_MEMORY};
        x->body.refused = SVC_ENOMEM;
    }
    return form;
}

/* ---- A part */

const char *svc_part_name(const svc_part *part)
{
    return part ? part->form->parser.head.name.data : "";
}

const char *svc_part_filename(const svc_part *part)
{
    return part ? part->form->parser.head.filename.data : NULL;
}

const char *svc_part_type(const svc_part *part)
{
    return part ? part->form->parser.head.type.data : "text/plain";
}

/* Reads the rest of the part to `out`, within the form's memory. */
static int read_bytes(svc_part *part, struct buf *out)
{
    const char *data;
    int64_t n;
    while ((n = svc_part_read(part, &data)) > 0) {
        if (svc__multipart_charge(part->form, (size_t)n))
            return part->form->error;
        svc__buf_append(out, data, (size_t)n);
    }
    if (n == 0 && svc__buf_error(out))
        return svc__multipart_fail(part->form, SVC_ENOMEM, REFUSAL_NO_MEMORY);
    return (int)n;
}

/* Copies bytes to the request's memory. 0 or the code of the form's failure. */
static int keep_bytes(svc_multipart *form, struct bytes bytes, struct bytes *out)
{
    struct bytes copy = svc__arena_copy(&svc__exchange_of(form->req)->arena, bytes);
    if (!copy.data)
        return svc__multipart_fail(form, SVC_ENOMEM, REFUSAL_NO_MEMORY);
    *out = copy;
    return 0;
}

int svc_part_bytes(svc_part *part, const char **data, size_t *len)
{
    if (!part)
        return SVC_ENOMEM;
    struct bytes copy = {NULL, 0};
    struct buf bytes;
    svc__buf_init(&bytes, part->form->memory);
    int error = read_bytes(part, &bytes);
    if (!error)
        error = keep_bytes(part->form, svc__buf_view(&bytes), &copy);
    svc__buf_free(&bytes);
    if (error)
        return error;
    *data = copy.data;
    if (len)
        *len = copy.len;
    return 0;
}

/* ---- The whole form */

static int collect_field(svc_part *part, struct bytes *value)
{
    int error = svc_part_bytes(part, &value->data, &value->len);
    if (error)
        return error;
    if (!svc__utf8_text(*value))
        return svc__multipart_fail(part->form, SVC_ESYNTAX, 400,
                                   "a field of the form is not UTF-8, or holds NUL");
    return 0;
}

static int collect_file(svc_part *part, svc_upload **upload)
{
    const char *data;
    if (!*svc_part_filename(part)) {
        /* No file was chosen, unless there are bytes. */
        int64_t n = svc_part_read(part, &data);
        if (n > 0)
            n = svc__multipart_fail(part->form, SVC_ESYNTAX, 400, "a file of the form has no name");
        return (int)n;
    }
    if (!part->form->folder)
        return svc__multipart_fail(part->form, SVC_ESYNTAX, 400,
                                   "the form has a file, and none is taken");
    return svc_part_save(part, upload);
}

/* Reads a part, and adds it to those that are kept. 0 or a negative code. */
static int keep_part(svc_multipart *form, svc_part *part, struct multipart_kept ***tail)
{
    const struct bytes name = form->parser.head.name;
    struct multipart_kept *kept =
        svc__arena_zalloc(&svc__exchange_of(form->req)->arena, sizeof *kept);
    if (!kept)
        return svc__multipart_fail(form, SVC_ENOMEM, REFUSAL_NO_MEMORY);
    int error = svc__multipart_charge(form, name.len);
    if (!error)
        error = keep_bytes(form, name, &kept->name);
    if (!error)
        error = svc_part_filename(part) ? collect_file(part, &kept->upload)
                                        : collect_field(part, &kept->value);
    if (!error && (kept->upload || kept->value.data)) {
        **tail = kept;
        *tail = &kept->next;
    }
    return error;
}

/* Makes the form of the fields that were kept. 0 or a negative code. */
static int list_fields(svc_multipart *form)
{
    struct arena *arena = &svc__exchange_of(form->req)->arena;
    const struct multipart_kept *kept;
    size_t count = 0;
    for (kept = form->kept; kept; kept = kept->next)
        count += !kept->upload;
    svc_form *fields = svc__arena_alloc(arena, sizeof *fields);
    struct param *list = svc__arena_alloc(arena, count * sizeof *list);
    if (!fields || !list)
        return svc__multipart_fail(form, SVC_ENOMEM, REFUSAL_NO_MEMORY);
    *fields = (svc_form){form->req, list, count};
    for (kept = form->kept; kept; kept = kept->next)
        if (!kept->upload)
            *list++ = (struct param){kept->name, kept->value, true};
    form->fields = fields;
    return 0;
}

int svc_multipart_collect(svc_multipart *form)
{
    if (!form)
        return SVC_ENOMEM;
    struct multipart_kept **tail = &form->kept;
    while (*tail)
        tail = &(*tail)->next;
    svc_part *part;
    int rc;
    while ((rc = svc_multipart_next(form, &part)) > 0) {
        int error = keep_part(form, part, &tail);
        if (error)
            return error;
    }
    return rc ? rc : list_fields(form);
}

const svc_form *svc_multipart_form(const svc_multipart *form)
{
    return form ? form->fields : NULL;
}

svc_upload *svc_multipart_upload(const svc_multipart *form, const char *name, size_t n)
{
    const struct multipart_kept *kept = form && name ? form->kept : NULL;
    for (; kept; kept = kept->next)
        if (kept->upload && svc__bytes_eq_z(kept->name, name) && n-- == 0)
            return kept->upload;
    return NULL;
}

int svc_multipart_answer(const svc_multipart *form, svc_response *res)
{
    if (!form || !form->error)
        return form ? SVC_ESTATE : svc_response_problem(res, REFUSAL_NO_MEMORY);
    const struct incoming_body *body = &svc__exchange_of(form->req)->body;
    if (body->refusal.status)
        return svc_response_problem(res, body->refusal.status, body->refusal.detail);
    switch (form->error) {
    case SVC_ETOOBIG:
        return svc_response_problem(res, REFUSAL_BODY_OVER);
    case SVC_ENOMEM:
        return svc_response_problem(res, REFUSAL_NO_MEMORY);
    case SVC_ECANCELLED:
        return svc_response_problem(res, 400, "the form did not come whole");
    default:
        return svc_response_problem(res, 500, NULL);
    }
}
