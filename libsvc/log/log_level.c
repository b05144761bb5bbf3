/*
 * Levels by module. A call that is off must cost next to nothing, and yet the level is a setting of
 * an app, of which a program may have several. So each module has one variable, whose address each
 * call site keeps, with the least urgent level that any app asks for; the app's own level is looked
 * up only for a line that passes this check.
 */
#include "libsvc/log/log_level.h"

#include <pthread.h>
#include <string.h>

/* Modules beyond this number, or with longer names, are looked up at each call. */
enum { MODULES = 64 };

static struct module {
    char name[LOG_MODULE_MAX + 1];
    int ceiling;
} modules[MODULES];

static size_t module_count;
static int highest_fallback = LOG_NOTHING; /* of all apps: the first ceiling of a new module */
static const int no_ceiling = SVC_LEVEL_DEBUG;
static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* for all of these, but a ceiling is read without it */

const char *svc__log_level_name(int level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    bool known = level >= SVC_LEVEL_ERROR && level <= SVC_LEVEL_DEBUG;
    return known ? names[level] : "info";
}

int svc__log_level_parse(struct bytes name, int *out)
{
    for (int level = SVC_LEVEL_ERROR; level <= SVC_LEVEL_DEBUG; level++) {
        if (svc__bytes_eq_z(name, svc__log_level_name(level))) {
            *out = level;
            return 0;
        }
    }
    return SVC_ESYNTAX;
}

static bool module_valid(struct bytes name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (name.len == 0 || name.len > LOG_MODULE_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!memchr(allowed, name.data[i], sizeof allowed - 1))
            return false;
    return true;
}

/* Adds a rule. NULL, or the reason why it is wrong. */
static const char *add_rule(struct log_levels *levels, struct bytes text)
{
    struct bytes level = text;
    struct log_rule rule = {.module = svc__bytes_trim(svc__bytes_cut(&level, '='))};
    if (!level.data)
        return "is not module=level";
    if (!module_valid(rule.module))
        return "has a module that is not 1 to 31 letters, digits, '_', '.' or '-'";
    if (svc__log_level_parse(svc__bytes_trim(level), &rule.level))
        return "has a level that is not error, warn, info or debug";
    if (levels->count == LOG_RULES)
        return "is one of more than 32";
    levels->rules[levels->count++] = rule;
    return NULL;
}

int svc__log_level_rules(struct log_levels *out, const char *text, struct bytes *bad,
                         const char **reason)
{
    struct log_levels levels = {.fallback = out->fallback};
    struct bytes rest = svc__bytes_z(text);
    while (rest.data) {
        struct bytes rule = svc__bytes_trim(svc__bytes_cut(&rest, ','));
        const char *wrong = rule.len ? add_rule(&levels, rule) : NULL;
        if (wrong) {
            *bad = rule;
            *reason = wrong;
            return SVC_ESYNTAX;
        }
    }
    *out = levels;
    return 0;
}

/* The last rule of a module counts. */
static int level_of(const struct log_levels *levels, struct bytes module)
{
    for (size_t i = levels->count; i-- > 0;)
        if (svc__bytes_eq(levels->rules[i].module, module))
            return levels->rules[i].level;
    return levels->fallback;
}

int svc__log_level_of(const struct log_levels *levels, const char *module)
{
    return levels->count ? level_of(levels, svc__bytes_z(module)) : levels->fallback;
}

/* Called with the lock held. NULL when there is no room. */
static struct module *find_or_add(struct bytes name)
{
    for (size_t i = 0; i < module_count; i++)
        if (svc__bytes_eq_z(name, modules[i].name))
            return &modules[i];
    if (module_count == MODULES || name.len > LOG_MODULE_MAX)
        return NULL;
    struct module *module = &modules[module_count++];
    memcpy(module->name, name.data, name.len);
    __atomic_store_n(&module->ceiling, highest_fallback, __ATOMIC_RELAXED);
    return module;
}

static void raise_to(int *ceiling, int level)
{
    if (level > __atomic_load_n(ceiling, __ATOMIC_RELAXED))
        __atomic_store_n(ceiling, level, __ATOMIC_RELAXED);
}

void svc__log_level_raise(const struct log_levels *levels)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < levels->count; i++)
        find_or_add(levels->rules[i].module);
    for (size_t i = 0; i < module_count; i++)
        raise_to(&modules[i].ceiling, level_of(levels, svc__bytes_z(modules[i].name)));
    raise_to(&highest_fallback, levels->fallback);
    pthread_mutex_unlock(&lock);
}

const int *svc__log_level_ceiling(const char *name)
{
    pthread_mutex_lock(&lock);
    const struct module *module = find_or_add(svc__bytes_z(name));
    pthread_mutex_unlock(&lock);
    return module ? &module->ceiling : &no_ceiling;
}
