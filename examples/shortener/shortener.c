/*
 * The URL shortener over HTTP:
 *
 *     POST   /links          {"url": …}        201 with Location, and the link
 *     GET    /links/{code}                     the link, with the clicks so far
 *     GET    /{code}                           302 to the link's URL
 *
 * If the setting api_keys names keys, links are made and looked at by requests that have one of
 * them in the field Api-Key. With an Idempotency-Key a POST can be repeated. All state is in the
 * store.
 */
#define SVC_LOG_MODULE "shortener"
#include "shortener.h"

#include <stdio.h>
#include <string.h>

#include "follow.h"
#include "url.h"

static const svc_key caller_key = {"caller"}; /* whose limit counts: the API key */
static const svc_key owner_key = {"owner"};   /* whose idempotency keys are meant */

/* ---- Callers */

/* Whether the key is in a list with commas. The time that this takes does not depend on how much of
 * a key is right. */
static bool is_listed(const char *list, const char *key)
{
    size_t len = strlen(key);
    bool listed = false;
    while (*list) {
        size_t each = strcspn(list, ",");
        unsigned differs = each != len || len == 0;
        for (size_t i = 0; i < each; i++)
            differs |= (unsigned char)list[i] ^ (unsigned char)key[i < len ? i : 0];
        listed |= !differs;
        list += each + (list[each] == ',');
    }
    return listed;
}

/* Without keys everybody may make links: each client has a limit of its own then, but all together
 * are one caller to whom a repeated answer belongs. */
static int authenticate(svc_request *req, svc_response *res, const svc_layer *layer)
{
    static char everybody[] = "-";
    const struct shortener *shortener = layer->arg;
    char *key = (char *)(uintptr_t)svc_request_header(req, "Api-Key");
    if (!*shortener->api_keys)
        return svc_request_set(req, &owner_key, everybody);
    if (key && is_listed(shortener->api_keys, key)) {
        int error = svc_request_set(req, &caller_key, key);
        return error ? error : svc_request_set(req, &owner_key, key);
    }
    int error = svc_response_problem(res, 401, "the field Api-Key needs a key of this service");
    if (!error)
        error = svc_response_set_header(res, "WWW-Authenticate", "Api-Key");
    return error ? error : SVC_ANSWERED;
}

/* ---- Links */

struct draft {
    const char *url;
};

static const svc_field draft_fields[] = {
    SVC_FIELD_TEXT(struct draft, url, .required = true, .min_length = 1, .max_length = URL_MAX),
    SVC_FIELD_END};

static int answer_failure(svc_request *req, svc_response *res, int error)
{
    if (error == SVC_ENOTFOUND)
        return svc_response_problem(res, 404, "there is no such link");
    svc_log_warn(req, "the store has failed", svc_kv_str("error", svc_error_text(error)));
    error = svc_response_problem(res, 503, "the links cannot be reached now");
    return error ? error : svc_response_set_header(res, "Retry-After", "1");
}

static int answer_link(svc_response *res, int status, const char *code, const struct link *link)
{
    svc_json_writer *w = svc_response_json_begin(res, status);
    svc_json_open_object(w, NULL);
    svc_json_put_text(w, "code", code);
    svc_json_put_text(w, "url", link->url);
    svc_json_put_u64(w, "clicks", link->clicks);
    svc_json_put_time_s(w, "created", link->created);
    svc_json_close(w);
    return svc_response_json_end(w);
}

static int show(svc_request *req, svc_response *res)
{
    const struct shortener *shortener = svc_request_arg(req);
    const char *code = svc_request_param(req, "code");
    struct link link;
    int error =
        links_is_code(code) ? links_find(shortener->store, req, code, &link) : SVC_ENOTFOUND;
    return error ? answer_failure(req, res, error) : answer_link(res, 200, code, &link);
}

