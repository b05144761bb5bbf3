/* Settings: the library's own and those of the program, in tables of one kind. */
#ifndef SVC_SETTINGS_SETTINGS_H
#define SVC_SETTINGS_SETTINGS_H

#include <svc/config.h>
#include <svc/setting.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/bytes.h"
#include "libsvc/base/faults.h"

/* The origin of a value. Without a prefix, the value is the default or was set by the program. */
struct settings_origin {
    const char *prefix; /* of the variable that gave the value; in the memory of the settings */
    const char *file;   /* that has the variable; NULL: the environment */
    size_t line;
};

/* A table, the struct that it describes, and the source of each value. */
struct settings_table {
    const svc_setting *settings; /* `count` of them, none with a fault */
    size_t count;
    void *values;
    struct settings_origin *origins;
    struct settings_table *next;
};

#define SETTINGS_ONE(...) +1
enum {
    SETTINGS_COUNT = 0 SVC_CONFIG_LIST(SETTINGS_ONE, SETTINGS_ONE, SETTINGS_ONE, SETTINGS_ONE,
                                       SETTINGS_ONE)
};

/* All settings of one service. */
struct settings {
    svc_config *config;          /* values of the library's settings */
    struct arena *memory;        /* texts and tables */
    struct faults *faults;       /* a set-up error for each mistake */
    struct settings_table first; /* the library's own */
    struct settings_origin origins[SETTINGS_COUNT];
    const char *prefix;            /* of the environment as last read; NULL before */
    struct settings_table *unread; /* the first without the environment's values yet, or NULL */
    bool bad;                      /* settings could not be read, or some are bad or missing */
};

/* The library's own settings, SETTINGS_COUNT of them, of a svc_config. */
extern const svc_setting svc__settings_own[];

/* Begins with the library's own settings, at their defaults, in `config`. The struct must not be
 * moved, and the other arguments must live as long. */
void svc__settings_init(struct settings *settings, svc_config *config, struct arena *memory,
                        struct faults *faults);

/* The prefix of the environment's names: "SVC" until another one has been read. */
const char *svc__settings_prefix(const struct settings *settings);

/* As svc_app_configure and svc_app_add_settings, for settings that may still change. The
 * environment is not read into the added settings: see svc__settings_source_added. */
int svc__settings_configure(struct settings *settings, const svc_config *config);
int svc__settings_add(struct settings *settings, const svc_setting *table, void *values);

/*
 * Moves all tables of `from` but the library's own to `settings`, which from then on reads, checks
 * and shows them: for an app that is mounted on another. `from` keeps the memory, and must live as
 * long. As with svc__settings_add, the environment is not read. 0, or SVC_EINVAL for a name that
 * both have.
 */
int svc__settings_adopt(struct settings *settings, struct settings *from);

/* Whether a required value is missing. */
bool svc__settings_missing(const struct settings_table *table, size_t index);

/* Keeps a failure of `call` as a set-up error: a program that ignores the failure must not start
 * with other settings than it asked for. Returns `error`. */
int svc__settings_refuse_call(struct settings *settings, int error, const char *call);

/*
 * Keeps a set-up error for `name` at the origin `at`, whose text is no value of the setting: it is
 * of another kind (SVC_ESYNTAX), or out of range. A secret is not shown. Returns SVC_ECONFIG.
 */
int svc__settings_refuse(struct settings *settings, const struct settings_origin *at,
                         const char *name, const svc_setting *setting, struct bytes text,
                         int error);

/* Checks every setting and keeps an error for each that is out of range, does not parse or is
 * missing. 0 or SVC_ECONFIG. */
int svc__settings_check(struct settings *settings);

#endif
