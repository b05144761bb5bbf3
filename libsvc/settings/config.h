/* The settings of an app: the library's own and those of the program, in tables of one kind. */
#ifndef SVC_SETTINGS_CONFIG_H
#define SVC_SETTINGS_CONFIG_H

#include <svc/config.h>
#include <svc/setting.h>

#include "libsvc/base/bytes.h"

/* Where a value is from. Without a prefix, it is the default or what the program has set. */
struct config_origin {
    const char *prefix; /* of the variable that gave it; in the app's memory */
    const char *file;   /* where that stood; NULL: in the environment */
    size_t line;
};

/* A table, the struct that it tells of, and where each value in it is from. */
struct config_table {
    const svc_setting *settings; /* `count` of them, none with a fault */
    size_t count;
    void *values;
    struct config_origin *origins;
    struct config_table *next;
};

#define CONFIG_ONE(...) +1
enum { CONFIG_COUNT = 0 SVC_CONFIG_LIST(CONFIG_ONE, CONFIG_ONE, CONFIG_ONE, CONFIG_ONE) };

/* What an app keeps of its settings. */
struct config_tables {
    struct config_table first; /* the library's own */
    struct config_origin origins[CONFIG_COUNT];
    const char *prefix; /* of the environment as last read; NULL before */
    bool bad;           /* settings cannot be taken, or are not what they must be */
};

/* The library's own settings, CONFIG_COUNT of them, of a svc_config. */
extern const svc_setting svc__config_own[];

/* Begins an app's settings with the library's own, at their defaults. */
void svc__config_init(svc_app *app);

/* The prefix of the app's environment names: "SVC" until another one has been read. */
const char *svc__config_prefix(const svc_app *app);

/*
 * Hands all tables of `from` but the library's own over to `app`, which from then on reads, checks
 * and shows them with its own: for an app that is mounted on another. `from` keeps the memory, and
 * must live as long as `app`. 0, SVC_EINVAL for a name that both have, or what svc_app_environment
 * returns.
 */
int svc__config_adopt(svc_app *app, svc_app *from);

/* Whether a value must be given and has not been. */
bool svc__config_missing(const struct config_table *table, size_t index);

/* Keeps a failure of `call` as a set-up error: a program that ignores it must not start with other
 * settings than it gave. Returns `error`. */
int svc__config_refuse_call(svc_app *app, int error, const char *call);

/*
 * Keeps as a set-up error that `name`, which stands at `at`, has a text that the setting cannot
 * have: of another kind (SVC_ESYNTAX), or out of its range. A secret is not shown. SVC_ECONFIG.
 */
int svc__config_refuse(svc_app *app, const struct config_origin *at, const char *name,
                       const svc_setting *setting, struct bytes text, int error);

/* Checks every setting of the app and keeps an error for each that is out of its range, does not
 * parse or is missing. 0 or SVC_ECONFIG. */
int svc__config_check(svc_app *app);

#endif
