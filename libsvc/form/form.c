/* The calls of svc/form.h. */
#include "libsvc/form/form.h"

#include <svc/errors.h>
#include <svc/multipart.h>
#include <svc/request.h>
#include <svc/response.h>

#include "libsvc/base/least.h"
#include "libsvc/base/sized.h"
#include "libsvc/bind/bind.h"
#include "libsvc/bind/form_body.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/form/multipart_parser.h"
#include "libsvc/proto/media.h"

static bool is_within(size_t number, size_t most)
{
    return number >= 1 && number <= most;
}

/* Reads the program's limits over the defaults. */
static int read_limits(svc_form_options *limits, const svc_form_options *given)
{
    if (!given)
        return 0;
    int error = SIZED_READ(limits, given, max_fields);
    bool good = is_within(limits->max_fields, SVC_FORM_MAX_FIELDS) &&
                is_within(limits->max_bytes, SVC_FORM_MAX_BYTES);
    return error || good ? error : SVC_EINVAL;
}

static bool has_parts(const svc_request *req)
{
    struct media media;
    return !svc__media_parse(svc__fields_value(&req->fields, FIELD_CONTENT_TYPE), &media) &&
           svc__media_is(&media, "multipart", "form-data");
}

/* A form that a browser has sent as parts, as it does where the page says so, without files. */
static const svc_form *read_parts(svc_request *req, svc_response *res,
                                  const svc_form_options *limits)
{
    svc_multipart_options options = SVC_MULTIPART_OPTIONS_INIT;
    options.max_parts = svc__least(limits->max_fields, MULTIPART_PARTS);
    options.max_field = options.max_memory = limits->max_bytes;
    svc_multipart *form = svc_request_multipart(req, &options);
    if (!svc_multipart_collect(form))
        return svc_multipart_form(form);
    svc_multipart_answer(form, res);
    return NULL;
}

const svc_form *svc_request_form(svc_request *req, svc_response *res,
                                 const svc_form_options *options)
{
    svc_form_options limits = SVC_FORM_OPTIONS_INIT;
    svc_form *form = req && res ? svc_request_alloc(req, sizeof *form) : NULL;
    if (!form) {
        svc_response_problem(res, REFUSAL_NO_MEMORY);
        return NULL;
    }
    if (read_limits(&limits, options)) {
        svc_response_problem(res, 500, NULL);
        return NULL;
    }
    if (has_parts(req))
        return read_parts(req, res, &limits);
    form->req = req;
    return svc__form_body_read(req, res, &limits, &form->fields, &form->count) ? form : NULL;
}

const char *svc_form_value_nth(const svc_form *form, const char *name, size_t n)
{
    struct bytes wanted = svc__bytes_z(name);
    for (size_t i = 0; i < svc_form_count(form); i++)
        if (svc__bytes_eq(form->fields[i].name, wanted) && n-- == 0)
            return form->fields[i].value.data;
    return NULL;
}

const char *svc_form_value(const svc_form *form, const char *name)
{
    return svc_form_value_nth(form, name, 0);
}

size_t svc_form_count(const svc_form *form)
{
    return form ? form->count : 0;
}

int svc_form_at(const svc_form *form, size_t index, const char **name, const char **value)
{
    if (index >= svc_form_count(form))
        return SVC_ENOTFOUND;
    *name = form->fields[index].name.data;
    *value = form->fields[index].value.data;
    return 0;
}

bool svc_form_bind(const svc_form *form, svc_response *res, const svc_schema *schema, void *out)
{
    if (!res)
        return false;
    if (form)
        return svc__bind_params(form->req, res, schema, form->fields, form->count, out);
    svc_response_problem(res, REFUSAL_NO_MEMORY);
    return false;
}
