/* The constructor of sessions: checks the program's options, and reads the file of keys at the
 * start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svc/setting.h>
#include <svc/sys/app.h>

#include "libsvc/session/session.h"

enum { LONGEST_S = 31622400, LEAST_S = 60, FILE_BYTES = 1 << 16 };

static const svc_setting settings[] = {SVC_SETTING_STRING(struct session_settings,
                                                          session_keys_file, NULL,
                                                          "File with the keys that seal sessions"),
                                       SVC_SETTING_END};

static int refuse(svc_app *app, const char *what)
{
    char call[200];
    snprintf(call, sizeof call, "svc_session_new: %s", what);
    return svc_sys_app_refuse(app, SVC_EINVAL, call);
}

/* ---- Keys */

/* The text of a file, to be cleared and freed; NULL if it cannot be read or is too large. */
static char *read_key_file(const char *path)
{
    char *text = calloc(1, FILE_BYTES + 1);
    FILE *file = text ? fopen(path, "re") : NULL;
    size_t len = file ? fread(text, 1, FILE_BYTES, file) : 0;
    bool whole = file && !ferror(file) && len < FILE_BYTES;
    if (file)
        fclose(file);
    if (!whole) {
        free(text);
        return NULL;
    }
    return text;
}

static void clear_text(char *text)
{
    volatile char *at = text; /* so that the compiler leaves the writes in */
    for (size_t i = 0; i < FILE_BYTES; i++)
        at[i] = 0;
    free(text);
}

/* No report has a byte of the file. */
static int read_keys(svc_app *app, struct sessions *sessions, const char *path)
{
    char what[300];
    unsigned line = 0;
    char *text = read_key_file(path);
    if (!text) {
        snprintf(what, sizeof what, "svc_session_new: the file of keys \"%.200s\"", path);
        return svc_sys_app_refuse(app, SVC_ESYSTEM, what);
    }
    int error = svc__session_seal_read_keys(text, &sessions->keys, &line);
    clear_text(text);
    if (!error)
        return 0;
    snprintf(what, sizeof what,
             "svc_session_new: \"%.200s\", line %u: a key is 64 hexadecimal digits, and "
             "there are 1 to 16",
             path, line);
    return svc_sys_app_refuse(app, error, what);
}

static int start_sessions(svc_app *app, void *arg)
{
    struct sessions *sessions = arg;
    const char *path = sessions->settings.session_keys_file;
    int error = svc__session_seal_begin();
    if (error || sessions->store)
        return error;
    if (!path || !*path)
        return refuse(app, "sealed cookies need a file of keys: session_keys_file");
    return read_keys(app, sessions, path);
}

static void stop_sessions(svc_app *app, void *arg)
{
    struct sessions *sessions = arg;
    (void)app;
    svc__session_seal_clear(&sessions->keys);
}

/* ---- Options */

static svc_cookie make_cookie(const svc_session_options *options)
{
    bool insecure = options->flags & SVC_SESSION_INSECURE;
    svc_cookie cookie = SVC_COOKIE_INIT;
    cookie.name = insecure ? "session" : "__Host-session";
    if (options->name)
        cookie.name = options->name;
    cookie.secure = !insecure;
    cookie.same_site =
        options->flags & SVC_SESSION_STRICT ? SVC_SAME_SITE_STRICT : SVC_SAME_SITE_LAX;
    return cookie;
}

static int check_options(svc_app *app, const svc_session_options *options)
{
    const svc_cookie cookie = make_cookie(options);
    const char *mistake = svc_cookie_mistake(&cookie);
    if (options->flags & ~(unsigned)(SVC_SESSION_INSECURE | SVC_SESSION_STRICT))
        return refuse(app, "flags that are no session's");
    if (mistake)
        return refuse(app, mistake);
    if (strlen(cookie.name) >= SESSION_COOKIE_NAME)
        return refuse(app, "a cookie's name is longer than 127 bytes");
    if (options->store && options->keys_file)
        return refuse(app, "sessions in a store need no keys");
    if (options->idle_s < LEAST_S || options->idle_s > LONGEST_S)
        return refuse(app, "idle_s is 60 to 31622400");
    if (options->absolute_s < options->idle_s || options->absolute_s > LONGEST_S)
        return refuse(app, "absolute_s is idle_s to 31622400");
    return 0;
}

/* The file of the options, or the setting that names it. */
static int take_file(svc_app *app, struct sessions *sessions, const svc_session_options *options)
{
    if (options->store)
        return 0;
    if (!options->keys_file)
        return svc_app_add_settings(app, settings, &sessions->settings);
    char *copy = svc_sys_app_alloc(app, strlen(options->keys_file) + 1);
    if (!copy)
        return SVC_ENOMEM;
    sessions->settings.session_keys_file = strcpy(copy, options->keys_file);
    return 0;
}

/* ---- Metrics, which all sessions of an app share. A failure is kept as a set-up error, and the
 * series counts nothing. */

static void register_events(svc_app *app, struct sessions *sessions)
{
    static const char *const events[SESSION_EVENTS] = {[SESSION_OPENED] = "opened",
                                                       [SESSION_ROTATED] = "rotated",
                                                       [SESSION_ENDED] = "ended",
                                                       [SESSION_REFUSED] = "refused"};
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "session_events_total";
    metric.help = "Sessions of browsers, by what has happened to them.";
    metric.labels[0] = "event";
    svc_counter_family *family = svc_app_counter(app, &metric);
    for (size_t i = 0; i < SESSION_EVENTS; i++)
        sessions->events[i] = svc_counter_of(family, 1, &events[i]);
    metric = (svc_metric)SVC_METRIC_INIT;
    metric.name = "session_store_failures_total";
    metric.help = "Failed questions of sessions to their store.";
    sessions->failures = svc_counter_of(svc_app_counter(app, &metric), 0, NULL);
}

/* ---- The constructor */

const svc_middleware *svc_session_new(svc_app *app, const svc_session_options *options)
{
    svc_session_options own = SVC_SESSION_OPTIONS_INIT;
    size_t least = offsetof(svc_session_options, flags) + sizeof own.flags;
    struct sessions *sessions = svc_sys_app_alloc(app, sizeof *sessions);
    if (!sessions) {
        svc_sys_app_refuse(app, SVC_ENOMEM, "svc_session_new");
        return NULL;
    }
    if (!options || options->size < least || options->size > sizeof own) {
        refuse(app, "options need SVC_SESSION_OPTIONS_INIT");
        return NULL;
    }
    memcpy(&own, options, options->size);
    if (check_options(app, &own) || take_file(app, sessions, &own))
        return NULL;
    sessions->cookie = make_cookie(&own);
    snprintf(sessions->name, sizeof sessions->name, "%s", sessions->cookie.name);
    sessions->cookie.name = sessions->name;
    sessions->store = own.store;
    sessions->idle_s = own.idle_s;
    sessions->absolute_s = own.absolute_s;
    register_events(app, sessions);
    svc__session_prepare(sessions);
    sessions->middleware.start = start_sessions;
    sessions->middleware.stop = stop_sessions;
    return &sessions->middleware;
}
