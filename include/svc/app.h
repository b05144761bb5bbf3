/*
 * The app: routes and groups, middleware, hooks, and the service's life from start to stop.
 *
 * An app is built by one thread, then started. Registration calls return 0 or a negative code, and
 * the app keeps every failure: the start then fails and reports all of them at once (svc_app_errors). A
 * program may therefore ignore the codes of registration calls. It need not check the result of svc_app_new
 * either: for a NULL app, a call does nothing and returns SVC_ENOMEM, NULL, "" or 0.
 *
 * "Before start only" means before svc_app_start, svc_app_run, svc_app_main or svc_app_test is called. In a
 * start hook it is too late: the call returns SVC_ESTATE.
 */
#ifndef SVC_APP_H
#define SVC_APP_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* All properties of a route. Begin with SVC_ROUTE_INIT; unset members take the app's defaults. */
struct svc_route {
    size_t size;          /* set by SVC_ROUTE_INIT */
    const char *pattern;  /* "[METHOD ][HOST]/path" as in Go 1.22's ServeMux */
    svc_handler *handler; /* not NULL */
    void *arg;            /* for svc_request_arg; borrowed until the app is freed */
    unsigned flags;       /* SVC_ANY_BYTES, SVC_ANY_CODING, SVC_BLOCKING, SVC_STREAM_BODY, SVC_DUPLEX */
    size_t max_body;      /* bytes; 0: the app's max_body_bytes */
    unsigned timeout_ms;  /* 0: the group's (svc_group_set_timeout), else the app's request_timeout_ms */
    const svc_middleware *const *middleware; /* NULL-terminated list, outermost first, or NULL; as
                                                for svc_app_use */
    const svc_offers *offers; /* what the library negotiates (svc/negotiation.h); copied; or NULL */
};

#define SVC_ROUTE_INIT                                                                             \
    {                                                                                              \
        sizeof(svc_route), NULL, NULL, NULL, 0, 0, 0, NULL, NULL                                   \
    }

/*
 * Makes an app with the default stack: request ids, access log and metrics. A setting turns each of them
 * off. `name` is copied; it appears in log lines. NULL when out of memory. Since: 0.1
 */
SVC_API svc_app *svc_app_new(const char *name) SVC_MUST_CHECK;

/*
 * Frees an app that was never started, or for which svc_app_wait has returned, and the apps mounted on
 * it. Accepts NULL. Does nothing for a mounted app, which the outer app frees. Does nothing either for an
 * app in use: one that is started, being started, tested or freed (so in its hooks and handlers), one
 * whose own thread makes this call, and one that was stopped by force (SVC_EFORCED), since a handler may
 * still be running. Since: 0.1
 */
SVC_API void svc_app_free(svc_app *app);

/* The app's name; "" for NULL. Borrowed from the app. Any thread. Since: 0.1 */
SVC_API const char *svc_app_name(const svc_app *app);

/*
 * Sets the description of the program that --help prints. It is printed unwrapped: `text` contains its own
 * line breaks. Copied. 0, SVC_EINVAL or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_describe(svc_app *app, const char *text);

/*
 * Registers a route. Reports of bad patterns and conflicts name `file` and `line`. The strings are copied.
 * 0, SVC_ESYNTAX for a bad pattern, SVC_EINVAL for other mistakes such as a flag that is not a route's,
 * SVC_ESTATE once started, or SVC_ENOMEM. Conflicts between routes are found at start. Before start only.
 * Since: 0.1
 */
SVC_API int svc_app_route_at(svc_app *app, const svc_route *route, const char *file, int line);

/* As svc_app_route_at, with the method apart from the pattern; a NULL method means every method.
 * Since: 0.1 */
SVC_API int svc_app_method_at(svc_app *app, const char *method, const char *pattern,
                              svc_handler *handler, void *arg, const char *file, int line);

/*
 * As svc_app_route_at without file and line, for other languages: in C and C++ a macro of the same name adds
 * them. Since: 0.1
 */