static int create(svc_request *req, svc_response *res)
{
    const struct shortener *shortener = svc_request_arg(req);
    svc_counter *const *counters = shortener->metrics.links;
    struct draft draft;
    if (!svc_request_bind(req, res, shortener->draft, &draft)) {
        svc_counter_add(counters[LINKS_REFUSED], 1);
        return 0;
    }
    const char *fault = url_fault(draft.url);
    if (fault) {
        const svc_violation violation = {.pointer = "#/url", .detail = fault};
        svc_counter_add(counters[LINKS_REFUSED], 1);
        return svc_response_violations(res, &violation, 1);
    }
    char code[CODE_LEN + 1], location[256];
    struct link link;
    int error = links_add(shortener->store, req, draft.url, svc_idempotency_id(req),
                          shortener_ttl_ms(shortener), code, &link);
    svc_counter_add(counters[error              ? LINKS_FAILED
                             : link.is_repeated ? LINKS_REPEATED
                                                : LINKS_CREATED],
                    1);
    if (error)
        return answer_failure(req, res, error);
    svc_log_info(req, "link made", svc_kv_str("code", code));
    snprintf(location, sizeof location, "%.200s/links/%s", svc_request_mount(req), code);
    error = answer_link(res, 201, code, &link);
    return error ? error : svc_response_set_header(res, "Location", location);
}

/* ---- The service */

/* Each caller's limit holds for all instances together. While the store fails, each of them decides
 * by itself. */
static const svc_middleware *limit_callers(svc_app *app, const struct shortener *shortener)
{
    const svc_rate_window window = {"links", LINKS_A_MINUTE, 60, LINKS_AT_ONCE};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = &window;
    limit.window_count = 1;
    limit.subject = &caller_key;
    limit.store = shortener->store;
    limit.on_store_failure = SVC_RATE_DECIDE;
    return svc_rate_limit_new(app, &limit);
}

/* A limit for each client, to protect an instance: a question to the store would cost more than
 * what it prevents. */
static const svc_middleware *limit_clients(svc_app *app)
{
    const svc_rate_window window = {"requests", REQUESTS_A_SECOND, 1, REQUESTS_AT_ONCE};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = &window;
    limit.window_count = 1;
    return svc_rate_limit_new(app, &limit);
}

static const svc_middleware *repeat_answers(svc_app *app, const struct shortener *shortener)
{
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.store = shortener->store;
    keys.subject = &owner_key;
    keys.flags = SVC_IDEMPOTENCY_BARE_KEYS;
    return svc_idempotency_new(app, &keys);
}

/* Its store is this process, so there is no other instance to wait for: no leases. */
static svc_memo *keep_links(svc_app *app)
{
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "links";
    options.ttl_ms = KEPT_MS;
    options.negative_ms = KEPT_UNKNOWN_MS;
    options.stale_error_ms = KEPT_WHILE_DOWN_MS;
    options.lease_ms = 0;
    options.retry_ms = 0;
    return svc_memo_new(app, svc_store_open(app, KEPT_LINKS), &options);
}

static void add_routes(svc_app *app, struct shortener *shortener)
{
    svc_middleware authentication = SVC_MIDDLEWARE_INIT;
    authentication.name = "authenticate";
    authentication.arg = shortener;
    authentication.on_request = authenticate;
    shortener->authentication = authentication;
    svc_group *links = svc_app_group(app, "/links");
    svc_group_set_flags(links, SVC_BLOCKING); /* they wait for the store on workers */
    svc_group_use(links, &shortener->authentication);
    svc_group_get(links, "/{code}", show, shortener);
    svc_group *makers = svc_group_group(links, "");
    svc_group_use(makers, limit_callers(app, shortener));
    svc_group_use(makers, repeat_answers(app, shortener));
    svc_group_post(makers, "", create, shortener);
    svc_app_get(app, "/{code}", follow, shortener);
}

svc_app *shortener_new(struct shortener *shortener)
{
    static const svc_setting settings[] = {
        SVC_SETTING_STRING(struct shortener, api_keys, "",
                           "Keys of those who make links, with commas; none: everybody",
                           .secret = true),
        SVC_SETTING_NUMBER(struct shortener, days, 0, 0, 366, "",
                           "Days that a link lives; 0: for ever"),
        SVC_SETTING_END};
    svc_app *app = svc_app_new("shortener");
    if (!app)
        return NULL;
    svc_app_describe(app, "Makes short links, redirects to where they lead, and counts that.");
    svc_app_add_settings(app, settings, shortener);
    shortener->store = svc_store_open(app, NULL);
    shortener->links = keep_links(app);
    shortener->draft = svc_schema_new(app, draft_fields, sizeof(struct draft), 0);
    metrics_register(&shortener->metrics, app);
    svc_app_use(app, limit_clients(app));
    add_routes(app, shortener);
    return app;
}
