/* The environment of an exporter: each line of the input is a variable and its value. */
#include <stdio.h>
#include <strings.h>

#include <svc/app.h>

#include "fuzz/fuzz.h"
#include "libsvc/otlp/otlp_config.h"

/* Those that an exporter reads. */
static const char *const names[] = {
    "OTEL_SDK_DISABLED",
    "OTEL_TRACES_EXPORTER",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_PROPAGATORS",
    "OTEL_CONFIG_FILE",
};

enum { NAMES = sizeof names / sizeof *names };

static void set_variables(struct bytes text)
{
    for (size_t i = 0; i < NAMES; i++)
        unsetenv(names[i]);
    while (text.len > 0) {
        struct bytes line = svc__bytes_cut(&text, '\n');
        struct bytes name = svc__bytes_cut(&line, '=');
        char *value = fuzz_alloc(line.len + 1);
        if (line.len > 0)
            memcpy(value, line.data, line.len);
        value[line.len] = '\0';
        for (size_t i = 0; i < NAMES; i++)
            if (svc__bytes_eq_z(name, names[i]))
                setenv(names[i], value, 1);
        free(value);
    }
}

static void check_numbers(const struct otlp_config *config)
{
    REQUIRE(config->timeout_ms >= 1 && config->timeout_ms <= OTLP_NUMBER_MOST);
    REQUIRE(config->delay_ms >= 1 && config->delay_ms <= OTLP_NUMBER_MOST);
    REQUIRE(config->batch_timeout_ms >= 1 && config->batch_timeout_ms <= OTLP_NUMBER_MOST);
    REQUIRE(config->batch_max >= 1 && config->batch_max <= config->queue_max);
    REQUIRE(config->queue_max <= OTLP_NUMBER_MOST && config->max_links <= OTLP_NUMBER_MOST);
    REQUIRE(config->sampler.bound <= UINT64_C(1) << 63);
}

/* Only what is set is warned of, and nothing twice. */
static void check_warnings(const struct otlp_config *config)
{
    REQUIRE(config->warning_count < OTLP_WARNINGS_MOST);
    for (size_t i = 0; i < config->warning_count; i++) {
        const char *value = getenv(config->warnings[i].name);
        REQUIRE(value && *value && *config->warnings[i].reason);
    }
}

/* One line of a request's head, whatever libcurl makes of it. */
static void check_headers(const struct otlp_config *config)
{
    REQUIRE(config->header_count <= OTLP_HEADERS_MOST);
    for (size_t i = 0; i < config->header_count; i++) {
        const char *line = config->headers[i];
        size_t name = strcspn(line, ":;");
        REQUIRE(name > 0 && line[name] && strcspn(line, " \t") >= name);
        REQUIRE(name != 14 || strncasecmp(line, "Content-Length", name) != 0);
        for (; *line; line++)
            REQUIRE((unsigned char)*line >= 0x20 && *line != 0x7f);
    }
}

static void check_resource(const struct otlp_config *config)
{
    REQUIRE(config->resource_count >= 4 && config->resource_count <= OTLP_RESOURCE_MOST);
    for (size_t i = 0; i < config->resource_count; i++) {
        REQUIRE(*config->resource[i].key && config->resource[i].kind == SVC_KV_STR);
        for (size_t j = 0; j < i; j++)
            REQUIRE(strcmp(config->resource[i].key, config->resource[j].key) != 0);
    }
}

static void check_url(const struct otlp_config *config)
{
    const char *const both[] = {config->url, config->shown_url};
    for (size_t i = 0; i < 2; i++)
        REQUIRE(!strncasecmp(both[i], "http://", 7) || !strncasecmp(both[i], "https://", 8));
    size_t start = strcspn(config->shown_url, ":") + 3;
    const char *shown = config->shown_url + start;
    REQUIRE(!memchr(shown, '@', strcspn(shown, "/")) && !strpbrk(shown, "?#"));
    REQUIRE(strlen(config->shown_url) <= strlen(config->url));
    for (const char *at = config->url; *at; at++)
        REQUIRE((unsigned char)*at > 0x20 && *at != 0x7f);
}

/* All fields of a list with each byte of each value escaped, which must be the same fields. */
static void check_round_trip(const struct otlp_config *config, svc_app *app)
{
    static struct otlp_config again;
    const svc_otlp defaults = SVC_OTLP_INIT;
    size_t len = 1;
    for (size_t i = 0; i < config->header_count; i++)
        len += 3 * strlen(config->headers[i]) + 2;
    char *list = fuzz_alloc(len), *to = list;
    for (size_t i = 0; i < config->header_count; i++) {
        const char *line = config->headers[i];
        size_t name = strcspn(line, ":;");
        to += sprintf(to, "%.*s=", (int)name, line);
        for (line += line[name] == ':' ? name + 2 : name + 1; *line; line++)
            to += sprintf(to, "%%%02x", (unsigned char)*line);
        *to++ = ',';
    }
    *to = '\0';
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS");
    setenv("OTEL_EXPORTER_OTLP_HEADERS", list, 1);
    REQUIRE(!svc__otlp_config_read(&again, app, &defaults));
    REQUIRE(again.header_count == config->header_count);
    for (size_t i = 0; i < again.header_count; i++)
        REQUIRE(!strcmp(again.headers[i], config->headers[i]));
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct otlp_config config;
    const svc_otlp defaults = SVC_OTLP_INIT;
    svc_app *app = svc_app_new("fuzz");
    set_variables(fuzz_input(data, size));
    REQUIRE(!svc__otlp_config_read(&config, app, &defaults));
    check_numbers(&config);
    check_warnings(&config);
    check_headers(&config);
    check_resource(&config);
    check_url(&config);
    check_round_trip(&config, app);
    svc_app_free(app);
    return 0;
}
