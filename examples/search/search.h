/* The search service over HTTP. */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include "client.h"

enum { MAX_WORD = 100, HITS_DEFAULT = 10, HITS_MAX = 100, PAGE_NOTES = 20 };

/* The service's settings and state. */
struct search {
    const char *notes_url; /* settings */
    uint64_t max_pages;
    struct client *client; /* from the start hook to the stop hook */
    const svc_schema *question;
};

/* Makes the service; `search`, which it fills, is borrowed by the app. NULL when out of memory. */
svc_app *search_new(struct search *search);

#endif
