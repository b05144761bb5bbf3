/* Tables of settings: their values from the program, and their check as a whole. */
#include "libsvc/settings/settings.h"

#include <stdio.h>
#include <string.h>

#include "libsvc/base/listen_text.h"
#include "libsvc/base/sized.h"
#include "libsvc/log/log_level.h"
#include "libsvc/log/sink.h"
#include "libsvc/proto/network.h"
#include "libsvc/settings/setting.h"

enum { MAX_SHOWN = 65536 };

#define STRING(name, value, text) SVC_SETTING_STRING(svc_config, name, value, text),
#define NUMBER(name, value, min, max, unit, text)                                                  \
    SVC_SETTING_NUMBER(svc_config, name, value, min, max, unit, text),
#define FLAG(name, value, text) SVC_SETTING_FLAG(svc_config, name, value, text),
#define CHOICE(name, value, words, text) SVC_SETTING_CHOICE(svc_config, name, value, words, text),
#define SECRET(name, value, text)                                                                  \
    SVC_SETTING_STRING(svc_config, name, value, text, .secret = true),

const svc_setting svc__settings_own[] = {SVC_CONFIG_LIST(STRING, NUMBER, FLAG, CHOICE, SECRET)};

/* The ranges once more, as constants: a setting's range must lie in that of the code that uses it.
 */
#define NO_RANGE(...)
#define RANGE(name, value, min, max, unit, text) MIN_##name = (min), MAX_##name = (max),
enum { SVC_CONFIG_LIST(NO_RANGE, RANGE, NO_RANGE, NO_RANGE, NO_RANGE) };
_Static_assert((uint64_t)MIN_log_ring_bytes >= SINK_RING_MIN &&
                   (uint64_t)MAX_log_ring_bytes <= SINK_RING_MAX,
               "every log_ring_bytes that the check lets pass must be a size of ring");

void svc__settings_init(struct settings *settings, svc_config *config, struct arena *memory,
                        struct faults *faults)
{
    *config = (svc_config)SVC_CONFIG_INIT;
    *settings = (struct settings){.config = config, .memory = memory, .faults = faults};
    settings->first = (struct settings_table){.settings = svc__settings_own,
                                              .count = SETTINGS_COUNT,
                                              .values = config,
                                              .origins = settings->origins};
}

const char *svc__settings_prefix(const struct settings *settings)
{
    return settings->prefix ? settings->prefix : "SVC";
}

/* ---- Values from the program */

int svc__settings_refuse_call(struct settings *settings, int error, const char *call)
{
    settings->bad = true;
    return svc__faults_refuse(settings->faults, error, call);
}

static int copy_strings(struct settings *settings, svc_config *config)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const svc_setting *setting = &svc__settings_own[i];
        if (setting->kind != SVC_SETTING_KIND_STRING)
            continue;
        const char *given = svc__setting_string(setting, config);
        if (svc__setting_parse(setting, svc__bytes_z(given), config, settings->memory))
            return SVC_ENOMEM;
    }
    return 0;
}

int svc__settings_configure(struct settings *settings, const svc_config *config)
{
    svc_config copy = SVC_CONFIG_INIT;
    if (SIZED_READ(&copy, config, listen))
        return svc__settings_refuse_call(settings, SVC_EINVAL, "svc_app_configure");
    if (copy_strings(settings, &copy))
        return svc__settings_refuse_call(settings, SVC_ENOMEM, "svc_app_configure");
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (settings->origins[i].prefix)
            svc__setting_copy(&svc__settings_own[i], settings->config, &copy);
    *settings->config = copy;
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
static struct settings_table *copy_table(struct settings *settings, const svc_setting *row,
                                         size_t count, void *values)
{
    struct settings_table *table = svc__arena_zalloc(settings->memory, sizeof *table);
    svc_setting *rows = svc__arena_zalloc(settings->memory, count * sizeof *rows);
    struct settings_origin *origins = svc__arena_zalloc(settings->memory, count * sizeof *origins);
    if (!table || !rows || !origins)
        return NULL;
    for (size_t i = 0; i < count; i++, row = next_row(row)) {
        rows[i].size = sizeof *rows;
        SIZED_READ(&rows[i], row, text);
    }
    *table = (struct settings_table){rows, count, values, origins, NULL};
    return table;
}

static bool has_name(const struct settings_table *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(table->settings[i].name, name))
            return true;
    return false;
}

static bool name_taken(const struct settings *settings, const char *name)
{
    for (const struct settings_table *at = &settings->first; at; at = at->next)
        if (has_name(at, at->count, name))
            return true;
    return false;
}

/* Checks all rows, so that each mistake is reported. */
static int check_table(struct settings *settings, const struct settings_table *table)
{
    int error = 0;
    for (size_t i = 0; i < table->count; i++) {
        const svc_setting *setting = &table->settings[i];
        const char *fault = svc__setting_fault(setting);
        if (!fault && (name_taken(settings, setting->name) || has_name(table, i, setting->name)))
            fault = "the name is taken";
        if (!fault)
            continue;
        svc__faults_add(settings->faults, NULL, 0, "setting %s: %s", setting->name, fault);
        settings->bad = true;
        error = SVC_EINVAL;
    }
    return error;
}

/* Appends a list of tables. */
static void append_tables(struct settings *settings, struct settings_table *first)
{
    struct settings_table *last = &settings->first;
    while (last->next)
        last = last->next;
    last->next = first;
    if (!settings->unread)
        settings->unread = first;
}

