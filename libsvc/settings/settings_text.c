/* Settings as text: the README's table, the list of --help, and the lines of --print-config. */
#include "libsvc/settings/settings_text.h"

#include <string.h>

#include "libsvc/base/env_file.h"
#include "libsvc/settings/setting.h"

enum { LINE_WIDTH = 80, TEXT_INDENT = 6, MAX_VALUE = 1 << 20 };

/* ---- The README's table */

void svc__settings_text_table(struct buf *out)
{
    svc__buf_puts(out, "| variable | default | range | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const svc_setting *setting = &svc__settings_own[i];
        const char *mark = setting->kind == SVC_SETTING_KIND_NUMBER ? "" : "`";
        char name[SETTING_VARIABLE_SIZE];
        svc__setting_variable(name, setting, "SVC");
        svc__buf_printf(out, "| `%s` | %s", name, mark);
        svc__setting_default(setting, out);
        svc__buf_printf(out, "%s | ", mark);
        svc__setting_range(setting, out);
        svc__buf_printf(out, " | %s |\n", setting->text);
    }
}

/* ---- The list of --help */

/* Appends text without the backquotes of Markdown. */
static size_t put_word(struct buf *out, struct bytes word)
{
    size_t start = out->len;
    while (word.data)
        svc__buf_bytes(out, svc__bytes_cut(&word, '`'));
    return out->len - start;
}

/* Appends a text in indented lines of limited width. */
static void put_text(struct buf *out, const char *text)
{
    struct bytes rest = svc__bytes_z(text);
    size_t column = LINE_WIDTH;
    while (rest.data) {
        struct bytes word = svc__bytes_cut(&rest, ' ');
        bool fits = column + 1 + word.len <= LINE_WIDTH;
        if (!fits)
            svc__buf_printf(out, "\n%*s", TEXT_INDENT, "");
        else
            svc__buf_putc(out, ' ');
        column = (fits ? column + 1 : TEXT_INDENT) + put_word(out, word);
    }
    svc__buf_putc(out, '\n');
}

/* "default 8192 bytes", "default ********", "no default", "required" */
static void put_default(struct buf *out, const svc_setting *setting)
{
    bool none = setting->kind == SVC_SETTING_KIND_STRING && (!setting->string || !*setting->string);
    if (setting->required || none) {
        svc__buf_puts(out, setting->required ? "required" : "no default");
        return;
    }
    svc__buf_puts(out, "default ");
    if (setting->secret)
        svc__buf_puts(out, "********");
    else
        svc__setting_default(setting, out);
}

static void put_setting(struct buf *out, const svc_setting *setting, const char *prefix)
{
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, setting, prefix);
    svc__buf_printf(out, "  %s (", name);
    put_default(out, setting);
    svc__buf_puts(out, setting->kind == SVC_SETTING_KIND_STRING ? "" : "; ");
    svc__setting_range(setting, out);
    svc__buf_puts(out, setting->secret ? "; secret)" : ")");
    put_text(out, setting->text);
}

static void put_settings(struct buf *out, const struct settings_table *table, const char *prefix)
{
    for (size_t i = 0; i < table->count; i++)
        put_setting(out, &table->settings[i], prefix);
}

void svc__settings_text_help(const struct settings *settings, struct buf *out)
{
    const struct settings_table *first = &settings->first;
    for (const struct settings_table *table = first->next; table; table = table->next)
        put_settings(out, table, svc__settings_prefix(settings));
    if (first->next)
        svc__buf_putc(out, '\n');
    put_settings(out, first, svc__settings_prefix(settings));
}

/* ---- The lines of --print-config */

/* A secret that is empty is shown as such, since it is none. */
static void put_value(struct buf *out, const svc_setting *setting, const void *values)
{
    struct buf value;
    svc__buf_init(&value, MAX_VALUE);
    svc__setting_value(setting, values, &value);
    if (svc__buf_error(&value))
        out->error = out->error ? out->error : svc__buf_error(&value);
    else if (setting->secret && value.len > 0)
        svc__buf_puts(out, "********");
    else
        svc__env_file_quote(out, svc__buf_view(&value));
    svc__buf_free(&value);
}

static void put_origin(struct buf *out, const struct settings_table *table, size_t index)
{
    const svc_setting *setting = &table->settings[index];
    const struct settings_origin *origin = &table->origins[index];
    char name[SETTING_VARIABLE_SIZE];
    if (!origin->prefix) {
        bool is_default = svc__setting_is_default(setting, table->values);
        svc__buf_puts(out, is_default ? "default" : "program");
    } else if (!origin->file) {
        svc__setting_variable(name, setting, origin->prefix);
        svc__buf_printf(out, "environment %s", name);
    } else {
        svc__buf_puts(out, "file ");
        svc__env_file_quote(out, svc__bytes_z(origin->file));
        svc__buf_printf(out, ":%zu", origin->line);
    }
}

static void put_line(struct buf *out, const struct settings_table *table, size_t index,
                     const char *prefix)
{
    const svc_setting *setting = &table->settings[index];
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, setting, prefix);
    svc__buf_printf(out, "%s=", name);
    put_value(out, setting, table->values);
    svc__buf_puts(out, " # ");
    put_origin(out, table, index);
    svc__buf_putc(out, '\n');
}

static void put_values(struct buf *out, const struct settings_table *table, const char *prefix)
{
    for (size_t i = 0; i < table->count; i++)
        put_line(out, table, i, prefix);
}

void svc__settings_text_values(const struct settings *settings, struct buf *out)
{
    const struct settings_table *first = &settings->first;
    for (const struct settings_table *table = first->next; table; table = table->next)
        put_values(out, table, svc__settings_prefix(settings));
    put_values(out, first, svc__settings_prefix(settings));
}
