/* The part of tests without sockets that the tested app owns. */
#ifndef SVC_APP_APP_TEST_H
#define SVC_APP_APP_TEST_H

#include <svc/loop.h>
#include <svc/test.h>

/* Readies the app that serves, as the first test does. False when it cannot be tested. */
bool svc__app_test_ready(svc_app *app);

/* Waits until no thread holds an exchange of the app's tests any more, and ends their loop. False
 * when one still does after a while: the app must then not be freed. */
bool svc__app_test_end(svc_app *app);

/* The loop of the app's tests; NULL before the first. */
struct svc_loop *svc__app_test_loop(const svc_app *app);

/* Frees everything that tests have made. */
void svc__app_test_free(svc_app *app);

#endif
