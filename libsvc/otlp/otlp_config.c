/* The environment of an exporter. */
#include "libsvc/otlp/otlp_config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <svc/app.h>
#include <svc/sys/app.h>
#include <svc/version.h>

enum { NUMBER_MOST = 1000000000 };

static void warn_of(struct otlp_config *config, const char *name, const char *reason)
{
    if (config->warning_count < OTLP_WARNINGS_MOST)
        config->warnings[config->warning_count++] = (struct otlp_warning){name, reason};
}

/* The value of a variable; NULL when it is not set, or empty, which the specification says is the
 * same. */
static const char *find_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The name of the first of two variables that is set; NULL when none is. */
static const char *name_first(const char *first, const char *second)
{
    if (find_variable(first))
        return first;
    return find_variable(second) ? second : NULL;
}

static void read_number(struct otlp_config *config, const char *name, uint64_t least,
                        uint64_t *number)
{
    const char *text = name ? find_variable(name) : NULL;
    uint64_t read = 0;
    if (!text)
        return;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || read > NUMBER_MOST) {
            warn_of(config, name, "is no number in its range");
            return;
        }
        read = read * 10 + (uint64_t)(*at - '0');
    }
    if (read < least || read > NUMBER_MOST)
        warn_of(config, name, "is no number in its range");
    else
        *number = read;
}

static bool read_flag(struct otlp_config *config, const char *name)
{
    const char *text = find_variable(name);
    bool set = text && !strcasecmp(text, "true");
    if (text && !set && strcasecmp(text, "false") != 0)
        warn_of(config, name, "is neither true nor false");
    return set;
}

static char *join_texts(svc_app *app, const char *first, const char *second)
{
    char *joined = svc_sys_app_alloc(app, strlen(first) + strlen(second) + 1);
    if (joined)
        strcat(strcpy(joined, first), second);
    return joined;
}

/* ---- Lists of "key=value,…", percent-encoded as W3C Baggage has them */

static int hex_value(char c)
{
    const char *at = c ? strchr("0123456789abcdef0123456789ABCDEF", c) : NULL;
    return at ? (int)(at - "0123456789abcdef0123456789ABCDEF") % 16 : -1;
}

/* In place; false for a bad escape, or one of a NUL. */
static bool decode_escapes(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text != '%') {
            *to++ = *text;
            continue;
        }
        int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high << 4 | low);
        text += 2;
    }
    *to = '\0';
    return true;
}

