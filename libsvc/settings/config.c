/* The tables of an app's settings: what the program gives for them, and their check as a whole. */
#include "libsvc/settings/config.h"

#include <stdio.h>
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/endpoint.h"
#include "libsvc/base/sink.h"
#include "libsvc/base/sized.h"
#include "libsvc/log/logger.h"
#include "libsvc/proto/network.h"
#include "libsvc/settings/config_source.h"
#include "libsvc/settings/setting.h"

enum { MAX_SHOWN = 65536 };

#define STRING(name, value, text) SVC_SETTING_STRING(svc_config, name, value, text),
#define NUMBER(name, value, min, max, unit, text)                                                  \
    SVC_SETTING_NUMBER(svc_config, name, value, min, max, unit, text),
#define FLAG(name, value, text) SVC_SETTING_FLAG(svc_config, name, value, text),
#define CHOICE(name, value, words, text) SVC_SETTING_CHOICE(svc_config, name, value, words, text),

const svc_setting svc__config_own[] = {SVC_CONFIG_LIST(STRING, NUMBER, FLAG, CHOICE)};

/* The ranges once more, as constants: what is in a setting's range must be in that of its user. */
#define NO_RANGE(...)
#define RANGE(name, value, min, max, unit, text) MIN_##name = (min), MAX_##name = (max),
enum { SVC_CONFIG_LIST(NO_RANGE, RANGE, NO_RANGE, NO_RANGE) };
_Static_assert((uint64_t)MIN_log_ring_bytes >= SINK_RING_MIN &&
                   (uint64_t)MAX_log_ring_bytes <= SINK_RING_MAX,
               "every log_ring_bytes that the check lets pass must be a size of ring");

void svc__config_init(svc_app *app)
{
    app->config = (svc_config)SVC_CONFIG_INIT;
    app->tables.first = (struct config_table){.settings = svc__config_own,
                                              .count = CONFIG_COUNT,
                                              .values = &app->config,
                                              .origins = app->tables.origins};
}

const char *svc__config_prefix(const svc_app *app)
{
    return app->tables.prefix ? app->tables.prefix : "SVC";
}

/* ---- What the program gives */

int svc__config_refuse_call(svc_app *app, int error, const char *call)
{
    app->tables.bad = true;
    return svc__faults_refuse(&app->faults, error, call);
}

static int copy_strings(svc_app *app, svc_config *config)
{
    for (size_t i = 0; i < CONFIG_COUNT; i++) {
        const svc_setting *setting = &svc__config_own[i];
        if (setting->kind != SVC_SETTING_KIND_STRING)
            continue;
        const char *given = svc__setting_string(setting, config);
        if (svc__setting_parse(setting, svc__bytes_z(given), config, &app->memory))
            return SVC_ENOMEM;
    }
    return 0;
}

int svc_app_configure(svc_app *app, const svc_config *config)
{
    int error = svc__app_open(app, "svc_app_configure");
    if (error)
        return error;
    svc_config copy = SVC_CONFIG_INIT;
    if (SIZED_READ(&copy, config, listen))
        return svc__config_refuse_call(app, SVC_EINVAL, "svc_app_configure");
    if (copy_strings(app, &copy))
        return svc__config_refuse_call(app, SVC_ENOMEM, "svc_app_configure");
    app->config = copy;
    memset(app->tables.origins, 0, sizeof app->tables.origins);
    return 0;
}

static const svc_setting *next_row(const svc_setting *row)
{
    return (const svc_setting *)(const void *)((const char *)row + row->size);
}

/* The number of rows before the end; SIZE_MAX when one cannot be read. */
static size_t count_rows(const svc_setting *row)
{
    svc_setting own = {.size = sizeof own};
    size_t count = 0;
    for (; !SIZED_READ(&own, row, text); row = next_row(row), count++)
        if (!row->name)
            return count;
    return SIZE_MAX;
}

/* A table with the program's rows side by side, whatever their size. NULL when out of memory. */
static struct config_table *copy_table(svc_app *app, const svc_setting *row, size_t count,
                                       void *values)
{
    struct config_table *table = svc__arena_zalloc(&app->memory, sizeof *table);
    svc_setting *settings = svc__arena_zalloc(&app->memory, count * sizeof *settings);
    struct config_origin *origins = svc__arena_zalloc(&app->memory, count * sizeof *origins);
    if (!table || !settings || !origins)
        return NULL;
    for (size_t i = 0; i < count; i++, row = next_row(row)) {
        settings[i].size = sizeof *settings;
        SIZED_READ(&settings[i], row, text);
    }
    *table = (struct config_table){settings, count, values, origins, NULL};
    return table;
}

static bool has_name(const struct config_table *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(table->settings[i].name, name))
            return true;
    return false;
}

static bool name_taken(const svc_app *app, const char *name)
{
    for (const struct config_table *at = &app->tables.first; at; at = at->next)
        if (has_name(at, at->count, name))
            return true;
    return false;
}

/* All rows are looked at, so that each mistake is told. */
static int check_table(svc_app *app, const struct config_table *table)
{
    int error = 0;
    for (size_t i = 0; i < table->count; i++) {
        const svc_setting *setting = &table->settings[i];
        const char *fault = svc__setting_fault(setting);
        if (!fault && (name_taken(app, setting->name) || has_name(table, i, setting->name)))
            fault = "the name is taken";
        if (!fault)
            continue;
        svc__faults_add(&app->faults, NULL, 0, "setting %s: %s", setting->name, fault);
        app->tables.bad = true;
        error = SVC_EINVAL;
    }
    return error;
}

