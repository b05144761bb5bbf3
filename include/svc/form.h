/*
 * Forms: the fields of a body that a browser's form has sent, as texts or bound to a struct by a schema
 * (svc/bind.h).
 *
 *     const svc_form *form = svc_request_form(req, res, NULL);                  in a handler
 *     struct entry entry;
 *     if (!form || !svc_form_bind(form, res, schema, &entry))
 *         return 0;
 *
 * Beware: a page of any other site can make a browser send a form with the user's cookies. A handler that
 * acts on a form needs a check of its sender, such as a cookie with SameSite. docs/forms.md has a program.
 *
 * The calls are for the thread that runs the request's handler.
 */
#ifndef SVC_FORM_H
#define SVC_FORM_H

#include <svc/bind.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* The fields of a form, in the order of the body. Borrowed until the exchange ends. */
typedef struct svc_form svc_form;

enum {
    SVC_FORM_MAX_FIELDS = 20000, /* the most that max_fields may be */
    SVC_FORM_MAX_BYTES = 2097152 /* the most that max_bytes may be */
};

/* Limits of a form. Begin with SVC_FORM_OPTIONS_INIT. A form beyond a limit is answered 413. */
typedef struct svc_form_options {
    size_t size;       /* set by SVC_FORM_OPTIONS_INIT */
    size_t max_fields; /* 1 to SVC_FORM_MAX_FIELDS; default 10000 */
    size_t max_bytes;  /* of all fields as sent: 1 to SVC_FORM_MAX_BYTES; default 1 MiB. The body's limit,
                          max_body_bytes, applies before */
} svc_form_options;

#define SVC_FORM_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(svc_form_options), 10000, 1048576                                                   \
    }

/*
 * Reads the request's body as a form, application/x-www-form-urlencoded by the WHATWG URL standard: fields
 * between '&', name and value parted by the first '=', '+' a space. An empty name is a name. All texts are
 * UTF-8 without NUL. `options` may be NULL, for the defaults. Each call reads the body anew.
 *
 * A form without files may come as multipart/form-data too, of 10000 fields at most; it can be read once, and
 * is refused as svc/multipart.h says. One with a file is answered 400: svc/multipart.h takes it.
 *
 * When this returns NULL, `res` holds the answer, and the handler returns 0: 415 for a body of another type
 * or charset, and for a coded one (svc/decompress.h); 400 for a '%' without two hexadecimal digits behind it,
 * for NUL, and for bytes that are not UTF-8; 413 for more fields or bytes than the limits; 500 for wrong
 * options; 503 when out of memory. Since: 0.1
 */
SVC_API const svc_form *svc_request_form(svc_request *req, svc_response *res,
                                         const svc_form_options *options) SVC_MUST_CHECK;

/* The first value of `name`; "" for a field without '='; NULL when absent. Since: 0.1 */
SVC_API const char *svc_form_value(const svc_form *form, const char *name);

/* The n-th value of `name`, from 0, in the order of the body; NULL past the last. Since: 0.1 */
SVC_API const char *svc_form_value_nth(const svc_form *form, const char *name, size_t n);

/* The number of fields, repeated ones included. Since: 0.1 */
SVC_API size_t svc_form_count(const svc_form *form);

/* Field `index` in the order of the body. 0 with both outputs set, or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_form_at(const svc_form *form, size_t index, const char **name, const char **value);

/*
 * Binds the fields to the struct `out`, as svc_request_bind_query binds a query: repeated names fill an
 * array, and so does a name with "[]" behind it; for any other field a repeated name is a violation. The value
 * "on" of a checkbox is true, and a checkbox that is not sent is false. `out` is written only on success, as a
 * whole. When this returns false, `res` holds the answer, and the handler returns 0: 422 as for
 * svc_response_violations, with all violations, each with the name of its field; 503 when out of memory or
 * for a NULL form; 500 for a NULL schema, or one that contains objects or JSON. Since: 0.1
 */
SVC_API bool svc_form_bind(const svc_form *form, svc_response *res, const svc_schema *schema,
                           void *out) SVC_MUST_CHECK;

SVC_END_DECLS

#endif
