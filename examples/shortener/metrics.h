/*
 * The service's own metrics, which /metrics shows beside those of the library:
 *
 *     shortener_links_total{result}        counter: requests to make a link
 *     shortener_redirects_total{result}    counter: links that were followed
 *     shortener_clicks_lost_total          counter: redirects that could not be counted in the
 * store
 */
#ifndef SHORTENER_METRICS_H
#define SHORTENER_METRICS_H

#include <svc.h>

enum links_result {
    LINKS_CREATED,
    LINKS_REPEATED, /* an earlier attempt of the same operation had made it */
    LINKS_REFUSED,  /* the URL cannot be that of a link */
    LINKS_FAILED,   /* the store has failed */
    LINKS_RESULTS
};

enum redirect_result { REDIRECT_FOUND, REDIRECT_UNKNOWN, REDIRECT_FAILED, REDIRECT_RESULTS };

/* The series are kept, so that counting is an addition. A series that is NULL counts nothing. */
struct metrics {
    svc_counter *links[LINKS_RESULTS];
    svc_counter *redirects[REDIRECT_RESULTS];
    svc_counter *lost;
};

/* Registers the metrics. A failure is a set-up error of the app. */
void metrics_register(struct metrics *metrics, svc_app *app);

#endif
