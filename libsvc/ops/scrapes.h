/*
 * Requests for the page of metrics. The page is rendered on a worker of the admin listener, by one
 * of them at a time: all scrapes that have come by then share that page, so that many at
 * once cost as much as one, and each page has all that was counted before the request for it.
 */
#ifndef SVC_OPS_SCRAPES_H
#define SVC_OPS_SCRAPES_H

#include <svc/types.h>

#include "libsvc/ops/asked_gauges.h"

enum {
    SCRAPES_WAITING = 128, /* the most that wait for a page; further ones are answered 503 */
    /* The largest page: 10,000 histograms of 15 buckets with lines of 390 bytes. */
    SCRAPES_PAGE_BYTES = 64 << 20,
    SCRAPES_HELD_BYTES = 4 * SCRAPES_PAGE_BYTES /* of pages under way; beyond it new ones are 503 */
};

/*
 * Adds the page about `app` to `admin`, the app that answers, whose memory it uses, and registers
 * the metrics of scrapes in `app`. All is borrowed. 0, or SVC_ENOMEM.
 */
int svc__scrapes_add_page(svc_app *admin, svc_app *app, struct asked_gauges *gauges);

#endif
