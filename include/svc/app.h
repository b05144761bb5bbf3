/*
 * The app: routes and groups, middleware, hooks, and the service's life from start to stop.
 *
 * An app is built by one thread, then started. Registration calls return 0 or a negative code, and
 * every failure is also kept in the app: a start reports all of them at once (svc_app_errors) and
 * refuses. A program may therefore ignore the codes of registration calls. Nor must it look at what
 * svc_app_new returns: given NULL in place of an app, a call does nothing and returns SVC_ENOMEM, NULL,
 * "" or 0.
 *
 * "Before start only" means before svc_app_start, svc_app_test and their kin are called: in a start hook
 * it is too late, and the code is SVC_ESTATE.
 */
#ifndef SVC_APP_H
#define SVC_APP_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* Everything that a route can say. Begin with SVC_ROUTE_INIT; unset members take the app's defaults. */
struct svc_route {
    size_t size;          /* set by SVC_ROUTE_INIT */
    const char *pattern;  /* "[METHOD ][HOST]/path" as in Go 1.22's ServeMux */
    svc_handler *handler; /* not NULL */
    void *arg;            /* for svc_request_arg; borrowed until the app is freed */
    unsigned flags;       /* SVC_ANY_BYTES, SVC_BLOCKING, SVC_STREAM_BODY */
    size_t max_body;      /* bytes; 0: the app's max_body_bytes */
    unsigned timeout_ms;  /* 0: that of svc_group_set_timeout, or the app's request_timeout_ms */
    const svc_middleware *const *middleware; /* NULL-terminated list, outermost first, or NULL; as
                                                for svc_app_use */
};

#define SVC_ROUTE_INIT                                                                             \
    {                                                                                              \
        sizeof(svc_route), NULL, NULL, NULL, 0, 0, 0, NULL                                         \
    }

/*
 * Makes an app with the default stack (request ids, access log, metrics), each of which a setting
 * turns off. `name` is copied; it appears in log lines. NULL when out of memory. Since: 0.1
 */
SVC_API svc_app *svc_app_new(const char *name) SVC_MUST_CHECK;

/*
 * Frees an app that was never started, or that svc_app_wait has seen end, and the apps mounted on
 * it. Accepts NULL. A mounted app is left to the outer one. An app that is in use is left alone: one
 * that is started, being started, tested or freed (so in its hooks and handlers), one whose thread calls
 * this, and one after a forced stop (SVC_EFORCED), when a handler may still be running. Since: 0.1
 */
SVC_API void svc_app_free(svc_app *app);

/* The app's name; "" for NULL. Borrowed from the app. Any thread. Since: 0.1 */
SVC_API const char *svc_app_name(const svc_app *app);

/*
 * Sets what --help says of the program, with line ends where the caller wants them. Copied. 0,
 * SVC_EINVAL or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_describe(svc_app *app, const char *text);

/*
 * Registers a route; `file` and `line` are named in reports of bad patterns and conflicts. The
 * strings are copied. 0, SVC_ESYNTAX for a bad pattern, SVC_EINVAL for other mistakes such as flags that
 * are no route's, SVC_ESTATE once started, or SVC_ENOMEM. Conflicts between routes are found at start. Before start only. Since: 0.1
 */
SVC_API int svc_app_route_at(svc_app *app, const svc_route *route, const char *file, int line);

/* The same with the method apart from the pattern; NULL is every method. Since: 0.1 */
SVC_API int svc_app_method_at(svc_app *app, const char *method, const char *pattern,
                              svc_handler *handler, void *arg, const char *file, int line);

/*
 * The calls above without the place, for other languages: in C and C++ a macro of the same name adds it.
 * Since: 0.1
 */
SVC_API int svc_app_route(svc_app *app, const svc_route *route);

/* As svc_app_route with the method GET and no more than this. Since: 0.1 */
SVC_API int svc_app_get(svc_app *app, const char *pattern, svc_handler *handler,
                        void *arg);

/* As svc_app_route with the method POST and no more than this. Since: 0.1 */
SVC_API int svc_app_post(svc_app *app, const char *pattern, svc_handler *handler,
                         void *arg);

/* As svc_app_route with the method PUT and no more than this. Since: 0.1 */
SVC_API int svc_app_put(svc_app *app, const char *pattern, svc_handler *handler,
                        void *arg);

/* As svc_app_route with the method PATCH and no more than this. Since: 0.1 */
SVC_API int svc_app_patch(svc_app *app, const char *pattern, svc_handler *handler,
                          void *arg);

/* As svc_app_route with the method DELETE and no more than this. Since: 0.1 */
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
 * Adds a middleware to every route of the app, inside those added before it. 404, 405 and the
 * library's own errors pass through it too. The struct is borrowed until the app is freed.
 * 0, SVC_EINVAL, SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_use(svc_app *app, const svc_middleware *middleware);

