/* The notes service over HTTP. */
#ifndef NOTES_NOTES_H
#define NOTES_NOTES_H

#include <svc.h>

#include "store.h"

enum { MAX_TITLE = 200, MAX_TEXT = 16384, PAGE_DEFAULT = 20, PAGE_MAX = 100, MAX_NOTES = 10000 };

/* The rate limits of one client: requests in a second, and at once. */
enum { REQUESTS_A_SECOND = 100, REQUESTS_AT_ONCE = 200, WRITES_A_SECOND = 10, WRITES_AT_ONCE = 30 };

/* The service's settings and state. */
struct notes {
    uint64_t max_notes; /* a setting */
    struct store store;
    const svc_schema *draft, *page, *place;
};

/*
 * Makes the service, on the store of the setting SVC_STORE, with routes under /notes, a setting and
 * a readiness check; `notes`, which it fills, is borrowed by the app. It runs by itself, or mounted
 * on another app. NULL when out of memory.
 */
svc_app *notes_new(struct notes *notes);

#endif
