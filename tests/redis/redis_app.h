/* An app with a store on Redis, whose calls are made both ways: by this thread, which waits, and on
 * the app's event loop. Its log is kept. */
#ifndef TESTS_REDIS_REDIS_APP_H
#define TESTS_REDIS_REDIS_APP_H

#include <stdbool.h>

#include <svc.h>
#include <svc/redis.h>

enum redis_way { WAITING, ON_LOOP, WAYS };

/* Makes the app, which is not started, and its store. */
svc_app *redis_app_make(const char *url);

/* Starts it; the store of the URL. NULL if it does not start. */
svc_store *redis_app_start(void);

/* Frees it. */
void redis_app_free(void);

/* The errors of a get, of a set to "x", and of an increment of a key of that name. */
int redis_app_get(enum redis_way way, const char *key);
int redis_app_set(enum redis_way way, const char *key);
int redis_app_increment(enum redis_way way, const char *key);

/* The number of three keys that are found by gets that are under way at once. */
int redis_app_get_three(const char *const *keys);

/* The value that a get has read last. */
const char *redis_app_value(void);

/* Repeats a get until its error is the wanted one. False when that never comes. */
bool redis_app_becomes(enum redis_way way, int error);

/* Whether a line of the log so far contains the text. */
bool redis_app_has_logged(const char *text);

/* Waits until one does: the thread of the breaker may log behind the answer of a call. */
bool redis_app_logs(const char *text);

#endif