/*
 * Makes a group: its routes' paths begin with `prefix` (such as "/api/v1": a leading and no trailing
 * slash; or "" for a group that only shares middleware), and its middleware runs inside the app's.
 * Owned by the app. NULL when out of memory or for a bad prefix, which is also kept as a set-up
 * error; the calls below accept that NULL and fail. Before start only. Since: 0.1
 */
SVC_API svc_group *svc_app_group(svc_app *app, const char *prefix);

/* Makes a group inside another: prefixes join, middleware nests. Otherwise as svc_app_group. Since: 0.1 */
SVC_API svc_group *svc_group_group(svc_group *group, const char *prefix);

/* As svc_app_use, for the routes of a group and of the groups in it. Since: 0.1 */
SVC_API int svc_group_use(svc_group *group, const svc_middleware *middleware);

/*
 * Sets from head to answer for the routes of a group and of the groups in it, where neither they nor a
 * group in between say otherwise; 504 then. In milliseconds, up to 86400000 (a day); 0 is that of the
 * group around it, and at last the setting request_timeout_ms of the app. Apps mounted in the group
 * have their own. 0, SVC_EINVAL, or SVC_ESTATE once started. Before start only. Since: 0.1
 */
SVC_API int svc_group_set_timeout(svc_group *group, unsigned timeout_ms);

/*
 * Sets flags that all routes of the group and of the groups in it have beside their own, whether they are
 * registered before or after this: SVC_BLOCKING, so that they run on workers, SVC_STREAM_BODY,
 * SVC_ANY_BYTES. They come in the place of those that an earlier call has set; a flag of a group around it
 * cannot be taken back. Apps mounted in the group have their own. 0, SVC_EINVAL for other flags, SVC_ESTATE
 * once started, or SVC_ENOMEM for NULL. Before start only. Since: 0.1
 */
SVC_API int svc_group_set_flags(svc_group *group, unsigned flags);

/* As svc_app_route_at, in a group. Since: 0.1 */
SVC_API int svc_group_route_at(svc_group *group, const svc_route *route, const char *file,
                               int line);

/* As svc_app_method_at, in a group. Since: 0.1 */
SVC_API int svc_group_method_at(svc_group *group, const char *method, const char *pattern,
                                svc_handler *handler, void *arg, const char *file, int line);

/* The same without the place, for other languages. Since: 0.1 */
SVC_API int svc_group_route(svc_group *group, const svc_route *route);

/* As svc_group_route with the method GET and no more than this. Since: 0.1 */
SVC_API int svc_group_get(svc_group *group, const char *pattern, svc_handler *handler,
                          void *arg);

/* As svc_group_route with the method POST and no more than this. Since: 0.1 */
SVC_API int svc_group_post(svc_group *group, const char *pattern, svc_handler *handler,
                           void *arg);

/* As svc_group_route with the method PUT and no more than this. Since: 0.1 */
SVC_API int svc_group_put(svc_group *group, const char *pattern, svc_handler *handler,
                          void *arg);

/* As svc_group_route with the method PATCH and no more than this. Since: 0.1 */
SVC_API int svc_group_patch(svc_group *group, const char *pattern, svc_handler *handler,
                            void *arg);

/* As svc_group_route with the method DELETE and no more than this. Since: 0.1 */
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
 * app's middleware and then its own, with its own fallback, hooks and tasks (after the outer app's),
 * checks (as "<its name>.<check>"), and, for its routes, its own max_body_bytes, request_timeout_ms
 * and max_json_depth. Its other settings, its default stack and its listeners are the outer app's. So a
 * service that is made by one function runs by itself or within another program, unchanged.
 *
 * `inner` is taken on success: the outer app frees it. More may be registered on it until the start.
 * An app that was mounted cannot be started, run or tested by itself. Its own settings are read with
 * the outer app's prefix; a name that both have is SVC_EINVAL, with the inner app mounted. 0,
 * SVC_EINVAL for a bad prefix or an app that has started or is mounted already, or SVC_ENOMEM, also
 * for NULL, so that what svc_app_new returns need not be looked at. Before start only. Since: 0.1
 */
SVC_API int svc_app_mount(svc_app *app, const char *prefix, svc_app *inner);

/* The same inside a group: prefixes join, and its middleware runs around the inner app's. Since: 0.1 */
SVC_API int svc_group_mount(svc_group *group, const char *prefix, svc_app *inner);

