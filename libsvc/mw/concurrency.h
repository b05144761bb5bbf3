/* The concurrency limit as a middleware: the part that its constructor and its phases share. */
#ifndef SVC_MW_CONCURRENCY_H
#define SVC_MW_CONCURRENCY_H

#include <svc/concurrency.h>
#include <svc/metric.h>
#include <svc/middleware.h>

#include "libsvc/base/bytes.h"
#include "libsvc/store/permits.h"

/* A limit of an app, in the app's memory. */
struct concurrency {
    struct permits permits; /* first, for its alignment */
    svc_middleware middleware;
    bool counts;                /* requests in flight are limited */
    uint64_t max_queue_ns;      /* 0: no limit */
    struct bytes retry_after;   /* "none": not sent */
    struct bytes problem, text; /* the two forms of a refusal's body */
    int (*priority)(svc_request *req, void *arg);
    void *arg;
    svc_gauge *in_flight, *limit_now;
};

/* Fills in the middleware, after the other members. */
void svc__concurrency_prepare(struct concurrency *concurrency);

#endif
