/* The environment variables of an exporter. */
#include "libsvc/otlp/otlp_config.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc.h>
#include <svc/sys/span.h>

#include "tests/otlp/environment.h"

static svc_app *app;
static struct otlp_config config;

static void read_with(const svc_otlp *options, const char *const *variables)
{
    svc_otlp defaults = SVC_OTLP_INIT;
    app = svc_app_new("shop");
    set_environment(variables);
    cr_assert_eq(svc__otlp_config_read(&config, app, options ? options : &defaults), 0);
}

static const char *find_resource(const char *key)
{
    for (size_t i = 0; i < config.resource_count; i++)
        if (!strcmp(config.resource[i].key, key))
            return config.resource[i].value.text;
    return "";
}

static bool warned_of(const char *name)
{
    for (size_t i = 0; i < config.warning_count; i++)
        if (!strcmp(config.warnings[i].name, name))
            return true;
    return false;
}

Test(config, without_variables_the_specifications_defaults_hold)
{
    read_with(NULL, NULL);
    cr_expect_str_eq(config.url, "http://localhost:4318/v1/traces");
    cr_expect(!config.disabled && !config.gzip && !config.keep_failed);
    cr_expect_eq(config.header_count, 0);
    cr_expect_eq(config.timeout_ms, 10000);
    cr_expect_eq(config.delay_ms, 5000);
    cr_expect_eq(config.batch_timeout_ms, 30000);
    cr_expect_eq(config.queue_max, 2048);
    cr_expect_eq(config.batch_max, 512);
    cr_expect_eq(config.max_attributes, 128);
    cr_expect_eq(config.max_links, 128);
    cr_expect_eq(config.max_text, SIZE_MAX);
    cr_expect(config.sampler.by_parent);
    cr_expect_str_eq(find_resource("service.name"), "shop");
    cr_expect_str_eq(find_resource("telemetry.sdk.name"), "libsvc");
    cr_expect_eq(config.warning_count, 0);
    svc_app_free(app);
}

Test(config, all_variables_are_read)
{
    static const char *const variables[] = {
        "OTEL_SERVICE_NAME",
        "orders",
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.name=other,deployment.environment = a%20b%2c , x=",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "https://collector:4318/base/",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Authorization=Bearer%20abc,x-tenant=7",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "700",
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "gzip",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "http/json",
        "OTEL_TRACES_EXPORTER",
        "otlp",
        "OTEL_TRACES_SAMPLER",
        "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG",
        "0.25",
        "OTEL_BSP_SCHEDULE_DELAY",
        "50",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "60",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "70",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        "80",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "10",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "11",
        "OTEL_SPAN_LINK_COUNT_LIMIT",
        "12",
        NULL};
    read_with(NULL, variables);
    cr_expect_str_eq(config.url, "https://collector:4318/base/v1/traces");
    cr_expect_str_eq(find_resource("service.name"), "orders");
    cr_expect_str_eq(find_resource("deployment.environment"), "a b,");
    cr_assert_eq(config.header_count, 2);
    cr_expect_str_eq(config.headers[0], "Authorization: Bearer abc");
    cr_expect_str_eq(config.headers[1], "x-tenant: 7");
    cr_expect_eq(config.timeout_ms, 700);
    cr_expect(config.gzip);
    cr_expect(!config.sampler.by_parent);
    cr_expect_eq(config.sampler.bound, UINT64_C(1) << 61);
    cr_expect_eq(config.delay_ms, 50);
    cr_expect_eq(config.batch_timeout_ms, 60);
    cr_expect_eq(config.queue_max, 70);
    cr_expect_eq(config.batch_max, 70, "no batch is larger than the queue");
    cr_expect_eq(config.max_attributes, 10);
    cr_expect_eq(config.max_text, 11);
    cr_expect_eq(config.max_links, 12);
    cr_expect_eq(config.warning_count, 0);
    svc_app_free(app);
}

Test(config, variables_of_traces_go_before_those_of_all_signals)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                            "http://all:1",
                                            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                            "http://traces:2/as/it/is/",
                                            "OTEL_EXPORTER_OTLP_HEADERS",
                                            "a=1",
                                            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                                            "b=2",
                                            "OTEL_EXPORTER_OTLP_TIMEOUT",
                                            "1",
                                            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                                            "2",
                                            "OTEL_EXPORTER_OTLP_COMPRESSION",
                                            "gzip",
                                            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                                            "none",
                                            NULL};
    read_with(NULL, variables);
    cr_expect_str_eq(config.url, "http://traces:2/as/it/is/");
    cr_assert_eq(config.header_count, 1);
    cr_expect_str_eq(config.headers[0], "b: 2");
    cr_expect_eq(config.timeout_ms, 2);
    cr_expect_not(config.gzip);
    svc_app_free(app);
}

