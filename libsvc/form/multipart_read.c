/* Reads a form from the body of its request: the parser's events become parts and their bytes. */
#include <svc/stream.h>

#include "libsvc/form/multipart_internal.h"

int svc__multipart_fail(svc_multipart *form, int error, int status, const char *detail)
{
    struct incoming_body *body = &svc__exchange_of(form->req)->body;
    if (form->error)
        return form->error;
    form->error = error;
    if (status) {
        body->refusal = (struct refusal){status, detail};
        body->refused = error;
    }
    return error;
}

int svc__multipart_charge(svc_multipart *form, size_t len)
{
    if (len > form->memory)
        return svc__multipart_fail(form, SVC_ETOOBIG, 413,
                                   "the form has more text than is kept of one");
    form->memory -= len;
    return 0;
}

/* Reads more of the body behind the bytes that the parser has left. 0, or a negative code. */
static int fill_window(svc_multipart *form, bool waits)
{
    size_t kept = form->in.len;
    if (kept > 0)
        memmove(form->window, form->in.data, kept);
    char *to = form->window + kept;
    size_t room = form->window_len - kept;
    int64_t n =
        waits ? svc_request_read(form->req, to, room) : svc_request_try_read(form->req, to, room);
    form->in = svc__bytes(form->window, kept + (n > 0 ? (size_t)n : 0));
    form->last = n == 0;
    return n < 0 ? (int)n : 0;
}

/* The parser's next event, for which bytes are read as they are needed. A negative code when that
 * or the parser fails. */
static int find_event(svc_multipart *form, bool waits)
{
    for (;;) {
        enum multipart_event event = svc__multipart_parse(&form->parser, &form->in, form->last);
        const struct refusal *why = &form->parser.why;
        if (event == MULTIPART_FAILED)
            return svc__multipart_fail(form, why->status == 413 ? SVC_ETOOBIG : SVC_ESYNTAX,
                                       why->status, why->detail);
        if (event != MULTIPART_MORE)
            return (int)event;
        int error = fill_window(form, waits);
        if (error)
            return error == SVC_EAGAIN ? error : svc__multipart_fail(form, error, 0, NULL);
    }
}

/* RFC 7578 4.6: the field names the charset of the others. */
static bool names_charset(const struct multipart_head *head)
{
    return !head->filename.data && svc__bytes_eq_z(head->name, "_charset_");
}

static void add_charset(svc_multipart *form)
{
    struct bytes data = form->parser.data;
    for (size_t i = 0; i < data.len && form->charset_len < sizeof form->charset; i++)
        form->charset[form->charset_len++] = data.data[i];
}

static int check_charset(svc_multipart *form)
{
    struct bytes charset = svc__bytes(form->charset, form->charset_len);
    form->charset_len = 0;
    if (svc__bytes_eq_nocase(charset, svc__bytes_z("utf-8")))
        return 0;
    return svc__multipart_fail(form, SVC_ESYNTAX, 415, "the _charset_ of the form is not UTF-8");
}

/* Takes an event on the way to the next part. 0, or a negative code. */
static int take_event(svc_multipart *form, int event)
{
    switch (event) {
    case MULTIPART_PART:
        form->place = names_charset(&form->parser.head) ? MULTIPART_IN_CHARSET : MULTIPART_IN_PART;
        return 0;
    case MULTIPART_DATA:
        if (form->place == MULTIPART_IN_CHARSET)
            add_charset(form);
        return 0;
    case MULTIPART_PART_END: {
        bool named = form->place == MULTIPART_IN_CHARSET;
        form->place = MULTIPART_BETWEEN;
        return named ? check_charset(form) : 0;
    }
    default:
        form->place = MULTIPART_OVER;
        return 0;
    }
}

int svc__multipart_step(svc_multipart *form, svc_part **part, bool waits)
{
    if (!form)
        return SVC_ENOMEM;
    bool begun = false;
    while (!form->error && form->place != MULTIPART_OVER && !begun) {
        int event = find_event(form, waits);
        if (event < 0)
            return event;
        if (take_event(form, event))
            break;
        begun = event == MULTIPART_PART && form->place == MULTIPART_IN_PART;
    }
    if (begun)
        *part = &form->part;
    return form->error ? form->error : begun;
}

int svc_multipart_next(svc_multipart *form, svc_part **part)
{
    return svc__multipart_step(form, part, true);
}

int svc_multipart_try_next(svc_multipart *form, svc_part **part)
{
    return svc__multipart_step(form, part, false);
}

static int64_t read_part(svc_part *part, const char **data, bool waits)
{
    if (!part)
        return SVC_ENOMEM;
    svc_multipart *form = part->form;
    if (form->error || form->place != MULTIPART_IN_PART)
        return form->error;
    int event = find_event(form, waits);
    if (event < 0)
        return event;
    take_event(form, event);
    if (event != MULTIPART_DATA)
        return 0;
    *data = form->parser.data.data;
    return (int64_t)form->parser.data.len;
}

int64_t svc_part_read(svc_part *part, const char **data)
{
    return read_part(part, data, true);
}

int64_t svc_part_try_read(svc_part *part, const char **data)
{
    return read_part(part, data, false);
}