/* Puts a list of tables behind those of the app. */
static int append_tables(svc_app *app, struct config_table *first)
{
    struct config_table *last = &app->tables.first;
    while (last->next)
        last = last->next;
    last->next = first;
    return app->tables.prefix ? svc__config_source_environment(app, first) : 0;
}

int svc_app_settings(svc_app *app, const svc_setting *table, void *values)
{
    int error = svc__app_open(app ? svc__app_root(app) : NULL, "svc_app_settings");
    if (error)
        return error;
    app = svc__app_root(app); /* of a mounted app the outer one reads and checks them */
    size_t count = table && values ? count_rows(table) : SIZE_MAX;
    if (count == SIZE_MAX)
        return svc__config_refuse_call(app, SVC_EINVAL, "svc_app_settings");
    struct config_table *copy = copy_table(app, table, count, values);
    if (!copy)
        return svc__config_refuse_call(app, SVC_ENOMEM, "svc_app_settings");
    error = check_table(app, copy);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++)
        svc__setting_reset(&copy->settings[i], values);
    return append_tables(app, copy);
}

int svc__config_adopt(svc_app *app, svc_app *from)
{
    struct config_table *first = from->tables.first.next;
    app->tables.bad = app->tables.bad || from->tables.bad;
    int error = 0;
    for (const struct config_table *at = first; at && !error; at = at->next)
        error = check_table(app, at);
    if (error || !first)
        return error;
    from->tables.first.next = NULL;
    return append_tables(app, first);
}

/* ---- The check as a whole */

bool svc__config_missing(const struct config_table *table, size_t index)
{
    const svc_setting *setting = &table->settings[index];
    if (!setting->required)
        return false;
    if (setting->kind == SVC_SETTING_KIND_STRING)
        return !*svc__setting_string(setting, table->values);
    return !table->origins[index].prefix && svc__setting_is_default(setting, table->values);
}

/* What is said of a bad value behind "is not". */
static void put_expected(const svc_setting *setting, int error, struct buf *out)
{
    bool number = setting->kind == SVC_SETTING_KIND_NUMBER;
    if (number && error == SVC_ESYNTAX) {
        svc__buf_puts(out, "a whole number");
        return;
    }
    svc__buf_puts(out, number ? "in " : "");
    svc__setting_range(setting, out);
}

int svc__config_refuse(svc_app *app, const struct config_origin *at, const char *name,
                       const svc_setting *setting, struct bytes text, int error)
{
    struct buf why;
    svc__buf_init(&why, MAX_SHOWN);
    if (setting->secret)
        svc__buf_puts(&why, "the value");
    else
        svc__buf_printf(&why, "\"%.*s\"", (int)text.len, text.data);
    svc__buf_puts(&why, " is not ");
    put_expected(setting, error, &why);
    svc__buf_terminate(&why);
    svc__faults_add(&app->faults, at->file, (int)at->line, "%s: %s", name,
                    svc__buf_error(&why) ? "a value that is not possible" : why.data);
    svc__buf_free(&why);
    return SVC_ECONFIG;
}

static int check_value(svc_app *app, const struct config_table *table, size_t index)
{
    const svc_setting *setting = &table->settings[index];
    char name[SETTING_VARIABLE_SIZE + 16];
    if (svc__config_missing(table, index)) {
        svc__setting_variable(name, setting, svc__config_prefix(app));
        svc__faults_add(&app->faults, NULL, 0, "setting %s: %s must be set", setting->name, name);
        return SVC_ECONFIG;
    }
    if (svc__setting_in_range(setting, table->values))
        return 0;
    struct buf value;
    svc__buf_init(&value, MAX_SHOWN);
    svc__setting_value(setting, table->values, &value);
    snprintf(name, sizeof name, "setting %s", setting->name);
    svc__config_refuse(app, &(struct config_origin){0}, name, setting, svc__buf_view(&value),
                       SVC_ETOOBIG);
    svc__buf_free(&value);
    return SVC_ECONFIG;
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
        svc__faults_add(&app->faults, NULL, 0, "setting %s: \"%.*s\": %s", name, (int)text.len,
                        text.data, reason);
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

static int check_networks(svc_app *app)
{
    struct network networks[NETWORK_LIST_MAX];
    size_t count;
    struct bytes bad;
    int error =
        svc__network_list(svc__bytes_z(app->config.exempt_networks), networks, &count, &bad);
    if (!error)
        return 0;
    svc__faults_add(&app->faults, NULL, 0, "setting exempt_networks: \"%.*s\": %s", (int)bad.len,
                    bad.data,
                    error == SVC_ETOOBIG ? "more than 64 networks"
                                         : "no network such as 192.0.2.0/24 or 2001:db8::/32");
    return SVC_ECONFIG;
}

static int check_values(svc_app *app)
{
    int error = 0;
    for (const struct config_table *table = &app->tables.first; table; table = table->next) {
        for (size_t i = 0; i < table->count; i++) {
            int value_error = check_value(app, table, i);
            error = error ? error : value_error;
        }
    }
    return error;
}

int svc__config_check(svc_app *app)
{
    int error = check_values(app), address_error = check_all_addresses(app);
    int network_error = check_networks(app), log_error = svc__logger_check(app);
    if (error || address_error || network_error || log_error)
        app->tables.bad = true;
    for (const struct mount *mount = app->mounts; mount; mount = mount->next)
        if (svc__config_check(mount->app))
            app->tables.bad = true;
    return app->tables.bad ? SVC_ECONFIG : 0;
}