static char *trim_text(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t", text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* The parts of such a list, in memory that is the app's. */
struct pair_reader {
    char *rest;
    char *key, *value;
};

/* 1: a pair was read; 0: there is none; SVC_ESYNTAX. */
static int next_pair(struct pair_reader *reader)
{
    char *pair;
    do
        pair = strsep(&reader->rest, ",");
    while (pair && !*trim_text(pair));
    if (!pair)
        return 0;
    reader->value = strchr(pair, '=');
    if (!reader->value)
        return SVC_ESYNTAX;
    *reader->value++ = '\0';
    reader->key = trim_text(pair);
    reader->value = trim_text(reader->value);
    return *reader->key && decode_escapes(reader->key) && decode_escapes(reader->value)
               ? 1
               : SVC_ESYNTAX;
}

static void set_resource(struct otlp_config *config, const char *key, const char *value)
{
    size_t i = 0;
    while (i < config->resource_count && strcmp(config->resource[i].key, key) != 0)
        i++;
    if (i == OTLP_RESOURCE_MOST)
        return;
    config->resource[i] = svc_kv_str(key, value);
    config->resource_count += i == config->resource_count;
}

static int read_resource(struct otlp_config *config, svc_app *app, const svc_otlp *options)
{
    static const char name[] = "OTEL_RESOURCE_ATTRIBUTES";
    const char *text = find_variable(name), *service = find_variable("OTEL_SERVICE_NAME");
    struct pair_reader reader = {.rest = join_texts(app, text ? text : "", "")};
    const char *given = options->service_name ? options->service_name : svc_app_name(app);
    char *own = join_texts(app, service ? service : given, "");
    int error = reader.rest && own ? 0 : SVC_ENOMEM;
    if (error)
        return error;
    set_resource(config, "telemetry.sdk.name", "libsvc");
    set_resource(config, "telemetry.sdk.language", "c");
    set_resource(config, "telemetry.sdk.version", svc_version());
    set_resource(config, "service.name", own);
    size_t before = config->resource_count;
    while ((error = next_pair(&reader)) > 0)
        set_resource(config, reader.key, reader.value);
    if (error) { /* all or nothing, as the specification asks for */
        config->resource_count = before;
        warn_of(config, name, "is no list of key=value pairs");
    }
    if (error || service)
        set_resource(config, "service.name", own);
    return 0;
}

static bool is_header(const char *name, const char *value)
{
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return strspn(name, token) == strlen(name);
}

static int read_headers(struct otlp_config *config, svc_app *app)
{
    const char *name =
        name_first("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
    if (!name)
        return 0;
    struct pair_reader reader = {.rest = join_texts(app, find_variable(name), "")};
    if (!reader.rest)
        return SVC_ENOMEM;
    int error;
    while ((error = next_pair(&reader)) > 0 && is_header(reader.key, reader.value) &&
           config->header_count < OTLP_HEADERS_MOST) {
        char *start = join_texts(app, reader.key, ": ");
        char *line = start ? join_texts(app, start, reader.value) : NULL;
        if (!line)
            return SVC_ENOMEM;
        config->headers[config->header_count++] = line;
    }
    if (error) {
        config->header_count = 0;
        warn_of(config, name, "is no list of header fields");
    }
    return 0;
}

static bool is_endpoint(const char *text)
{
    bool known = !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8);
    return known && strcspn(text, " \t\r\n") == strlen(text);
}

/* The endpoint of traces is taken as it is, and that of all signals gets the path of theirs. */
static int read_endpoint(struct otlp_config *config, svc_app *app, const svc_otlp *options)
{
    static const char of_traces[] = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const char *name = name_first(of_traces, "OTEL_EXPORTER_OTLP_ENDPOINT");
    const char *base = options->endpoint ? options->endpoint : "http://localhost:4318";
    if (name && !is_endpoint(find_variable(name))) {
        warn_of(config, name, "is no URL of http or https");
        name = NULL;
    }
    bool whole = name == of_traces;
    base = name ? find_variable(name) : base;
    char *trimmed = join_texts(app, base, "");
    if (!trimmed)
        return SVC_ENOMEM;
    size_t len = strlen(trimmed);
    if (!whole && len > 0 && trimmed[len - 1] == '/')
        trimmed[len - 1] = '\0';
    config->url = join_texts(app, trimmed, whole ? "" : "/v1/traces");
    return config->url ? 0 : SVC_ENOMEM;
}

static void read_sampler(struct otlp_config *config)
{
    static const char name[] = "OTEL_TRACES_SAMPLER", arg[] = "OTEL_TRACES_SAMPLER_ARG";
    const char *sampler = find_variable(name), *argument = find_variable(arg);
    (void)svc__otlp_sample_read(&config->sampler, "parentbased_always_on", NULL);
    int error = sampler ? svc__otlp_sample_read(&config->sampler, sampler, argument) : 0;
    if (error == SVC_ESYNTAX) {
        warn_of(config, arg, "is no ratio from 0 to 1");
        (void)svc__otlp_sample_read(&config->sampler, sampler, NULL);
    } else if (error) {
        warn_of(config, name, "is no sampler that is known here");
    }
}

/* Of two variables for one property, where only certain values are known. */
static void read_choice(struct otlp_config *config, const char *first, const char *second,
                        const char *known, bool *is_known)
{
    const char *name = name_first(first, second);
    *is_known = name && !strcmp(find_variable(name), known);
    if (name && !*is_known && strcmp(find_variable(name), "none") != 0)
        warn_of(config, name, "has a value that is not known here");
}

static void read_exporter(struct otlp_config *config)
{
    static const char name[] = "OTEL_TRACES_EXPORTER";
    const char *exporter = find_variable(name);
    bool is_json;
    read_choice(config, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL",
                "http/json", &is_json);
    read_choice(config, "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION",
                "gzip", &config->gzip);
    config->disabled = read_flag(config, "OTEL_SDK_DISABLED");
    if (exporter && !strcmp(exporter, "none"))
        config->disabled = true;
    else if (exporter && strcmp(exporter, "otlp") != 0)
        warn_of(config, name, "has a value that is not known here");
}

static void read_numbers(struct otlp_config *config)
{
    read_number(config,
                name_first("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"), 1,
                &config->timeout_ms);
    read_number(config, "OTEL_BSP_SCHEDULE_DELAY", 1, &config->delay_ms);
    read_number(config, "OTEL_BSP_EXPORT_TIMEOUT", 1, &config->batch_timeout_ms);
    read_number(config, "OTEL_BSP_MAX_QUEUE_SIZE", 1, &config->queue_max);
    read_number(config, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, &config->batch_max);
    read_number(config, name_first("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"),
                0, &config->max_attributes);
    read_number(
        config,
        name_first("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
        0, &config->max_text);
    read_number(config, "OTEL_SPAN_LINK_COUNT_LIMIT", 0, &config->max_links);
    if (config->batch_max > config->queue_max)
        config->batch_max = config->queue_max;
}

int svc__otlp_config_read(struct otlp_config *config, svc_app *app, const svc_otlp *options)
{
    *config = (struct otlp_config){.timeout_ms = 10000,
                                   .delay_ms = 5000,
                                   .batch_timeout_ms = 30000,
                                   .queue_max = 2048,
                                   .batch_max = 512,
                                   .max_attributes = 128,
                                   .max_links = 128,
                                   .max_text = SIZE_MAX,
                                   .flush_ms = options->flush_ms,
                                   .keep_failed = options->keep_failed};
    read_exporter(config);
    read_sampler(config);
    read_numbers(config);
    int error = read_endpoint(config, app, options);
    error = error ? error : read_headers(config, app);
    return error ? error : read_resource(config, app, options);
}
