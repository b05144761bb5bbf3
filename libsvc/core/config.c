/* Settings: from a struct and the environment into the app, and their check as a whole. */
#include "libsvc/core/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/endpoint.h"
#include "libsvc/base/num.h"
#include "libsvc/base/sink.h"
#include "libsvc/core/app_internal.h"
#include "libsvc/core/logger.h"

enum setting_kind { SETTING_STRING, SETTING_NUMBER, SETTING_FLAG, SETTING_LEVEL };

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset; /* in svc_config */
    uint64_t min, max;
    const char *unit, *text;
};

#define STRING(name, value, text)                                                                  \
    {#name, SETTING_STRING, offsetof(svc_config, name), 0, 0, "", text},
#define NUMBER(name, value, min, max, unit, text)                                                  \
    {#name, SETTING_NUMBER, offsetof(svc_config, name), min, max, unit, text},
#define FLAG(name, value, text) {#name, SETTING_FLAG, offsetof(svc_config, name), 0, 1, "", text},
#define LEVEL(name, value, text)                                                                   \
    {#name, SETTING_LEVEL, offsetof(svc_config, name), SVC_LEVEL_ERROR, SVC_LEVEL_DEBUG, "", text},

static const struct setting settings[] = {SVC_CONFIG_LIST(STRING, NUMBER, FLAG, LEVEL)};
enum { SETTING_COUNT = sizeof settings / sizeof *settings, MAX_NAME = 128, MAX_PREFIX = 64 };

/* The ranges once more, as constants: what is in a setting's range must be in that of its user. */
#define NO_RANGE(...)
#define RANGE(name, value, min, max, unit, text) MIN_##name = (min), MAX_##name = (max),
enum { SVC_CONFIG_LIST(NO_RANGE, RANGE, NO_RANGE, NO_RANGE) };
_Static_assert((uint64_t)MIN_log_ring_bytes >= SINK_RING_MIN &&
                   (uint64_t)MAX_log_ring_bytes <= SINK_RING_MAX,
               "every log_ring_bytes that the check lets pass must be a size of ring");

/* The member of a configuration that a setting stands for. */
static void *member(svc_config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

static uint64_t number_of(const svc_config *config, const struct setting *setting)
{
    const void *at = (const char *)config + setting->offset;
    if (setting->kind == SETTING_NUMBER)
        return *(const uint64_t *)at;
    int value = *(const int *)at;
    return value < 0 ? UINT64_MAX : (uint64_t)value;
}

/* A list of addresses must parse as a whole; whether they can be opened is seen when they are. */
static int check_addresses(svc_app *app, const char *name, const char *list)
{
    struct bytes rest = svc__bytes_z(list);
    int error = 0;
    for (size_t count = 1; rest.data; count++) {
        struct bytes text = svc__endpoint_next(&rest);
        struct endpoint endpoint;
        const char *reason = "more than 16 addresses";
        if (count <= ENDPOINTS_MAX && !svc__endpoint_parse(text, &endpoint, &reason))
            continue;
        svc__app_error(app, NULL, 0, "setting %s: \"%.*s\": %s", name, (int)text.len, text.data,
                       reason);
        error = SVC_ECONFIG;
    }
    return error;
}

static int check_all_addresses(svc_app *app)
{
    int error = check_addresses(app, "listen", app->config.listen);
    if (!*app->config.admin_listen)
        return error; /* no admin pages are wanted */
    int admin_error = check_addresses(app, "admin_listen", app->config.admin_listen);
    return error ? error : admin_error;
}

int svc__config_check(svc_app *app)
{
    int error = app->config_bad ? SVC_ECONFIG : 0;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        if (setting->kind == SETTING_STRING)
            continue;
        uint64_t value = number_of(&app->config, setting);
        if (value >= setting->min && value <= setting->max)
            continue;
        svc__app_error(app, NULL, 0, "setting %s: %" PRIu64 " is not in %" PRIu64 " to %" PRIu64,
                       setting->name, value, setting->min, setting->max);
        error = SVC_ECONFIG;
    }
    int address_error = check_all_addresses(app);
    int log_error = svc__logger_check(app);
    return error ? error : address_error ? address_error : log_error;
}

/* A program that ignores the failure must not start with other settings than it gave. */
static int refuse(svc_app *app, int error, const char *call)
{
    app->config_bad = true;
    return svc__app_refuse(app, error, call);
}

static int copy_strings(svc_app *app, svc_config *config)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings[i].kind != SETTING_STRING)
            continue;
        const char **text = member(config, &settings[i]);
        const char *given = *text ? *text : "";
        *text = svc__arena_strndup(&app->memory, given, strlen(given));
        if (!*text)
            return SVC_ENOMEM;
    }
    return 0;
}