Test(config, what_the_program_says_holds_without_variables)
{
    svc_otlp options = SVC_OTLP_INIT;
    options.service_name = "named";
    options.endpoint = "http://here:1/";
    options.keep_failed = 1;
    read_with(&options, NULL);
    cr_expect_str_eq(config.url, "http://here:1/v1/traces");
    cr_expect_str_eq(find_resource("service.name"), "named");
    cr_expect(config.keep_failed);
    svc_app_free(app);
    static const char *const variables[] = {"OTEL_RESOURCE_ATTRIBUTES", "service.name=environment",
                                            "OTEL_EXPORTER_OTLP_ENDPOINT", "", NULL};
    read_with(&options, variables);
    cr_expect_str_eq(config.url, "http://here:1/v1/traces");
    cr_expect_str_eq(find_resource("service.name"), "environment");
    svc_app_free(app);
}

/* Each is as if it were not there. */
Test(config, a_bad_value_is_ignored_with_a_warning)
{
    static const char *const variables[] = {"OTEL_SDK_DISABLED",
                                            "maybe",
                                            "OTEL_RESOURCE_ATTRIBUTES",
                                            "good=1,bad",
                                            "OTEL_EXPORTER_OTLP_ENDPOINT",
                                            "localhost:4318",
                                            "OTEL_EXPORTER_OTLP_HEADERS",
                                            "x=a%0d%0aEvil:%201",
                                            "OTEL_EXPORTER_OTLP_TIMEOUT",
                                            "-1",
                                            "OTEL_EXPORTER_OTLP_COMPRESSION",
                                            "br",
                                            "OTEL_EXPORTER_OTLP_PROTOCOL",
                                            "grpc",
                                            "OTEL_TRACES_EXPORTER",
                                            "zipkin",
                                            "OTEL_TRACES_SAMPLER",
                                            "sometimes",
                                            "OTEL_BSP_SCHEDULE_DELAY",
                                            "5s",
                                            "OTEL_BSP_EXPORT_TIMEOUT",
                                            "99999999999999999999",
                                            "OTEL_BSP_MAX_QUEUE_SIZE",
                                            "0",
                                            "OTEL_SPAN_LINK_COUNT_LIMIT",
                                            "x",
                                            NULL};
    read_with(NULL, variables);
    cr_expect_str_eq(config.url, "http://localhost:4318/v1/traces");
    cr_expect_str_eq(find_resource("good"), "");
    cr_expect_str_eq(find_resource("service.name"), "shop");
    cr_expect_eq(config.header_count, 0);
    cr_expect_eq(config.timeout_ms, 10000);
    cr_expect_eq(config.queue_max, 2048);
    cr_expect(config.sampler.by_parent && !config.disabled && !config.gzip);
    for (size_t i = 0; variables[i]; i += 2)
        cr_expect(warned_of(variables[i]), "%s", variables[i]);
    svc_app_free(app);
}

Test(config, it_can_be_disabled)
{
    static const char *const disabled[] = {"OTEL_SDK_DISABLED", "True", NULL};
    static const char *const none[] = {"OTEL_SDK_DISABLED", "false", "OTEL_TRACES_EXPORTER", "none",
                                       NULL};
    read_with(NULL, disabled);
    cr_expect(config.disabled);
    svc_app_free(app);
    read_with(NULL, none);
    cr_expect(config.disabled);
    svc_app_free(app);
}

Test(config, samplers_decide_as_the_specification_says)
{
    static const struct {
        const char *name, *argument;
        int error;
        bool root_low, root_high, unsampled, sampled; /* for ids at either end, and by parents */
    } rows[] = {
        {"always_on", NULL, 0, true, true, true, true},
        {"always_off", NULL, 0, false, false, false, false},
        {"traceidratio", "0.5", 0, true, false, true, true},
        {"traceidratio", "0", 0, false, false, false, false},
        {"traceidratio", "1", 0, true, true, true, true},
        {"traceidratio", NULL, 0, true, true, true, true},
        {"parentbased_always_on", NULL, 0, true, true, false, true},
        {"parentbased_always_off", NULL, 0, false, false, false, true},
        {"parentbased_traceidratio", "0.5", 0, true, false, false, true},
        {"traceidratio", "1.5", SVC_ESYNTAX, false, false, false, false},
        {"traceidratio", "-0.5", SVC_ESYNTAX, false, false, false, false},
        {"traceidratio", ".", SVC_ESYNTAX, false, false, false, false},
        {"traceidratio", "nan", SVC_ESYNTAX, false, false, false, false},
        {"jaeger_remote", NULL, SVC_EINVAL, false, false, false, false},
    };
    static const unsigned char low[16] = {0xff, 0xff, [15] = 1}, high[16] = {[8] = 0xff};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct otlp_sampler sampler = {.bound = 0};
        cr_expect_eq(svc__otlp_sample_read(&sampler, rows[i].name, rows[i].argument),
                     rows[i].error);
        cr_expect_eq(svc__otlp_sample_decide(&sampler, low, SVC_SYS_PARENT_NONE), rows[i].root_low);
        cr_expect_eq(svc__otlp_sample_decide(&sampler, high, SVC_SYS_PARENT_NONE),
                     rows[i].root_high);
        cr_expect_eq(svc__otlp_sample_decide(&sampler, low, SVC_SYS_PARENT_UNSAMPLED),
                     rows[i].unsampled);
        cr_expect_eq(svc__otlp_sample_decide(&sampler, low, SVC_SYS_PARENT_SAMPLED),
                     rows[i].sampled);
    }
}
