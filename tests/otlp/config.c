/* The environment variables of an exporter. */
#include "libsvc/otlp/otlp_config.h"

#include <criterion/criterion.h>
#include <stdio.h>
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
        "60",
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
    cr_expect_eq(config.batch_max, 60);
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

Test(config, a_bad_value_for_traces_leaves_that_of_all_signals)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                            "http://all:1",
                                            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                            "traces:2",
                                            "OTEL_EXPORTER_OTLP_HEADERS",
                                            "a=1",
                                            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                                            "b",
                                            "OTEL_EXPORTER_OTLP_TIMEOUT",
                                            "7",
                                            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                                            "x",
                                            "OTEL_EXPORTER_OTLP_COMPRESSION",
                                            "gzip",
                                            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                                            "br",
                                            "OTEL_ATTRIBUTE_COUNT_LIMIT",
                                            "9",
                                            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                                            "-1",
                                            NULL};
    read_with(NULL, variables);
    cr_expect_str_eq(config.url, "http://all:1/v1/traces");
    cr_assert_eq(config.header_count, 1);
    cr_expect_str_eq(config.headers[0], "a: 1");
    cr_expect_eq(config.timeout_ms, 7);
    cr_expect(config.gzip);
    cr_expect_eq(config.max_attributes, 9);
    cr_expect_eq(config.warning_count, 5);
    svc_app_free(app);
}

Test(config, zero_is_no_limit_of_a_timeout_and_the_shortest_delay)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_TIMEOUT",
                                            "0",
                                            "OTEL_BSP_EXPORT_TIMEOUT",
                                            "0",
                                            "OTEL_BSP_SCHEDULE_DELAY",
                                            "0",
                                            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                                            "2147483647",
                                            "OTEL_SPAN_LINK_COUNT_LIMIT",
                                            "0",
                                            NULL};
    read_with(NULL, variables);
    cr_expect_eq(config.timeout_ms, INT32_MAX);
    cr_expect_eq(config.batch_timeout_ms, INT32_MAX);
    cr_expect_eq(config.delay_ms, 1);
    cr_expect_eq(config.max_text, INT32_MAX);
    cr_expect_eq(config.max_links, 0);
    cr_expect_eq(config.warning_count, 0);
    svc_app_free(app);
}

Test(config, words_are_known_in_any_case)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_PROTOCOL",
                                            "HTTP/JSON",
                                            "OTEL_EXPORTER_OTLP_COMPRESSION",
                                            "GZip",
                                            "OTEL_TRACES_SAMPLER",
                                            "ParentBased_Always_Off",
                                            "OTEL_TRACES_EXPORTER",
                                            "OTLP",
                                            "OTEL_PROPAGATORS",
                                            "TraceContext, baggage",
                                            NULL};
    read_with(NULL, variables);
    cr_expect(config.gzip && !config.disabled);
    cr_expect(config.sampler.by_parent && config.sampler.bound == 0);
    cr_expect_eq(config.warning_count, 0);
    svc_app_free(app);
}

Test(config, an_endpoint_keeps_its_query_and_shows_no_secret)
{
    static const struct {
        const char *name, *value, *url, *shown;
    } rows[] = {
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/base//?key=1", "http://h/base/v1/traces?key=1",
         "http://h/base/v1/traces"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "HTTPS://me:p@w@h:1", "HTTPS://me:p@w@h:1/v1/traces",
         "HTTPS://h:1/v1/traces"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h?key=1#x", "http://h?key=1#x", "http://h"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h/a@b", "http://h/a@b", "http://h/a@b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const variables[] = {rows[i].name, rows[i].value, NULL};
        read_with(NULL, variables);
        cr_expect_str_eq(config.url, rows[i].url);
        cr_expect_str_eq(config.shown_url, rows[i].shown);
        unsetenv(rows[i].name);
        svc_app_free(app);
    }
}

Test(config, a_programs_endpoint_is_a_url)
{
    static const char *const bad[] = {"",          "localhost:4318", "http://", "https://?a",
                                      "http:///a", "http://a b",     "ftp://a"};
    svc_otlp options = SVC_OTLP_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        app = svc_app_new("shop");
        options.endpoint = bad[i];
        cr_expect_eq(svc__otlp_config_read(&config, app, &options), SVC_EINVAL, "%s", bad[i]);
        cr_expect_eq(svc_otlp_add(app, &options), SVC_EINVAL);
        cr_expect(strstr(svc_app_errors(app), "svc_otlp_add"));
        svc_app_free(app);
    }
}

