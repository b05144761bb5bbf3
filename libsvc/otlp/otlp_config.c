/* The environment of an exporter. Of two variables for one property, that of all signals is read
 * first and that of traces after it, so that a bad value of the latter leaves the former. */
#include "libsvc/otlp/otlp_config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <svc/app.h>
#include <svc/sys/app.h>
#include <svc/version.h>

#include "libsvc/otlp/otlp_list.h"

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

static char *join_texts(svc_app *app, const char *first, const char *second)
{
    char *joined = svc_sys_app_alloc(app, strlen(first) + strlen(second) + 1);
    if (joined)
        strcat(strcpy(joined, first), second);
    return joined;
}

/* ---- Numbers */

/* The largest number for which the specification has all who read it is 2^31-1. */
static bool parse_number(const char *text, uint64_t *number)
{
    uint64_t read = 0;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || read > OTLP_NUMBER_MOST)
            return false;
        read = read * 10 + (uint64_t)(*at - '0');
    }
    *number = read;
    return read <= OTLP_NUMBER_MOST;
}

static void read_numbers(struct otlp_config *config)
{
    static const struct {
        const char *name;
        size_t offset;  /* of the member that the number is for */
        uint64_t least; /* that is allowed */
        uint64_t zero;  /* what 0 stands for, if it is allowed */
    } rows[] = {
#define NUMBER(name, member, least, zero) {name, offsetof(struct otlp_config, member), least, zero}
        NUMBER("OTEL_EXPORTER_OTLP_TIMEOUT", timeout_ms, 0, OTLP_NUMBER_MOST),
        NUMBER("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", timeout_ms, 0, OTLP_NUMBER_MOST),
        NUMBER("OTEL_BSP_SCHEDULE_DELAY", delay_ms, 0, 1),
        NUMBER("OTEL_BSP_EXPORT_TIMEOUT", batch_timeout_ms, 0, OTLP_NUMBER_MOST),
        NUMBER("OTEL_BSP_MAX_QUEUE_SIZE", queue_max, 1, 0),
        NUMBER("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", batch_max, 1, 0),
        NUMBER("OTEL_ATTRIBUTE_COUNT_LIMIT", max_attributes, 0, 0),
        NUMBER("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", max_attributes, 0, 0),
        NUMBER("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", max_text, 0, 0),
        NUMBER("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", max_text, 0, 0),
        NUMBER("OTEL_SPAN_LINK_COUNT_LIMIT", max_links, 0, 0),
#undef NUMBER
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = find_variable(rows[i].name);
        uint64_t number = 0;
        if (text && (!parse_number(text, &number) || number < rows[i].least))
            warn_of(config, rows[i].name, "is no number in its range");
        else if (text)
            *(uint64_t *)(void *)((char *)config + rows[i].offset) = number ? number : rows[i].zero;
    }
    if (config->batch_max > config->queue_max) {
        if (find_variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"))
            warn_of(config, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "is larger than the queue");
        config->batch_max = config->queue_max;
    }
}

/* ---- Choices */

static bool read_flag(struct otlp_config *config, const char *name)
{
    const char *text = find_variable(name);
    bool set = text && !strcasecmp(text, "true");
    if (text && !set && strcasecmp(text, "false") != 0)
        warn_of(config, name, "is neither true nor false");
    return set;
}

/* Of a variable for which only two values are known. */
static void read_choice(struct otlp_config *config, const char *name, const char *yes,
                        const char *no, bool *chosen)
{
    const char *text = find_variable(name);
    bool is_yes = text && !strcasecmp(text, yes);
    if (text && !is_yes && strcasecmp(text, no) != 0)
        warn_of(config, name, "has a value that is not known here");
    else if (text)
        *chosen = is_yes;
}

static void read_choices(struct otlp_config *config)
{
    static const char json[] = "http/json";
    bool ignored;
    read_choice(config, "OTEL_EXPORTER_OTLP_PROTOCOL", json, json, &ignored);
    read_choice(config, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", json, json, &ignored);
    read_choice(config, "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "none", &config->gzip);
    read_choice(config, "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip", "none", &config->gzip);
    config->disabled = read_flag(config, "OTEL_SDK_DISABLED");
    bool off = false;
    read_choice(config, "OTEL_TRACES_EXPORTER", "none", "otlp", &off);
    config->disabled |= off;
    static const char *const files[] = {"OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (find_variable(files[i]))
            warn_of(config, files[i], "names a file, and no such file is read");
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

/* The base library takes and passes on trace context, and knows no other format. */
static void check_propagators(struct otlp_config *config)
{
    static const char name[] = "OTEL_PROPAGATORS", separators[] = ", \t";
    bool known = true, has_context = false;
    const char *at = find_variable(name);
    if (!at)
        return;
    for (size_t len; *(at += strspn(at, separators)); at += len) {
        len = strcspn(at, separators);
        bool is_context = len == strlen("tracecontext") && !strncasecmp(at, "tracecontext", len);
        has_context |= is_context;
        known &= is_context || (len == strlen("baggage") && !strncasecmp(at, "baggage", len));
    }
    if (!known || !has_context)
        warn_of(config, name, "is not tracecontext, which is used");
}

/* ---- The resource */

static bool set_resource(struct otlp_config *config, const char *key, const char *value)
{
    size_t i = 0;
    while (i < config->resource_count && strcmp(config->resource[i].key, key) != 0)
        i++;
    if (i == OTLP_RESOURCE_MOST)
        return false;
    config->resource[i] = svc_kv_str(key, value);
    config->resource_count += i == config->resource_count;
    return true;
}

static void set_own_resource(struct otlp_config *config, const char *service)
{
    config->resource_count = 0;
    set_resource(config, "telemetry.sdk.name", "libsvc");
    set_resource(config, "telemetry.sdk.language", "c");
    set_resource(config, "telemetry.sdk.version", svc_version());
    set_resource(config, "service.name", service);
}

/* All attributes of the variable or none, as the specification asks for. */
static int read_resource(struct otlp_config *config, svc_app *app, const svc_otlp *options)
{
    static const char name[] = "OTEL_RESOURCE_ATTRIBUTES";
    const char *text = find_variable(name), *service = find_variable("OTEL_SERVICE_NAME");
    struct otlp_list list = {.rest = join_texts(app, text ? text : "", "")};
    const char *given = options->service_name ? options->service_name : svc_app_name(app);
    char *own = join_texts(app, service ? service : given, "");
    if (!list.rest || !own)
        return SVC_ENOMEM;
    set_own_resource(config, own);
    int more;
    while ((more = svc__otlp_list_next(&list)) > 0 && set_resource(config, list.key, list.value))
        continue;
    if (more) {
        set_own_resource(config, own);
        warn_of(config, name, "is no list of key=value pairs, or too long");
    }
    if (service)
        set_resource(config, "service.name", own);
    return 0;
}

/* ---- The receiver */

/* Those fields are the exporter's own. */
static bool is_header(const char *name, const char *value)
{
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const own[] = {"Connection",   "Content-Encoding", "Content-Length",
                                      "Content-Type", "Expect",           "Keep-Alive",
                                      "TE",           "Trailer",          "Transfer-Encoding",
                                      "Upgrade"};
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcasecmp(name, own[i]))
            return false;
    return strspn(name, token) == strlen(name);
}

/* All fields of the variable, in place of those that are there, or none. */
static int read_headers(struct otlp_config *config, svc_app *app, const char *name)
{
    const char *text = find_variable(name);
    const char *lines[OTLP_HEADERS_MOST];
    size_t count = 0;
    if (!text)
        return 0;
    struct otlp_list list = {.rest = join_texts(app, text, "")};
    if (!list.rest)
        return SVC_ENOMEM;
    int more;
    while ((more = svc__otlp_list_next(&list)) > 0 && is_header(list.key, list.value) &&
           count < OTLP_HEADERS_MOST) {
        char *start = join_texts(app, list.key, *list.value ? ": " : ";");
        lines[count] = start ? join_texts(app, start, list.value) : NULL;
        if (!lines[count++])
            return SVC_ENOMEM;
    }
    if (more) {
        warn_of(config, name, "is no list of header fields");
        return 0;
    }
    memcpy(config->headers, lines, count * sizeof *lines);
    config->header_count = count;
    return 0;
}

/* With an authority, and nothing that must be escaped. */
static bool is_endpoint(const char *text)
{
    bool known = !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8);
    for (const char *at = text; *at && known; at++)
        known = (unsigned char)*at > 0x20 && *at != 0x7f;
    return known && strcspn(text + strcspn(text, ":") + 3, "/?#") > 0;
}

/* `base` with a path behind its own, before a query. */
static char *extend_path(svc_app *app, const char *base, const char *path)
{
    size_t len = strcspn(base, "?#"), kept = len;
    while (kept > 0 && base[kept - 1] == '/')
        kept--;
    char *url = svc_sys_app_alloc(app, strlen(base) + strlen(path) + 1);
    if (url)
        strcat(strcpy((char *)memcpy(url, base, kept) + kept, path), base + len);
    return url;
}

/* Of a copy: user, password and query may be secrets. */
static void hide_secrets(char *url)
{
    char *authority = strchr(url, ':') + 3;
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));
    if (at)
        memmove(authority, at + 1, strlen(at + 1) + 1);
    authority[strcspn(authority, "?#")] = '\0';
}

/* The endpoint of all signals gets the path of traces, and that of traces is taken as it is. */
static int read_endpoint(struct otlp_config *config, svc_app *app, const svc_otlp *options)
{
    static const char *const names[] = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"};
    const char *found[2];
    for (size_t i = 0; i < 2; i++) {
        found[i] = find_variable(names[i]);
        if (found[i] && !is_endpoint(found[i])) {
            warn_of(config, names[i], "is no URL of http or https");
            found[i] = NULL;
        }
    }
    const char *base = options->endpoint ? options->endpoint : "http://localhost:4318";
    if (!is_endpoint(base))
        return SVC_EINVAL;
    base = found[0] ? found[0] : base;
    config->url = found[1] ? join_texts(app, found[1], "") : extend_path(app, base, "/v1/traces");
    char *shown = config->url ? join_texts(app, config->url, "") : NULL;
    if (!shown)
        return SVC_ENOMEM;
    hide_secrets(shown);
    config->shown_url = shown;
    return 0;
}

/* A file that is not there yet, or not any more, does not turn off what it is for: until it is
 * there nothing is sent. */
static int read_file(struct otlp_config *config, svc_app *app, const char *name, const char **path)
{
    const char *text = find_variable(name);
    if (!text)
        return 0;
    *path = join_texts(app, text, "");
    if (access(text, R_OK))
        warn_of(config, name, "names a file that cannot be read");
    return *path ? 0 : SVC_ENOMEM;
}

static int read_files(struct otlp_config *config, svc_app *app)
{
    const struct {
        const char *all, *traces;
        const char **path;
    } rows[] = {
        {"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
         &config->authorities},
        {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
         &config->client_certificate},
        {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
         &config->client_key},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !error; i++)
        error = read_file(config, app, find_variable(rows[i].traces) ? rows[i].traces : rows[i].all,
                          rows[i].path);
    if (config->client_key && !config->client_certificate)
        warn_of(config, "OTEL_EXPORTER_OTLP_CLIENT_KEY", "has no certificate beside it");
    return error;
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
    read_choices(config);
    read_sampler(config);
    check_propagators(config);
    read_numbers(config);
    int error = read_endpoint(config, app, options);
    error = error ? error : read_headers(config, app, "OTEL_EXPORTER_OTLP_HEADERS");
    error = error ? error : read_headers(config, app, "OTEL_EXPORTER_OTLP_TRACES_HEADERS");
    error = error ? error : read_files(config, app);
    return error ? error : read_resource(config, app, options);
}
