/* The notes service over HTTP. */
#ifndef NOTES_NOTES_H
#define NOTES_NOTES_H

#include <svc.h>

#include "store.h"

enum { MAX_TITLE = 200, MAX_TEXT = 16384, PAGE_DEFAULT = 20, PAGE_MAX = 100 };

/* What one client may ask in a second, and how much of it at once. */
enum { REQUESTS_A_SECOND = 100, REQUESTS_AT_ONCE = 200, WRITES_A_SECOND = 10, WRITES_AT_ONCE = 30 };

/* Registers the routes under /notes, and a readiness check. `store` is borrowed by the app. */
void notes_register(svc_app *app, struct store *store);

#endif