int svc__settings_add(struct settings *settings, const svc_setting *table, void *values)
{
    size_t count = table && values ? count_rows(table) : SIZE_MAX;
    if (count == SIZE_MAX)
        return svc__settings_refuse_call(settings, SVC_EINVAL, "svc_app_add_settings");
    struct settings_table *copy = copy_table(settings, table, count, values);
    if (!copy)
        return svc__settings_refuse_call(settings, SVC_ENOMEM, "svc_app_add_settings");
    int error = check_table(settings, copy);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++)
        svc__setting_reset(&copy->settings[i], values);
    append_tables(settings, copy);
    return 0;
}

int svc__settings_adopt(struct settings *settings, struct settings *from)
{
    struct settings_table *first = from->first.next;
    settings->bad = settings->bad || from->bad;
    int error = 0;
    for (const struct settings_table *at = first; at && !error; at = at->next)
        error = check_table(settings, at);
    if (error || !first)
        return error;
    from->first.next = from->unread = NULL;
    append_tables(settings, first);
    return 0;
}

/* ---- The check as a whole */

bool svc__settings_missing(const struct settings_table *table, size_t index)
{
    const svc_setting *setting = &table->settings[index];
    if (!setting->required)
        return false;
    if (setting->kind == SVC_SETTING_KIND_STRING)
        return !*svc__setting_string(setting, table->values);
    return !table->origins[index].prefix && svc__setting_is_default(setting, table->values);
}

/* Appends the part of the error about a bad value that follows "is not". */
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

int svc__settings_refuse(struct settings *settings, const struct settings_origin *at,
                         const char *name, const svc_setting *setting, struct bytes text, int error)
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
    svc__faults_add(settings->faults, at->file, (int)at->line, "%s: %s", name,
                    svc__buf_error(&why) ? "a value that is not possible" : why.data);
    svc__buf_free(&why);
    return SVC_ECONFIG;
}

static int check_value(struct settings *settings, const struct settings_table *table, size_t index)
{
    const svc_setting *setting = &table->settings[index];
    char name[SETTING_VARIABLE_SIZE + 16];
    if (svc__settings_missing(table, index)) {
        svc__setting_variable(name, setting, svc__settings_prefix(settings));
        svc__faults_add(settings->faults, NULL, 0, "setting %s: %s must be set", setting->name,
                        name);
        return SVC_ECONFIG;
    }
    if (svc__setting_in_range(setting, table->values))
        return 0;
    struct buf value;
    svc__buf_init(&value, MAX_SHOWN);
    svc__setting_value(setting, table->values, &value);
    snprintf(name, sizeof name, "setting %s", setting->name);
    svc__settings_refuse(settings, &(struct settings_origin){0}, name, setting,
                         svc__buf_view(&value), SVC_ETOOBIG);
    svc__buf_free(&value);
    return SVC_ECONFIG;
}

/* A list of listeners must parse as a whole; a failure to open them shows later, at the start. */
static int check_addresses(struct settings *settings, const char *name, const char *list)
{
    struct bytes rest = svc__bytes_z(list);
    int error = 0;
    for (size_t count = 1; rest.data; count++) {
        struct bytes text = svc__listen_text_next(&rest);
        struct listen_text parsed;
        const char *reason = "more than 16 addresses";
        if (count <= LISTEN_TEXTS_MAX && !svc__listen_text_parse(text, &parsed, &reason))
            continue;
        svc__faults_add(settings->faults, NULL, 0, "setting %s: \"%.*s\": %s", name, (int)text.len,
                        text.data, reason);
        error = SVC_ECONFIG;
    }
    return error;
}

static int check_networks(struct settings *settings)
{
    struct network networks[NETWORK_LIST_MAX];
    size_t count;
    struct bytes bad;
    int error =
        svc__network_list(svc__bytes_z(settings->config->exempt_networks), networks, &count, &bad);
    if (!error)
        return 0;
    svc__faults_add(settings->faults, NULL, 0, "setting exempt_networks: \"%.*s\": %s",
                    (int)bad.len, bad.data,
                    error == SVC_ETOOBIG ? "more than 64 networks"
                                         : "no network such as 192.0.2.0/24 or 2001:db8::/32");
    return SVC_ECONFIG;
}

static int check_log_levels(struct settings *settings)
{
    struct log_levels levels = {.count = 0};
    struct bytes bad;
    const char *reason;
    if (!svc__log_level_rules(&levels, settings->config->log_levels, &bad, &reason))
        return 0;
    svc__faults_add(settings->faults, NULL, 0, "setting log_levels: \"%.*s\" %s", (int)bad.len,
                    bad.data, reason);
    return SVC_ECONFIG;
}

static int check_values(struct settings *settings)
{
    int error = 0;
    for (const struct settings_table *table = &settings->first; table; table = table->next) {
        for (size_t i = 0; i < table->count; i++) {
            int value_error = check_value(settings, table, i);
            error = error ? error : value_error;
        }
    }
    return error;
}

int svc__settings_check(struct settings *settings)
{
    const svc_config *config = settings->config;
    int value_error = check_values(settings);
    int listen_error = check_addresses(settings, "listen", config->listen);
    int admin_error = *config->admin_listen /* "": without admin pages */
                          ? check_addresses(settings, "admin_listen", config->admin_listen)
                          : 0;
    int network_error = check_networks(settings), log_error = check_log_levels(settings);
    if (value_error || listen_error || admin_error || network_error || log_error)
        settings->bad = true;
    return settings->bad ? SVC_ECONFIG : 0;
}