/*
 * Sets who answers requests for paths that no route of the app has; without it they are answered 404
 * as a problem. 405 and redirects stay the library's. For a mounted app it is asked for the paths
 * below its prefix. The handler sees the body, and `arg` by svc_request_arg. 0, SVC_EINVAL for NULL
 * or SVC_ESTATE once started. Before start only. Since: 0.1
 */
SVC_API int svc_app_set_fallback(svc_app *app, svc_handler *handler, void *arg);

/* What svc_app_visit_routes tells of one route. Borrowed from the app. */
typedef struct svc_route_info {
    size_t size;
    const char *pattern; /* whole, with method, host and the groups' prefixes */
    const char *file;    /* where it was registered */
    int line;
} svc_route_info;

/*
 * Calls `visit` for each registered route, in order of registration, until it returns non-zero.
 * Returns what the last call returned, 0 when there was none. Any thread once started. Since: 0.1
 */
SVC_API int svc_app_visit_routes(const svc_app *app, int (*visit)(const svc_route_info *info, void *arg),
                           void *arg);

/*
 * Registers what makes and ends the service's own resources, such as a database pool. `start` runs
 * before the first request, once every setting has been found to be right, in order of registration;
 * a non-zero return refuses the start. `stop`
 * runs after the last request, in reverse order, for those whose start succeeded. Either may be
 * NULL. Both run on the thread that starts or waits. 0, SVC_ESTATE or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_app_add_hook(svc_app *app, int (*start)(svc_app *app, void *arg),
                         void (*stop)(svc_app *app, void *arg), void *arg);

/*
 * Registers what is told when the drain begins, so that streams without an end can end themselves: `fn`
 * runs once, when a stop has been asked for and /readyz answers 503, before the drain delay and before
 * listeners close, on the thread that waits (svc_app_wait). Nothing else of the stop happens until it
 * returns, so it wakes what waits (svc_loop_post, svc_waker_wake) and waits for nothing. In order of
 * registration, an app's before those of apps mounted on it. Not after a start that failed, nor in
 * svc_app_test. 0, SVC_EINVAL for NULL, SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_add_drain_hook(svc_app *app, void (*fn)(svc_app *app, void *arg), void *arg);

/*
 * Registers a readiness check: /readyz on the admin listener answers 503 and names the check as "failed"
 * while `check` returns non-zero. It runs on a thread of its own when somebody asks, one call at a time,
 * and may block: no other page and no other check waits for it. Who asks meanwhile gets the same answer.
 * One that has not answered for check_timeout_ms is named as "late", with its last answer and how old that
 * is, and makes a 503 until it answers, at once for those who ask from then on. One that does not end makes
 * a stop a forced one. `name` is copied: letters, digits, '_', '-'. 0, SVC_EINVAL, SVC_ESTATE or
 * SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_app_add_check(svc_app *app, const char *name, int (*check)(void *arg), void *arg);

/*
 * Sets the app's configuration, which is copied. Settings that the environment or a file has given
 * before (svc_app_read_environment) keep that value: the operator's word is the last, whichever call comes
 * first. The values are checked at start, all at once. 0, SVC_EINVAL, SVC_ESTATE once started, or
 * SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_app_configure(svc_app *app, const svc_config *config);

/*
 * Reads the settings that the environment names, `<prefix>_LISTEN` and so on, over those set so far:
 * the library's, and those of svc_app_add_settings, whose struct has its values when this returns. A
 * value of another kind or out of its range is not taken, and kept as a set-up error. svc_app_run
 * and svc_app_main do this with the prefix "SVC" unless the program has called it. 0, SVC_EINVAL for
 * a prefix of more than 64 characters, SVC_ECONFIG for bad values or a required one that is missing
 * (which the start tells, if it still is), SVC_ESTATE or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_app_read_environment(svc_app *app, const char *prefix);

/*
 * All set-up errors so far, a line each with file and line where one is known; "" when there are
 * none; for NULL, that memory has run out. Borrowed until the next call on this app. Since: 0.1
 */
SVC_API const char *svc_app_errors(svc_app *app);

/*
 * Starts the service and returns when its listeners accept. Leaves signals, the environment and
 * stderr alone. Threads that run the program's code (event loops, workers, tasks, readiness checks) have
 * the signal mask of the thread that calls this, and so have their children. Files are sent with less
 * work where SIGPIPE is ignored, handled or blocked there. 0, or SVC_EROUTES, SVC_ECONFIG,
 * SVC_ELISTEN, SVC_ESTART, SVC_ESYSTEM, SVC_ENOMEM (for NULL too), or SVC_ECANCELLED when
 * svc_app_stop has ended the start: nothing is running then, and svc_app_errors tells all reasons.
 * SVC_ESTATE for an app that is started, mounted, being started or tested, or was stopped: each app
 * is started once. After fork, only the child of a fork that came before
 * svc_app_start may use the app: threads do not survive a fork. Since: 0.1
 */
