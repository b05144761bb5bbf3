/* Levels by name and by module. */
#ifndef SVC_LOG_LOG_LEVEL_H
#define SVC_LOG_LOG_LEVEL_H

#include <svc/log.h>

#include "libsvc/base/bytes.h"

enum { LOG_RULES = 32, LOG_MODULE_MAX = 31 };

/* A level that lets nothing pass. */
enum { LOG_NOTHING = SVC_LEVEL_ERROR - 1 };

/* A level for a module. */
struct log_rule {
    struct bytes module;
    int level;
};

/* The levels of an app: of modules that have a rule, and of all others. */
struct log_levels {
    int fallback;
    size_t count;
    struct log_rule rules[LOG_RULES];
};

/* The name of a level: "error", "warn", "info", "debug". Any thread. */
const char *svc__log_level_name(int level);

/* The level of a name. 0 or SVC_ESYNTAX; `*out` is written only on success. Any thread. */
int svc__log_level_parse(struct bytes name, int *out);

/*
 * Reads rules such as "store=debug,http=warn" in place of those in `out`; the names point into
 * `text`. 0, or SVC_ESYNTAX with `out` unchanged, the bad rule in `*bad` and the reason in
 * `*reason`. Any thread.
 */
int svc__log_level_rules(struct log_levels *out, const char *text, struct bytes *bad,
                         const char **reason);

/* The least urgent level of a module that an app with these levels logs. Any thread. */
int svc__log_level_of(const struct log_levels *levels, const char *module);

/* Raises the ceilings of modules, so that call sites pass on the lines that these levels want. Any
 * thread. */
void svc__log_level_raise(const struct log_levels *levels);

/* The address of a module's ceiling, the least urgent level that any app of the program asks for; a
 * call site keeps it in `ceiling`. Valid as long as the library is loaded. Any thread. */
const int *svc__log_level_ceiling(const char *module);

#endif