Test(config, certificates_and_keys_are_files)
{
    static const char *const variables[] = {"OTEL_EXPORTER_OTLP_CERTIFICATE",
                                            "/dev/null",
                                            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
                                            "/nowhere/ca.pem",
                                            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
                                            "/dev/zero",
                                            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
                                            "/dev/full",
                                            NULL};
    read_with(NULL, variables);
    cr_expect_str_eq(config.authorities, "/nowhere/ca.pem", "is not replaced by what is readable");
    cr_expect_str_eq(config.client_certificate, "/dev/zero");
    cr_expect_str_eq(config.client_key, "/dev/full");
    cr_expect_eq(config.warning_count, 1);
    cr_expect(warned_of("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"));
    svc_app_free(app);
    unsetenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
    read_with(NULL, NULL);
    cr_expect(warned_of("OTEL_EXPORTER_OTLP_CLIENT_KEY"));
    svc_app_free(app);
}

/* The fields that frame a request are the exporter's own. */
Test(config, header_fields_are_taken_as_a_whole)
{
    static const struct {
        const char *list;
        size_t count;
        const char *first;
    } rows[] = {
        {"Authorization=Basic%20YTpiOmM==", 1, "Authorization: Basic YTpiOmM=="},
        {" a = 1 ,, b=2 ,", 2, "a: 1"},
        {"empty=", 1, "empty;"},
        {"a=1,Content-Length=5", 0, NULL},
        {"a=1,transfer-encoding=chunked", 0, NULL},
        {"a=1,b c=2", 0, NULL},
        {"a=%0a", 0, NULL},
        {"a=%00", 0, NULL},
        {"a=%4", 0, NULL},
        {"a=%zz", 0, NULL},
        {"=1", 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const variables[] = {"OTEL_EXPORTER_OTLP_HEADERS", rows[i].list, NULL};
        read_with(NULL, variables);
        cr_expect_eq(config.header_count, rows[i].count, "%s", rows[i].list);
        if (rows[i].first)
            cr_expect_str_eq(config.headers[0], rows[i].first);
        cr_expect_eq(config.warning_count, rows[i].count == 0, "%s", rows[i].list);
        svc_app_free(app);
    }
}

/* As many as there is room for, and one more, which makes the list one that is not taken. */
Test(config, lists_have_a_ceiling)
{
    static char fields[1024], attributes[1024];
    for (int i = 0; i < OTLP_HEADERS_MOST; i++)
        sprintf(fields + strlen(fields), "f%d=%d,", i, i);
    for (int i = 0; i < OTLP_RESOURCE_MOST - 4; i++)
        sprintf(attributes + strlen(attributes), "a%d=%d,", i, i);
    const char *const variables[] = {"OTEL_EXPORTER_OTLP_HEADERS", fields,
                                     "OTEL_RESOURCE_ATTRIBUTES", attributes, NULL};
    read_with(NULL, variables);
    cr_expect_eq(config.header_count, OTLP_HEADERS_MOST);
    cr_expect_eq(config.resource_count, OTLP_RESOURCE_MOST);
    cr_expect_eq(config.warning_count, 0);
    svc_app_free(app);
    strcat(fields, "more=1");
    strcat(attributes, "more=1");
    read_with(NULL, variables);
    cr_expect_eq(config.header_count, 0);
    cr_expect_eq(config.resource_count, 4);
    cr_expect_eq(config.warning_count, 2);
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
                                            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                                            "4096", /* more than the queue's default */
                                            "OTEL_ATTRIBUTE_COUNT_LIMIT",
                                            "2147483648",
                                            "OTEL_SPAN_LINK_COUNT_LIMIT",
                                            "x",
                                            "OTEL_PROPAGATORS",
                                            "b3,tracecontext",
                                            "OTEL_CONFIG_FILE",
                                            "otel.yaml",
                                            NULL};
    read_with(NULL, variables);
    cr_expect_str_eq(config.url, "http://localhost:4318/v1/traces");
    cr_expect_eq(config.max_attributes, 128);
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
        {"traceidratio", "5e-1", 0, true, false, true, true},
        {"traceidratio", "0.00005E+4", 0, true, false, true, true},
        {"traceidratio", "1e-400", 0, false, false, false, false},
        {"traceidratio", "1e-99999999999999999999", 0, false, false, false, false},
        {"TraceIdRatio", ".5", 0, true, false, true, true},
        {"traceidratio", "1e1", SVC_ESYNTAX, false, false, false, false},
        {"traceidratio", "1e", SVC_ESYNTAX, false, false, false, false},
        {"traceidratio", "e-1", SVC_ESYNTAX, false, false, false, false},
        {"traceidratio", "0.5%", SVC_ESYNTAX, false, false, false, false},
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