int svc_app_configure(svc_app *app, const svc_config *config)
{
    if (app->state != APP_BUILDING)
        return refuse(app, SVC_ESTATE, "svc_app_configure");
    if (!config || config->size < sizeof *config)
        return refuse(app, SVC_EINVAL, "svc_app_configure");
    svc_config copy = *config;
    if (copy_strings(app, &copy))
        return refuse(app, SVC_ENOMEM, "svc_app_configure");
    app->config = copy;
    return 0;
}

static int parse_flag(const char *text, int *out)
{
    static const char *const off[] = {"0", "false", "off", "no"};
    static const char *const on[] = {"1", "true", "on", "yes"};
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        if (!strcmp(text, on[i]) || !strcmp(text, off[i])) {
            *out = !strcmp(text, on[i]);
            return 0;
        }
    }
    return SVC_ESYNTAX;
}

static int parse(svc_app *app, const struct setting *setting, const char *text)
{
    void *out = member(&app->config, setting);
    switch (setting->kind) {
    case SETTING_STRING: {
        const char *copy = svc__arena_strndup(&app->memory, text, strlen(text));
        if (copy)
            *(const char **)out = copy;
        return copy ? 0 : SVC_ENOMEM;
    }
    case SETTING_NUMBER:
        return svc__num_u64(svc__bytes_z(text), UINT64_MAX, out);
    case SETTING_FLAG:
        return parse_flag(text, out);
    case SETTING_LEVEL:
        return svc__log_level_parse(svc__bytes_z(text), out);
    }
    return SVC_EINVAL;
}

static const char *expected(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_NUMBER:
        return "a whole number";
    case SETTING_FLAG:
        return "on or off";
    case SETTING_LEVEL:
        return "error, warn, info or debug";
    case SETTING_STRING:
        break;
    }
    return "a text";
}

/* "SVC" and "max_body_bytes" make "SVC_MAX_BODY_BYTES". */
static void environment_name(char out[static MAX_NAME], const char *prefix, const char *name)
{
    snprintf(out, MAX_NAME, "%s_%s", prefix, name);
    for (char *at = out + strlen(prefix); *at; at++)
        *at = (char)toupper((unsigned char)*at);
}

static int refuse_variable(svc_app *app, const struct setting *setting, const char *name,
                           const char *text, int error)
{
    if (error == SVC_ENOMEM)
        return refuse(app, error, name);
    svc__app_error(app, NULL, 0, "%s: \"%s\" is not %s", name, text, expected(setting->kind));
    app->config_bad = true;
    return SVC_ECONFIG;
}

int svc_app_environment(svc_app *app, const char *prefix)
{
    if (app->state != APP_BUILDING)
        return refuse(app, SVC_ESTATE, "svc_app_environment");
    if (!prefix || strlen(prefix) > MAX_PREFIX)
        return refuse(app, SVC_EINVAL, "svc_app_environment");
    app->environment_read = true;
    int first = 0;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char name[MAX_NAME];
        environment_name(name, prefix, settings[i].name);
        const char *text = getenv(name);
        int error = text ? parse(app, &settings[i], text) : 0;
        if (error)
            error = refuse_variable(app, &settings[i], name, text, error);
        first = first ? first : error;
    }
    return first;
}

static void table_default(struct buf *out, const struct setting *setting, const svc_config *config)
{
    const char *text = "";
    switch (setting->kind) {
    case SETTING_STRING:
        text = *(const char *const *)(const void *)((const char *)config + setting->offset);
        break;
    case SETTING_FLAG:
        text = number_of(config, setting) ? "on" : "off";
        break;
    case SETTING_LEVEL:
        text = svc__log_level_name((int)number_of(config, setting));
        break;
    case SETTING_NUMBER:
        svc__buf_printf(out, "%" PRIu64 "%s%s", number_of(config, setting),
                        *setting->unit ? " " : "", setting->unit);
        return;
    }
    svc__buf_printf(out, "`%s`", text);
}

void svc__config_table(struct buf *out)
{
    const svc_config defaults = SVC_CONFIG_INIT;
    svc__buf_puts(out, "| variable | default | range | what |\n|---|---|---|---|\n");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        char name[MAX_NAME];
        environment_name(name, "SVC", setting->name);
        svc__buf_printf(out, "| `%s` | ", name);
        table_default(out, setting, &defaults);
        svc__buf_puts(out, " | ");
        if (setting->kind == SETTING_NUMBER)
            svc__buf_printf(out, "%" PRIu64 " to %" PRIu64, setting->min, setting->max);
        else
            svc__buf_puts(out, setting->kind == SETTING_STRING ? "" : expected(setting->kind));
        svc__buf_printf(out, " | %s |\n", setting->text);
    }
}
