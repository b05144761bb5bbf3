/* Settings: the library's own and those of the program, in tables of one kind. */
#ifndef SVC_SETTINGS_SETTINGS_H
#define SVC_SETTINGS_SETTINGS_H

#include <svc/config.h>
#include <svc/setting.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/bytes.h"
#include "libsvc/base/faults.h"

/* Where a value is from. Without a prefix, it is the default or what the program has set. */
struct settings_origin {
    const char *prefix; /* of the variable that gave it; in the memory of the settings */
    const char *file;   /* where that stood; NULL: in the environment */
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
enum { SETTINGS_COUNT = 0 SVC_CONFIG_LIST(SETTINGS_ONE, SETTINGS_ONE, SETTINGS_ONE, SETTINGS_ONE) };

/* All settings of one service. */
struct settings {
    svc_config *config;          /* values of the library's own */
    struct arena *memory;        /* texts and tables */
    struct faults *faults;       /* each mistake in them */
    struct settings_table first; /* the library's own */
    struct settings_origin origins[SETTINGS_COUNT];
    const char *prefix;            /* of the environment as last read; NULL before */
    struct settings_table *unread; /* the first for which it has not been read yet, or NULL */
    bool bad;                      /* settings cannot be taken, or are not what they must be */
};

/* The library's own settings, SETTINGS_COUNT of them, of a svc_config. */
extern const svc_setting svc__settings_own[];

/* Begins with the library's own settings, at their defaults, in `config`. The settings are where
 * they stay, and all that they are given lives as long. */
void svc__settings_init(struct settings *settings, svc_config *config, struct arena *memory,
                        struct faults *faults);

/* The prefix of the environment's names: "SVC" until another one has been read. */
const char *svc__settings_prefix(const struct settings *settings);

/* svc_app_configure and svc_app_add_settings, of settings that may still change. The environment is
 * not read into what is added: see svc__settings_source_added. */
int svc__settings_configure(struct settings *settings, const svc_config *config);
int svc__settings_add(struct settings *settings, const svc_setting *table, void *values);

/*
 * Takes over all tables of `from` but the library's own, and from then on reads, checks and shows
 * them with its own: for an app that is mounted on another. `from` keeps the memory, and must live
 * as long. As svc__settings_add, the environment is not read. 0, or SVC_EINVAL for a name that both
 * have.
 */
int svc__settings_adopt(struct settings *settings, struct settings *from);

/* Whether a required value is missing. */
bool svc__settings_missing(const struct settings_table *table, size_t index);

/* Keeps a failure of `call` as a set-up error: a program that ignores it must not start with other
 * settings than it gave. Returns `error`. */
int svc__settings_refuse_call(struct settings *settings, int error, const char *call);

/*
 * Keeps as a set-up error that `name`, which stands at `at`, has a text that the setting cannot
 * have: of another kind (SVC_ESYNTAX), or out of its range. A secret is not shown. SVC_ECONFIG.
 */
int svc__settings_refuse(struct settings *settings, const struct settings_origin *at,
                         const char *name, const svc_setting *setting, struct bytes text,
                         int error);

/* Checks every setting and keeps an error for each that is out of its range, does not
 * parse or is missing. 0 or SVC_ECONFIG. */
int svc__settings_check(struct settings *settings);

#endif
