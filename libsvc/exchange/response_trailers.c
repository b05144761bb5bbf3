/* The fields behind a reply's body. */
#include "libsvc/exchange/response_trailers.h"

#include "libsvc/proto/trailer.h"
#include "libsvc/run/reactor.h"

/* They are kept as a response that has nothing but fields. */
struct svc_trailers {
    svc_response list;
};

static void append_asked(svc_response *res, struct trailers_asked *asked)
{
    struct trailers_asked **last = &res->on_trailers;
    while (*last)
        last = &(*last)->next;
    *last = asked;
}

void svc__response_trailers_move(svc_response *to, svc_response *from)
{
    append_asked(to, from->on_trailers);
    from->on_trailers = NULL;
}

int svc_response_on_trailers(svc_response *res, svc_trailers_fn *fn, void *arg)
{
    if (!res)
        return SVC_ENOMEM;
    if (!fn)
        return SVC_EINVAL;
    struct trailers_asked *asked = svc__arena_alloc(&res->exchange->arena, sizeof *asked);
    if (!asked)
        return SVC_ENOMEM;
    *asked = (struct trailers_asked){fn, arg, NULL};
    append_asked(res, asked);
    return 0;
}

int svc_trailers_add(svc_trailers *out, const char *name, const char *value)
{
    if (!out)
        return SVC_ENOMEM;
    if (!name || !svc__trailer_allowed(svc__bytes_z(name)))
        return SVC_EINVAL;
    return svc_response_add_header(&out->list, name, value);
}

const svc_response *svc__response_trailers_ask(struct exchange *x)
{
    svc_trailers *out = svc__arena_zalloc(&x->arena, sizeof *out);
    int error = out ? 0 : SVC_ENOMEM;
    if (out)
        out->list.exchange = x;
    for (struct trailers_asked *at = x->response.on_trailers; at && !error; at = at->next) {
        int code = at->fn(out, at->arg);
        error = code < 0 ? code : 0;
    }
    svc__watchdog_look(&x->home->loop->watchdog, WATCHED_SOURCE, x->request.route);
    if (!error)
        return &out->list;
    svc_log_error(&x->request, "response cannot be ended",
                  svc_kv_str("error", svc_error_text(error)), svc_kv_str("where", "trailers"));
    return NULL;
}
