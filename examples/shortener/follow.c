/*
 * A visit needs the link, which a memo of this process has or a worker reads from the shared store,
 * and then a click in the shared store. Its answer comes after both, so that each client that was
 * redirected is counted.
 */
#define SVC_LOG_MODULE "shortener"
#include "follow.h"

#include "shortener.h"

struct visit {
    struct shortener *shortener;
    svc_pending *pending;
    const char *code;
    struct link link;
};

/* ---- The end of a visit */

/* Ends a visit; `res` may be NULL, which is answered 500. */
static void end_visit(struct visit *visit, svc_response *res, enum redirect_result result)
{
    svc_pending *pending = visit->pending; /* the visit's memory is the request's */
    svc_counter_add(visit->shortener->metrics.redirects[result], 1);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static void refuse_visit(struct visit *visit, int error)
{
    svc_response *res = svc_response_new();
    if (error == SVC_ENOTFOUND) {
        svc_response_problem(res, 404, "there is no such link");
        end_visit(visit, res, REDIRECT_UNKNOWN);
        return;
    }
    svc_log_warn(svc_pending_request(visit->pending), "link not read",
                 svc_kv_str("error", svc_error_text(error)));
    svc_response_problem(res, 503, "the links cannot be read now");
    svc_response_set_header(res, "Retry-After", "1");
    end_visit(visit, res, REDIRECT_FAILED);
}

/* No cache may answer in place of the service, which would not count then. */
static void redirect_visit(struct visit *visit)
{
    svc_response *res = svc_response_new();
    svc_response_redirect(res, 302, visit->link.url);
    svc_response_set_header(res, "Cache-Control", "no-store");
    end_visit(visit, res, REDIRECT_FOUND);
}

/* ---- The click */

/* Who follows a link wants to get there, also while the store cannot count. */
static void on_counted(const svc_store_answer *answer, void *arg)
{
    struct visit *visit = arg;
    if (answer->error)
        svc_counter_add(visit->shortener->metrics.lost, 1);
    redirect_visit(visit);
}

/* ---- The link */

/* Reads a record from the shared store. On a worker, in whose course no request is. */
static int load_link(svc_memo_load *load, const char *key, void *arg)
{
    const struct shortener *shortener = arg;
    svc_store_value value;
    int error = svc_store_get(shortener->store, NULL, key, &value);
    if (error)
        return error;
    error = svc_memo_load_value(load, value.data, value.len);
    svc_store_value_free(&value);
    return error;
}

static void on_link(const svc_store_answer *answer, void *arg)
{
    struct visit *visit = arg;
    const struct shortener *shortener = visit->shortener;
    svc_request *req = svc_pending_request(visit->pending);
    char key[LINK_KEY];
    int error = answer->error ? answer->error : links_read(answer->value.data, &visit->link);
    if (error) {
        refuse_visit(visit, error);
        return;
    }
    links_clicks_key(key, visit->code);
    error = svc_store_increment_then(shortener->store, req, key, 1, shortener_ttl_ms(shortener),
                                     on_counted, visit);
    if (error)
        on_counted(&(svc_store_answer){.error = error}, visit);
}

int follow(svc_request *req, svc_response *res)
{
    struct shortener *shortener = svc_request_arg(req);
    const char *code = svc_request_param(req, "code");
    if (!links_is_code(code)) {
        svc_counter_add(shortener->metrics.redirects[REDIRECT_UNKNOWN], 1);
        return svc_response_problem(res, 404, "there is no such link");
    }
    struct visit *visit = svc_request_alloc(req, sizeof *visit);
    svc_pending *pending = visit ? svc_request_defer(req, NULL, NULL) : NULL;
    if (!pending)
        return SVC_ENOMEM;
    char key[LINK_KEY];
    *visit = (struct visit){.shortener = shortener, .pending = pending, .code = code};
    links_key(key, code);
    int error = svc_memo_get_then(shortener->links, req, key, load_link, shortener, on_link, visit);
    if (error)
        refuse_visit(visit, error);
    return 0;
}
