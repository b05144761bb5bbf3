/* Replies that list a folder. */
#include "libsvc/files/listing_answer.h"

#include <stdlib.h>
#include <string.h>

#include <svc/pending.h>
#include <svc/request.h>

#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"
#include "libsvc/files/file_answer.h"
#include "libsvc/files/listing_text.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/uri.h"
#include "libsvc/run/workers.h"

enum { MOST_TEXT = 64 << 20 /* 10000 names of 255 bytes, each escaped to its longest form */ };

/* A request that waits for a listing. */
struct listing_wait {
    struct work work; /* first */
    svc_pending *pending;
    const struct folder *folder;
    enum listing_key key;
    bool descending, json;
    char path[];
};

static void render_listing(struct buf *out, const struct listing_wait *wait,
                           const struct listing *listing)
{
    const svc_request *req = svc_pending_request(wait->pending);
    struct bytes sent = svc__bytes_z(svc_request_path(req));
    struct buf path;
    svc__buf_init(&path, sent.len);
    char *to = svc__buf_reserve(&path, sent.len);
    if (to)
        path.len = svc__uri_decode(to, sent, false);
    if (wait->json)
        svc__listing_text_json(out, listing, svc__buf_view(&path));
    else
        svc__listing_text_html(out, listing, svc__buf_view(&path), !*wait->path);
    svc__buf_free(&path);
}

/* The page runs nothing and loads nothing, whatever the names are. */
static int put_listing(svc_response *res, const struct listing_wait *wait, struct listing *listing)
{
    struct buf text;
    svc__buf_init(&text, MOST_TEXT);
    svc__listing_sort(listing, wait->key, wait->descending);
    render_listing(&text, wait, listing);
    int error = svc__response_rendered(
        res, 200, wait->json ? "application/json" : "text/html; charset=utf-8", &text);
    svc__buf_free(&text);
    if (!error)
        error = svc__response_put(res, svc__bytes_z("Cache-Control"), svc__bytes_z("no-cache"));
    if (!error && !wait->json)
        error = svc__response_put(
            res, svc__bytes_z("Content-Security-Policy"),
            svc__bytes_z("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                         "form-action 'none'"));
    return error ? error
                 : svc__response_put(res, svc__bytes_z("X-Content-Type-Options"),
                                     svc__bytes_z("nosniff"));
}

static int answer_listing(svc_response *res, const struct listing_wait *wait)
{
    struct listing listing;
    int error = svc__vary_merge(res, svc__bytes_z("Accept"));
    if (!error)
        error = svc__listing_read(&listing, wait->folder->open, wait->path);
    if (error == SVC_ENOTFOUND)
        return svc_response_problem(res, 404, "there is no such file");
    if (error == SVC_EUNAVAILABLE)
        return svc__file_answer_busy(res);
    if (error)
        return error;
    error = put_listing(res, wait, &listing);
    svc__listing_free(&listing);
    return error;
}

static void run_listing(struct work *work, void *worker)
{
    struct listing_wait *wait = (struct listing_wait *)(void *)work;
    svc_response *res = svc_response_new();
    int error = !res ? SVC_ENOMEM : worker ? answer_listing(res, wait) : svc__file_answer_busy(res);
    svc__file_answer_end(wait->pending, res, error);
    free(wait);
}

/* The form and the order that the request asks for. */
static void read_wishes(svc_request *req, struct listing_wait *wait)
{
    const char *sort = svc_request_query(req, "sort"), *order = svc_request_query(req, "order");
    if (sort && !strcmp(sort, "size"))
        wait->key = LISTING_SIZE;
    if (sort && !strcmp(sort, "modified"))
        wait->key = LISTING_MODIFIED;
    wait->descending = order && !strcmp(order, "desc");
    wait->json = svc__media_accept_fields(&req->fields, "application", "json") >
                 svc__media_accept_fields(&req->fields, "text", "html");
}

int svc__listing_answer(svc_request *req, svc_response *res, const struct folder *folder,
                        const char *path)
{
    (void)res;
    size_t len = strlen(path);
    struct listing_wait *wait = malloc(sizeof *wait + len + 1);
    if (!wait)
        return SVC_ENOMEM;
    *wait = (struct listing_wait){.work.run = run_listing, .folder = folder};
    memcpy(wait->path, path, len + 1);
    read_wishes(req, wait);
    svc_request_path(req); /* while the request is this thread's: its copy is in the arena */
    wait->pending = svc_request_defer(req, NULL, NULL);
    if (!wait->pending) {
        free(wait);
        return SVC_ENOMEM;
    }
    if (svc__workers_submit(req->plan->workers, &wait->work))
        run_listing(&wait->work, NULL);
    return 0;
}
