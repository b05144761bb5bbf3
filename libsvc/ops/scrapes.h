/*
 * Requests for the page of metrics. The page is rendered on a worker of the admin listener, by one
 * of them at a time: all scrapes that have come by then share what is rendered, so that many at
 * once cost as much as one, and each page has all that was counted before the request for it.
 */
#ifndef SVC_OPS_SCRAPES_H
#define SVC_OPS_SCRAPES_H

#include <stddef.h>

#include <svc/types.h>

#include "libsvc/ops/asked_gauges.h"

enum {
    SCRAPES_WAITING = 128, /* the most that wait for a page; further ones are answered 503 */
    /* The largest page: 10,000 histograms of 15 buckets with lines of 390 bytes. */
    SCRAPES_PAGE_BYTES = 64 << 20,
    SCRAPES_HELD_BYTES = 4 * SCRAPES_PAGE_BYTES /* of pages under way; beyond it new ones are 503 */
};

struct scrapes;

/*
 * Makes what the page of `app` needs, in the memory of `admin`, the app that answers, and registers
 * the metrics of scrapes in `app`. All is borrowed. NULL when out of memory.
 */
struct scrapes *svc__scrapes_new(svc_app *admin, svc_app *app, struct asked_gauges *gauges);

/* The handler of the page, whose argument is a struct scrapes. Not blocking. */
int svc__scrapes_answer(svc_request *req, svc_response *res);

#endif
