/* Tests without sockets, as the app that is tested knows them. */
#ifndef SVC_APP_APP_TEST_H
#define SVC_APP_APP_TEST_H

#include <svc/loop.h>
#include <svc/test.h>

/* Waits until nobody holds an exchange of the app's tests any more, and ends their loop. False:
 * somebody still does after a while, and the app must be left alone. */
bool svc__app_test_end(svc_app *app);

/* The loop of the app's tests; NULL before the first. */
struct svc_loop *svc__app_test_loop(const svc_app *app);

/* Frees what tests have made. */
void svc__app_test_free(svc_app *app);

#endif