SVC_API int svc_app_start(svc_app *app);

/*
 * Asks the service to stop gracefully, and returns at once; svc_app_wait carries it out. A second call
 * ends the wait for requests in flight. While svc_app_start is under way it ends the start: the hook
 * that runs is awaited, no other begins, and svc_app_start returns SVC_ECANCELLED. Before it, the
 * service is stopped as soon as svc_app_wait is called. For a mounted app it stops the one that serves.
 * Accepts NULL. Any thread; async-signal-safe. Since: 0.1
 */
SVC_API void svc_app_stop(svc_app *app);

/*
 * Whether a stop was asked for, by svc_app_stop or a signal: to be asked by a start hook between
 * attempts, such as to reach a database. It may then give up and return any code. Accepts NULL. Any
 * thread; async-signal-safe. Since: 0.1
 */
SVC_API bool svc_app_stopping(const svc_app *app);

/*
 * Whether the drain has begun: requests in flight are still served, until the drain timeout. A stream
 * without an end looks at this where it would go on. For a mounted app it is that of the one that serves.
 * Accepts NULL. Any thread; async-signal-safe. Since: 0.1
 */
SVC_API bool svc_app_draining(const svc_app *app);

/*
 * Waits for svc_app_stop, then takes the service down in order: readiness 503 and the drain delay,
 * listeners closed, idle connections closed, requests in flight awaited until the drain timeout,
 * the rest cancelled, background tasks ended (svc_app_add_task), stop hooks, log flushed. 0 when every
 * request was answered and every task has ended, SVC_EFORCED when some were cut or a callback of the
 * program's does not return (the app is then left alone), SVC_ENOMEM for NULL, SVC_ESTATE when not
 * started, when it was called before, or on a thread of the service's own, which could only wait for
 * itself: an event loop, a worker or a background task. Since: 0.1
 */
SVC_API int svc_app_wait(svc_app *app);

/*
 * The whole life of a service, for main: reads the environment, starts, stops gracefully on SIGTERM
 * and at once (no drain delay) on SIGINT, reports set-up errors on stderr, frees the app.
 *
 * Such a signal during the start ends it as svc_app_stop does, with status 0; svc_app_stopping tells a hook of
 * it. While requests and tasks are awaited a second signal ends the wait. At all other times, such as in
 * a hook or a name look-up, the second signal ends the process at once, by that signal (or with status
 * 128 + its number, where it is the first process of a container). The signals are taken by handlers,
 * with SA_RESTART, and have their former meaning again when this returns. So is SIGHUP, at which the log's
 * file is opened again (svc_app_reopen_log) as soon as the service has started, unless the program handles,
 * blocks or ignores that signal itself. SIGPIPE, where it would end the process, is taken by one that does
 * nothing, for good. None is blocked or ignored, so that children that the program makes in a hook, handler
 * or task begin with the signals as the program did.
 *
 * Takes the app, accepts NULL. Returns the process's exit status: 0 clean, 1 set-up failed, which it is
 * also while another svc_app_run has the signals, 3 stopped by force. Since: 0.1
 */
SVC_API int svc_app_run(svc_app *app);

/*
 * The same with the program's arguments:
 *
 *     --help            prints what the program is, all settings and the exit statuses
 *     --print-config    prints each setting with its value and where that is from (default,
 *                       program, environment or file), secrets as ********, in the form of an
 *                       environment file
 *     --check-config    does no more than check all settings
 *     --env-file=FILE   reads settings from a file of lines NAME=value, several times if wanted:
 *                       the last file that has one gives it, unless the environment does. Nothing
 *                       else is set by it, and without it no file is read
 *     --                ends these: what follows is the program's own to read
 *
 * The first three return without a start, 0 or, when something is wrong, 1. Any other argument is
 * told on stderr, and 2 is returned. Otherwise as svc_app_run, which it calls. The program must not
 * need a setting before this: what does belongs into a start hook (svc_app_add_hook), which runs with all
 * of them read. Takes the app, accepts NULL. Since: 0.1
 */
SVC_API int svc_app_main(svc_app *app, int argc, char **argv);

/*
 * The address of listener `index` of a started app, as "127.0.0.1:41234", "[::1]:80" or
 * "unix:/path", with the port that the system chose for port 0; NULL past the last one. Borrowed
 * from the app. A mounted app's are those of the app that serves. Any thread. Since: 0.1
 */
SVC_API const char *svc_app_address(const svc_app *app, size_t index);

/* The same for the admin listener; NULL when there is none. Since: 0.1 */
SVC_API const char *svc_app_admin_address(const svc_app *app);

SVC_END_DECLS

#endif