SVC_API int svc_app_route(svc_app *app, const svc_route *route);

/* As svc_app_route, for the method GET and with defaults. Since: 0.1 */
SVC_API int svc_app_get(svc_app *app, const char *pattern, svc_handler *handler,
                        void *arg);

/* As svc_app_route, for the method POST and with defaults. Since: 0.1 */
SVC_API int svc_app_post(svc_app *app, const char *pattern, svc_handler *handler,
                         void *arg);

/* As svc_app_route, for the method PUT and with defaults. Since: 0.1 */
SVC_API int svc_app_put(svc_app *app, const char *pattern, svc_handler *handler,
                        void *arg);

/* As svc_app_route, for the method PATCH and with defaults. Since: 0.1 */
SVC_API int svc_app_patch(svc_app *app, const char *pattern, svc_handler *handler,
                          void *arg);

/* As svc_app_route, for the method DELETE and with defaults. Since: 0.1 */
SVC_API int svc_app_delete(svc_app *app, const char *pattern, svc_handler *handler,
                           void *arg);

#define svc_app_route(app, route) svc_app_route_at((app), (route), __FILE__, __LINE__)
#define svc_app_get(app, pattern, handler, arg)                                                    \
    svc_app_method_at((app), "GET", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_app_post(app, pattern, handler, arg)                                                   \
    svc_app_method_at((app), "POST", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_app_put(app, pattern, handler, arg)                                                    \
    svc_app_method_at((app), "PUT", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_app_patch(app, pattern, handler, arg)                                                  \
    svc_app_method_at((app), "PATCH", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_app_delete(app, pattern, handler, arg)                                                 \
    svc_app_method_at((app), "DELETE", (pattern), (handler), (arg), __FILE__, __LINE__)

/*
 * Adds a middleware to every route of the app, inside the middleware added before it. 404, 405 and the
 * library's own errors pass through it too. The struct is borrowed until the app is freed.
 * 0, SVC_EINVAL, SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_use(svc_app *app, const svc_middleware *middleware);

/*
 * Makes a group: its routes' paths begin with `prefix` (such as "/api/v1", with a leading and without a
 * trailing slash; "" for a group that only shares middleware), and its middleware runs inside the app's.
 * Owned by the app. NULL when out of memory or for a bad prefix, which is also kept as a set-up
 * error; the calls below accept that NULL and fail. Before start only. Since: 0.1
 */
SVC_API svc_group *svc_app_group(svc_app *app, const char *prefix);

/* Makes a group inside another: its prefix is appended to the outer group's, and its middleware runs inside
 * the outer group's. Otherwise as svc_app_group. Since: 0.1 */
SVC_API svc_group *svc_group_group(svc_group *group, const char *prefix);

/* As svc_app_use, for the routes of a group and its subgroups. Since: 0.1 */
SVC_API int svc_group_use(svc_group *group, const svc_middleware *middleware);

/*
 * Sets the time limit, counted from the request's head, for the routes of this group and its subgroups,
 * unless a route or a nearer group sets its own. A request that exceeds it is answered 504. In
 * milliseconds, up to 86400000 (a day); 0 takes the limit of the outer group, or the app's
 * request_timeout_ms if no outer group has one. Apps mounted in the group have their own limits. 0,
 * SVC_EINVAL, or SVC_ESTATE once started. Before start only. Since: 0.1
 */
SVC_API int svc_group_set_timeout(svc_group *group, unsigned timeout_ms);

/*
 * Sets flags of a route (SVC_BLOCKING, SVC_STREAM_BODY, SVC_ANY_BYTES, SVC_ANY_CODING, SVC_DUPLEX) for all
 * routes of this group and its subgroups, registered before or after this call; each route has its own flags
 * as well. A later call replaces the flags of an earlier one; a subgroup cannot remove flags of its outer
 * groups. Apps mounted in the group have their own flags. 0, SVC_EINVAL for other flags, SVC_ESTATE once started, or
 * SVC_ENOMEM for NULL. Before start only. Since: 0.1
 */
SVC_API int svc_group_set_flags(svc_group *group, unsigned flags);

/* As svc_app_route_at, in a group. Since: 0.1 */
SVC_API int svc_group_route_at(svc_group *group, const svc_route *route, const char *file,
                               int line);

/* As svc_app_method_at, in a group. Since: 0.1 */
SVC_API int svc_group_method_at(svc_group *group, const char *method, const char *pattern,
                                svc_handler *handler, void *arg, const char *file, int line);

/* As svc_group_route_at without file and line, for other languages. Since: 0.1 */
SVC_API int svc_group_route(svc_group *group, const svc_route *route);

/* As svc_group_route, for the method GET and with defaults. Since: 0.1 */
SVC_API int svc_group_get(svc_group *group, const char *pattern, svc_handler *handler,
                          void *arg);

/* As svc_group_route, for the method POST and with defaults. Since: 0.1 */
SVC_API int svc_group_post(svc_group *group, const char *pattern, svc_handler *handler,
                           void *arg);

/* As svc_group_route, for the method PUT and with defaults. Since: 0.1 */
SVC_API int svc_group_put(svc_group *group, const char *pattern, svc_handler *handler,
                          void *arg);

/* As svc_group_route, for the method PATCH and with defaults. Since: 0.1 */
SVC_API int svc_group_patch(svc_group *group, const char *pattern, svc_handler *handler,
                            void *arg);

/* As svc_group_route, for the method DELETE and with defaults. Since: 0.1 */
SVC_API int svc_group_delete(svc_group *group, const char *pattern, svc_handler *handler,
                             void *arg);

#define svc_group_route(group, route) svc_group_route_at((group), (route), __FILE__, __LINE__)
#define svc_group_get(group, pattern, handler, arg)                                                \
    svc_group_method_at((group), "GET", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_group_post(group, pattern, handler, arg)                                               \
    svc_group_method_at((group), "POST", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_group_put(group, pattern, handler, arg)                                                \
    svc_group_method_at((group), "PUT", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_group_patch(group, pattern, handler, arg)                                              \
    svc_group_method_at((group), "PATCH", (pattern), (handler), (arg), __FILE__, __LINE__)
#define svc_group_delete(group, pattern, handler, arg)                                             \
    svc_group_method_at((group), "DELETE", (pattern), (handler), (arg), __FILE__, __LINE__)

/*
 * Mounts another app: its routes are served under `prefix` (as for svc_app_group), inside the outer
 * app's middleware and then its own. It keeps its own fallback, hooks and tasks (which run after the outer
 * app's), checks (named "<its name>.<check>"), and, for its routes, max_body_bytes, request_timeout_ms
 * and max_json_depth. It takes its other settings, default stack and listeners from the outer app. So a
 * service that one function builds runs by itself or within another program, unchanged.
 *
 * `inner` is taken on success: the outer app frees it. More may be registered on it until the start.
 * A mounted app cannot be started, run or tested by itself. Its own settings are read with the outer app's
 * prefix; if both apps have a setting of one name, the call returns SVC_EINVAL, and the inner app is mounted
 * nevertheless. 0; SVC_EINVAL for a bad prefix or an app within itself; SVC_ESTATE if either app has
 * started or `inner` is mounted already; or SVC_ENOMEM, also for NULL, so that the result of svc_app_new need
 * not be checked. Before start only. Since: 0.1
 */
SVC_API int svc_app_mount(svc_app *app, const char *prefix, svc_app *inner);

/* As svc_app_mount, inside a group: `prefix` is appended to the group's, and the group's middleware runs
 * around the inner app's. Since: 0.1 */
SVC_API int svc_group_mount(svc_group *group, const char *prefix, svc_app *inner);

/*
 * The app whose routes are served on the admin listener, beside the library's pages /livez, /readyz and
 * /metrics. The first call makes it, with the app's name. All that an app can do works on it: routes, flags,
 * groups, layers, mounts, a fallback, svc_app_test. Like a mounted app it has its own max_body_bytes,
 * request_timeout_ms and max_json_depth, and takes its other settings from the app; its hooks, checks and
 * tasks are the app's; it cannot be started or mounted by itself. The admin app of a mounted app is served
 * under the latter's prefix.
 *
 * Its routes have their own event loop, up to 16 workers and up to 256 connections (more are answered 503).
 * So they answer while all loops and workers of the service are held, and a route that hangs delays neither
 * the service nor the library's pages. svc_app_each_loop and svc_app_each_worker, called on it, are for that
 * loop and those workers. The admin listener then serves one request a connection. Replies without a
 * Cache-Control field get `no-store`. The lines of its access log have the module "admin", and its metrics
 * begin with svc_admin_. A stop awaits its requests after the service's requests and tasks.
 *
 * A route with the path of a library's page, whatever its method or host, is an error at start. Without an
 * admin listener (`admin_listen` empty) the routes are not served, and the start logs a warning.
 *
 * Owned by the app. For an admin app, itself. NULL for NULL, when out of memory, and once started if there is
 * none yet; all calls accept that NULL. The thread that builds the app; any thread once started. Since: 0.1
 */
SVC_API svc_app *svc_app_admin(svc_app *app);

/*
 * Sets the handler for requests whose path no route of the app matches. Without a fallback the library
 * answers 404 with problem details. The library still answers 405 and redirects itself. The fallback of a
 * mounted app serves the paths below its prefix. The handler can read the body, and gets `arg` by
 * svc_request_arg. 0, SVC_EINVAL for NULL or SVC_ESTATE once started. Before start only. Since: 0.1
 */
SVC_API int svc_app_set_fallback(svc_app *app, svc_handler *handler, void *arg);

/* The description of one route that svc_app_visit_routes passes on. Borrowed from the app. */
typedef struct svc_route_info {
    size_t size;
    const char *pattern; /* whole, with method, host and the groups' prefixes */
    const char *file;    /* the source file that registered it, and the line */
    int line;
} svc_route_info;

/*
 * Calls `visit` for each registered route, in order of registration, until it returns non-zero.
 * Returns the result of the last call, or 0 if there are no routes. Any thread once started. Since: 0.1
 */
SVC_API int svc_app_visit_routes(const svc_app *app, int (*visit)(const svc_route_info *info, void *arg),
                           void *arg);

/*
 * Registers functions that make and release the service's own resources, such as a database pool. `start`
 * runs before the first request, after all settings have been checked, in order of registration; if it
 * returns non-zero, the start of the service fails. `stop` runs after the last request, in reverse order,
 * for each hook whose `start` succeeded. Either may be NULL. `start` runs on the thread that starts the
 * app, `stop` on the thread that waits for its end. 0, SVC_ESTATE or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_app_add_hook(svc_app *app, int (*start)(svc_app *app, void *arg),
                         void (*stop)(svc_app *app, void *arg), void *arg);

/*
 * Registers a function that runs when the drain begins, so that endless streams can end themselves: `fn`
 * runs once, when a stop has been asked for and /readyz answers 503, before the drain delay and before
 * listeners close, on the thread that waits (svc_app_wait). The stop goes on only after it returns, so it
 * wakes waiting streams (svc_loop_post, svc_waker_wake) and waits for nothing. Drain hooks run in order of
 * registration, an app's before those of apps mounted on it; not after a failed start, nor in
 * svc_app_test. 0, SVC_EINVAL for NULL, SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_add_drain_hook(svc_app *app, void (*fn)(svc_app *app, void *arg), void *arg);

/*
 * Registers a readiness check: /readyz on the admin listener answers 503 and names the check as "failed"
 * while `check` returns non-zero. `check` runs on a thread of its own when a client asks for /readyz, one
 * call at a time, and may block: no other page and no other check waits for it. Requests that come
 * meanwhile get the result of the same call. If a call takes longer than check_timeout_ms, /readyz answers
 * 503 and names the check as "late", with its last result and the age of that result; until the call
 * returns, further requests are answered so at once. A check that never returns makes a stop a forced one
 * (SVC_EFORCED). `name` is copied: letters, digits, '_', '-'. 0, SVC_EINVAL, SVC_ESTATE or SVC_ENOMEM.
 * Since: 0.1
 */
SVC_API int svc_app_add_check(svc_app *app, const char *name, int (*check)(void *arg), void *arg);

/*
 * Sets the app's configuration, which is copied. Settings that the environment or a file has set
 * before (svc_app_read_environment) keep that value: the operator's value wins, whichever call comes
 * first. All values are checked together at start. 0, SVC_EINVAL, SVC_ESTATE once started, or SVC_ENOMEM.
 * Since: 0.1
 */
SVC_API int svc_app_configure(svc_app *app, const svc_config *config);

/*
 * Reads settings from environment variables, `<prefix>_LISTEN` and so on. They override the values set so
 * far: of the library's settings, and of those added by svc_app_add_settings, which are written to their
 * struct before this returns. A value of the wrong kind or out of range is not taken, and is kept as a
 * set-up error. svc_app_run and svc_app_main call this with the prefix "SVC" unless the program has called
 * it. 0, SVC_EINVAL for a prefix of more than 64 characters, SVC_ECONFIG for bad values or a missing
 * required one (the start reports the latter, if it is still missing), SVC_ESTATE or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_app_read_environment(svc_app *app, const char *prefix);

/*
 * All set-up errors so far, one per line, with source file and line number if they are known; "" when there
 * are none; for a NULL app, a text that says out of memory. Borrowed until the next call on this app.
 * Since: 0.1
 */
SVC_API const char *svc_app_errors(svc_app *app);

/*
 * Starts the service and returns when its listeners accept connections. Does not touch signals, the
 * environment or stderr. Threads that run the program's code (event loops, workers, tasks, readiness
 * checks) inherit the signal mask of the calling thread, and so do their child processes. Files are sent
 * by sendfile if SIGPIPE is ignored, handled or blocked in that thread, and with more work otherwise. 0, or
 * SVC_EROUTES, SVC_ECONFIG, SVC_ELISTEN, SVC_ESTART, SVC_ESYSTEM, SVC_ENOMEM (for NULL too), or
 * SVC_ECANCELLED when svc_app_stop has ended the start: nothing is running then, and svc_app_errors lists
 * all reasons. SVC_ESTATE for an app that is started, mounted, being started or tested, or was stopped: an
 * app can be started only once. A child process may use the app only if it was forked before svc_app_start,
 * since threads do not survive a fork. Since: 0.1
 */
SVC_API int svc_app_start(svc_app *app);

/*
 * Asks the service to stop gracefully, and returns at once; svc_app_wait carries the stop out. A second
 * call ends the wait for requests in flight. A call while svc_app_start is under way ends the start: a
 * running hook is awaited, no other begins, and svc_app_start returns SVC_ECANCELLED. After a call before
 * svc_app_start, the service stops as soon as svc_app_wait is called. For a mounted app, the outer app is
 * stopped. Accepts NULL. Any thread; async-signal-safe. Since: 0.1
 */
SVC_API void svc_app_stop(svc_app *app);

/*
 * Whether svc_app_stop or a signal has asked for a stop. A start hook that repeats attempts, such as to
 * reach a database, calls this between them; it may then give up and return any code. Accepts NULL. Any
 * thread; async-signal-safe. Since: 0.1
 */
SVC_API bool svc_app_stopping(const svc_app *app);

/*
 * Whether the drain has begun: requests in flight are still served, until the drain timeout. An endless
 * stream checks this before it goes on. For a mounted app, whether the outer app drains. Accepts NULL. Any
 * thread; async-signal-safe. Since: 0.1
 */
SVC_API bool svc_app_draining(const svc_app *app);

/*
 * Waits for svc_app_stop, then stops the service in this order: /readyz answers 503 for the drain delay;
 * listeners are closed; idle connections are closed; requests in flight are awaited until the drain
 * timeout, and the rest cancelled; background tasks end (svc_app_add_task); stop hooks run; the log is
 * flushed. 0 when every request was answered and every task has ended; SVC_EFORCED when some were cut or a
 * callback of the program does not return (the app can then not be freed); SVC_ENOMEM for NULL; SVC_ESTATE
 * when the app is not started, when this was called before, or on an event loop, a worker or a background
 * task of the service, which would wait for itself. Since: 0.1
 */
SVC_API int svc_app_wait(svc_app *app);

/*
 * Runs a whole service, for main: reads the environment, starts the app, stops it gracefully on SIGTERM and
 * without the drain delay on SIGINT, reports set-up errors on stderr, and frees the app.
 *
 * SIGTERM or SIGINT during the start ends the start as svc_app_stop does, with status 0; a hook can check
 * for it by svc_app_stopping. While requests and tasks are awaited, a second signal ends the wait. At all
 * other times, such as in a hook or a name lookup, a second signal ends the process at once, by that signal
 * (or with status 128 + its number, if the process is the first of a container).
 *
 * This installs signal handlers for SIGTERM and SIGINT, with SA_RESTART, and restores the former ones
 * before it returns. It does the same for SIGHUP and SIGUSR1, unless the program handles, blocks or ignores
 * that signal itself: once the service has started, SIGHUP opens the log's file again (svc_app_reopen_log),
 * and SIGUSR1 logs the requests in flight: a line for each of the oldest 100. If SIGPIPE would end the
 * process, it gets a handler that does nothing, and keeps it. No signal is blocked or ignored, so child
 * processes that a hook, handler or task makes begin with the program's dispositions.
 *
 * Takes the app, accepts NULL. Returns the process's exit status: 0 stopped cleanly; 1 set-up failed, or
 * another svc_app_run is handling the signals; 3 stopped by force. Since: 0.1
 */
SVC_API int svc_app_run(svc_app *app);

/*
 * As svc_app_run, which it calls, with the program's arguments:
 *
 *     --help            prints the program's description, all settings and the exit statuses
 *     --print-config    prints each setting with its value and the value's source (default,
 *                       program, environment or file), secrets as ********, in the form of an
 *                       environment file
 *     --check-config    only checks all settings
 *     --env-file=FILE   reads settings from a file of lines NAME=value. It may be repeated: the last
 *                       file that has a setting wins, and the environment wins over files. Other
 *                       lines have no effect, and without this option no file is read
 *     --                ends these options: the program reads the rest itself
 *
 * The first three return without a start: 0, or 1 if there is an error. Any other argument is reported on
 * stderr, and 2 is returned. The program must not use a setting before this call: code that needs one
 * belongs into a start hook (svc_app_add_hook), which runs after all settings are read. Takes the app,
 * accepts NULL. Since: 0.1
 */
SVC_API int svc_app_main(svc_app *app, int argc, char **argv);

/*
 * The address of listener `index` of a started app, such as "127.0.0.1:41234", "[::1]:80" or
 * "unix:/path", with the port that the system chose for port 0; NULL past the last one. Borrowed
 * from the app. For a mounted app, the outer app's addresses. Any thread. Since: 0.1
 */
SVC_API const char *svc_app_address(const svc_app *app, size_t index);

/* As svc_app_address, for the admin listener; NULL when there is none. Since: 0.1 */
SVC_API const char *svc_app_admin_address(const svc_app *app);

SVC_END_DECLS

#endif
