/*
 * The conformance suite of stores: the promises of svc/store.h, tried on a store by its calls
 * alone. It is installed as source, so that the author of a backend (svc/sys/store.h)
 * compiles it into a test program of any kind, with that program's compiler and sanitizers:
 *
 *     cc -pthread test_mine.c $(pkg-config --variable=conformance libsvc)/store.c $(pkg-config
 * --libs libsvc)
 *
 *     svc_app *app = svc_app_new("conformance");
 *     mine_add(app);
 *     int failures = svc_store_conformance_both(app, "mine://…", stdout);
 *     svc_app_free(app);
 *     return failures > 0;
 *
 * Its keys begin with "conformance/" and a number of their own, so that it can run on a server that
 * others use.
 */
#ifndef SVC_CONFORMANCE_STORE_H
#define SVC_CONFORMANCE_STORE_H

#include <stdio.h>

#include <svc/app.h>
#include <svc/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Runs all tests on a store that is open, and has room for 4 MB and a max_value of at least 100000.
 * `out` gets a line for each test, and one for each promise that is not kept. Returns the number of
 * these; 1 for NULL. Where the store's clock cannot be set (svc_test_store_age), it waits for time
 * to pass, for less than ten seconds in all. A thread that may block, and is no event loop's.
 */
int svc_store_conformance(svc_store *store, FILE *out);

/*
 * Opens the store of a URL on an app that has not started, and runs all tests twice: by the calls
 * that wait, and by those on event loops, if the backend has that way; and messages of channels,
 * which a backend may leave out. The app is then ready, as after svc_app_test, and has a route
 * more. Returns and writes as svc_store_conformance.
 */
int svc_store_conformance_both(svc_app *app, const char *url, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
