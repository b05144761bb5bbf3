/* Building an app: what is registered, what is refused, and that all mistakes are told at once. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

static int ok(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static void expect_error(svc_app *app, const char *text)
{
    cr_expect(strstr(svc_app_errors(app), text), "%s in:\n%s", text, svc_app_errors(app));
}

Test(app, bad_patterns_and_conflicts_are_all_told_with_file_and_line)
{
    svc_app *app = svc_app_new("bad");
    svc_app_method_at(app, "GET", "/a/{x", ok, NULL, "one.c", 11);
    svc_app_method_at(app, "GET", "no-slash", ok, NULL, "two.c", 22);
    svc_app_method_at(app, NULL, "/{x}/b", ok, NULL, "three.c", 33);
    svc_app_method_at(app, NULL, "/a/{x}", ok, NULL, "four.c", 44);
    svc_app_method_at(app, NULL, "/same/{x}", ok, NULL, "five.c", 55);
    svc_app_method_at(app, NULL, "/same/{y}", ok, NULL, "six.c", 66);
    cr_expect_eq(svc_app_start(app), SVC_EROUTES);
    expect_error(app, "one.c:11: ");
    expect_error(app, "two.c:22: ");
    expect_error(app, "three.c:33: ");
    expect_error(app, "four.c:44");
    expect_error(app, "\"GET /a/b\"");
    expect_error(app, "five.c:55");
    expect_error(app, "six.c:66");
    cr_expect_null(svc_app_test_get(app, "/a/b"));
    svc_app_free(app);
}

Test(app, many_conflicts_leave_room_for_the_other_errors)
{
    enum { SAME = 400, PAIRS = SAME * (SAME - 1) / 2, TOLD = 100 };
    char rest[64];
    svc_app *app = svc_app_new("bad");
    svc_config config = SVC_CONFIG_INIT;
    config.max_fields = 1;
    svc_app_configure(app, &config);
    for (int i = 0; i < SAME; i++)
        svc_app_method_at(app, "GET", "/a/pattern/that/is/registered/too/often/{x}", ok, NULL,
                          "same.c", i + 1);
    svc_app_method_at(app, "GET", "/a/{x", ok, NULL, "other.c", 1);
    cr_expect_neq(svc_app_start(app), 0);
    expect_error(app, "other.c:1: ");
    expect_error(app, "max_fields");
    expect_error(app, "same.c:1: ");
    expect_error(app, "same.c:101: ");
    cr_expect_null(strstr(svc_app_errors(app), "same.c:102"));
    snprintf(rest, sizeof rest, "beside those reported: %d\n", PAIRS - TOLD);
    expect_error(app, rest);
    svc_app_free(app);
}

static void fill(char *text, size_t size, const char *start, const char *end)
{
    memset(text, 'x', size);
    memcpy(text, start, strlen(start));
    strcpy(text + size - strlen(end) - 1, end);
}

Test(app, a_long_report_is_told_whole)
{
    static char bad[5000];
    svc_app *app = svc_app_new("bad");
    fill(bad, sizeof bad, "/", "/the end of it/{x");
    svc_app_get(app, bad, ok, NULL);
    expect_error(app, bad);
    svc_app_free(app);
}

/* Here the examples would take no end; that there is a conflict, and where, is told all the same.
 */
Test(app, a_conflict_of_long_patterns_is_told_by_file_and_line)
{
    static char pattern[8192];
    svc_app *app = svc_app_new("bad");
    for (int i = 0; i < 40; i++)
        fill(pattern + i * 200, 201, "/", "");
    svc_app_method_at(app, "GET", pattern, ok, NULL, "one.c", 11);
    svc_app_method_at(app, "GET", pattern, ok, NULL, "two.c", 22);
    svc_app_method_at(app, "GET", "/a/{b}", ok, NULL, "three.c", 33);
    svc_app_method_at(app, "GET", "/a/{c}", ok, NULL, "four.c", 44);
    cr_expect_eq(svc_app_start(app), SVC_EROUTES);
    expect_error(app, "one.c:11: the pattern conflicts with that of two.c:22\n");
    expect_error(app, "three.c:33: pattern \"GET /a/{b}\" conflicts with");
    svc_app_free(app);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

Test(app, errors_that_find_no_room_are_counted)
{
    enum { ERRORS = 20000 };
    static char file[200];
    svc_app *app = svc_app_new("bad");
    fill(file, sizeof file, "a-long-name", ".c");
    for (int i = 0; i < ERRORS; i++)
        cr_assert_eq(svc_app_method_at(app, "GET", "none", ok, NULL, file, i), SVC_ESYNTAX);
    for (int repeat = 0; repeat < 2; repeat++) {
        const char *text = svc_app_errors(app), *count = strstr(text, "no room: ");
        cr_assert(count, "%zu bytes", strlen(text));
        cr_expect_eq(count_lines(text) - 1 + strtoul(count + strlen("no room: "), NULL, 10),
                     ERRORS);
    }
    svc_app_free(app);
}

Test(app, what_cannot_be_registered_is_refused_and_told)
{
    svc_app *app = svc_app_new("bad");
    static const svc_middleware nameless = SVC_MIDDLEWARE_INIT;
    cr_expect_eq(svc_app_get(app, "/a", NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_app_use(app, NULL), SVC_EINVAL);
    cr_expect_eq(svc_app_use(app, &nameless), SVC_EINVAL);
    cr_expect_eq(svc_app_add_check(app, "bad name", NULL, NULL), SVC_EINVAL);
    cr_expect_null(svc_app_group(app, "no-slash"));
    cr_expect_null(svc_app_group(app, "/slash/"));
    cr_expect_eq(svc_group_get(svc_app_group(app, "x"), "/a", ok, NULL), SVC_ENOMEM);
    cr_expect_neq(svc_app_start(app), 0);
    svc_app_free(app);
    svc_app_free(NULL);
}

Test(app, flags_of_another_kind_are_refused)
{
    const unsigned sets[] = {
        SVC_ANY_BYTES | SVC_BLOCKING | SVC_STREAM_BODY | SVC_BODY_PIECES | SVC_DUPLEX |
            SVC_ANY_CODING,
        SVC_RATE_BY_CLIENT | SVC_RATE_BY_ROUTE | SVC_RATE_REPORT_ONLY | SVC_RATE_REFUSE_WHEN_FULL |
            SVC_RATE_FIELDS_ALWAYS | SVC_RATE_X_FIELDS | SVC_RATE_NO_DRAFT_FIELDS,
        SVC_SCHEMA_LENIENT | SVC_SCHEMA_FORM,
        SVC_READABLE | SVC_WRITABLE,
        SVC_CACHE_PUBLIC | SVC_CACHE_PRIVATE | SVC_CACHE_NO_STORE | SVC_CACHE_NO_CACHE |
            SVC_CACHE_NO_TRANSFORM | SVC_CACHE_MUST_REVALIDATE | SVC_CACHE_PROXY_REVALIDATE |
            SVC_CACHE_MUST_UNDERSTAND | SVC_CACHE_IMMUTABLE | SVC_CACHE_ONLY_IF_CACHED,
    };
    unsigned all = 0;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        cr_expect_eq(all & sets[i], 0, "set %zu has a bit of another", i);
        all |= sets[i];
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        const unsigned flag = 1U << bit;
        svc_app *app = svc_app_new("flags");
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = "/a";
        route.handler = ok;
        route.flags = flag;
        svc_middleware layer = SVC_MIDDLEWARE_INIT;
        layer.name = "layer";
        layer.flags = flag;
        svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
        limit.rate = 1;
        limit.flags = flag;
        bool of_route =
            flag & (SVC_ANY_BYTES | SVC_BLOCKING | SVC_STREAM_BODY | SVC_DUPLEX | SVC_ANY_CODING);
        bool of_layer = flag & (SVC_BODY_PIECES | SVC_BLOCKING);
        cr_expect_eq(svc_app_route(app, &route), of_route ? 0 : SVC_EINVAL, "bit %u", bit);
        cr_expect_eq(svc_app_use(app, &layer), of_layer ? 0 : SVC_EINVAL, "bit %u", bit);
        cr_expect_eq(svc_rate_limit_new(app, &limit) != NULL, !!(flag & sets[1]), "bit %u", bit);
        cr_expect_eq(svc_app_start(app), of_route && of_layer && flag & sets[1] ? 0 : SVC_EROUTES);
        svc_app_free(app);
    }
}

Test(app, a_layer_of_a_route_is_checked_as_one_of_the_app_is)
{
    static const svc_middleware nameless = SVC_MIDDLEWARE_INIT, sizeless = {.name = "sizeless"},
                                large = {
                                    .size = sizeof large, .name = "large", .state_size = SIZE_MAX};
    static const svc_middleware *const layers[] = {&nameless, &sizeless, &large, NULL};
    svc_app *app = svc_app_new("bad");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/a";
    route.handler = ok;
    route.middleware = layers;
    cr_expect_eq(svc_app_route_at(app, &route, "one.c", 11), SVC_EINVAL);
    cr_expect_eq(svc_app_use(app, &large), SVC_EINVAL);
    expect_error(app, "one.c:11: layer 1 of \"/a\"");
    expect_error(app, "one.c:11: layer 2 of \"/a\"");
    expect_error(app, "one.c:11: layer 3 of \"/a\"");
    cr_expect_neq(svc_app_start(app), 0);
    svc_app_free(app);
}

Test(app, a_configuration_that_is_not_taken_refuses_the_start)
{
    svc_app *app = svc_app_new("bad");
    svc_config config = SVC_CONFIG_INIT;
    config.size = 8;
    cr_expect_eq(svc_app_configure(app, NULL), SVC_EINVAL);
    cr_expect_eq(svc_app_configure(app, &config), SVC_EINVAL);
    svc_app_get(app, "/a", ok, NULL);
    cr_expect_null(svc_app_test_get(app, "/a"));
    expect_error(app, "svc_app_configure: invalid argument");
    svc_app_free(app);
}

Test(app, nothing_can_be_registered_once_it_is_ready)
{
    svc_app *app = svc_app_new("ready");
    svc_config config = SVC_CONFIG_INIT;
    svc_app_get(app, "/a", ok, NULL);
    svc_reply_free(svc_app_test_get(app, "/a"));
    cr_expect_eq(svc_app_get(app, "/b", ok, NULL), SVC_ESTATE);
    cr_expect_eq(svc_app_configure(app, &config), SVC_ESTATE);
    cr_expect_eq(svc_app_read_environment(app, "X"), SVC_ESTATE);
    cr_expect_eq(svc_app_add_hook(app, NULL, NULL, NULL), SVC_ESTATE);
    expect_error(app, "app.c:");
    expect_error(app, ": route: not possible in this state");
    expect_error(app, "svc_app_configure: not possible in this state");
    expect_error(app, "svc_app_read_environment: not possible in this state");
    cr_expect_null(svc_app_test_get(app, "/a"), "what was left out must not go unnoticed");
    cr_expect_neq(svc_app_start(app), 0);
    svc_app_free(app);
}

static int collect(const svc_route_info *info, void *arg)
{
    char *list = arg;
    strcat(strcat(list, info->pattern), ";");
    return info->line > 0 && strstr(info->file, "app.c") ? 0 : -1;
}

Test(app, routes_are_listed_with_their_whole_patterns)
{
    char list[256] = "";
    svc_app *app = svc_app_new("list");
    svc_group *v1 = svc_app_group(app, "/v1"), *deep = svc_group_group(v1, "/deep");
    svc_app_get(app, "/a", ok, NULL);
    svc_group_post(v1, "/b/{id}", ok, NULL);
    svc_group_delete(deep, "/c", ok, NULL);
    svc_group_method_at(deep, "PUT", "host.example/d", ok, NULL, __FILE__, __LINE__);
    cr_expect_eq(svc_app_visit_routes(app, collect, list), 0);
    cr_expect_str_eq(list, "GET /a;POST /v1/b/{id};DELETE /v1/deep/c;PUT host.example/v1/deep/d;");
    svc_app_free(app);
}

Test(app, settings_are_checked_as_a_whole)
{
    svc_app *app = svc_app_new("settings");
    svc_config config = SVC_CONFIG_INIT;
    config.max_fields = 1;
    config.idle_timeout_ms = 0;
    config.listen = "nowhere";
    config.admin_listen = "127.0.0.1:0,x";
    config.log_output = "/nowhere/log";
    config.exempt_networks = "10.0.0.0/8,nowhere";
    setenv("OTHER_THREADS", "x", 1);
    setenv("OTHER_DRAIN_DELAY_MS", "-1", 1);
    setenv("SVC_LOG_LEVEL", "not read", 1);
    cr_expect_eq(svc_app_configure(app, &config), 0);
    cr_expect_eq(svc_app_read_environment(app, "OTHER"), SVC_ECONFIG);
    cr_expect_eq(svc_app_start(app), SVC_ECONFIG);
    expect_error(app, "max_fields");
    expect_error(app, "idle_timeout_ms");
    expect_error(app, "exempt_networks: \"nowhere\"");
    expect_error(app, "OTHER_THREADS");
    expect_error(app, "OTHER_DRAIN_DELAY_MS");
    expect_error(app, "listen: \"nowhere\"");
    expect_error(app, "admin_listen: \"x\"");
    expect_error(app, "/nowhere/log");
    cr_expect_null(strstr(svc_app_errors(app), "LOG_LEVEL"));
    svc_app_free(app);
}

Test(app, a_front_that_does_not_exist_is_refused)
{
    svc_app *app = svc_app_new("fronts");
    svc_config config = SVC_CONFIG_INIT;
    config.http1 = 7;
    config.listen = "127.0.0.1:0;front=other,127.0.0.1:0";
    config.admin_listen = "127.0.0.1:0;front=native;front=native";
    cr_expect_eq(svc_app_configure(app, &config), 0);
    cr_expect_eq(svc_app_start(app), SVC_ECONFIG);
    expect_error(app, "http1: \"7\" is not libmicrohttpd or native");
    expect_error(app, "listen: \"127.0.0.1:0;front=other\": the option front must have");
    expect_error(app,
                 "admin_listen: \"127.0.0.1:0;front=native;front=native\": an option is repeated");
    svc_app_free(app);
}

/* Hooks write what they do. */
static char done[64];

static int start(svc_app *app, void *arg)
{
    (void)app;
    strcat(strcat(done, "+"), arg);
    return strcmp(arg, "bad") ? 0 : -1;
}

static void stop(svc_app *app, void *arg)
{
    (void)app;
    strcat(strcat(done, "-"), arg);
}

static char a[] = "a", b[] = "b", bad[] = "bad";

Test(app, hooks_run_in_order_and_are_undone_in_reverse)
{
    svc_app *app = svc_app_new("hooks");
    svc_app_add_hook(app, start, stop, a);
    svc_app_add_hook(app, start, stop, b);
    svc_app_get(app, "/", ok, NULL);
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_str_eq(done, "+a+b");
    svc_app_free(app);
    cr_expect_str_eq(done, "+a+b-b-a");
}

Test(app, a_start_hook_that_fails_refuses_the_start)
{
    svc_app *app = svc_app_new("hooks");
    svc_app_add_hook(app, start, stop, a);
    svc_app_add_hook(app, start, stop, bad);
    svc_app_add_hook(app, start, stop, b);
    cr_expect_eq(svc_app_start(app), SVC_ESTART);
    cr_expect_str_eq(done, "+a+bad-a");
    svc_app_free(app);
}

Test(app, errors_have_names_and_texts)
{
    cr_expect_str_eq(svc_error_name(SVC_ENOMEM), "SVC_ENOMEM");
    cr_expect_str_eq(svc_error_text(SVC_OK), "success");
    cr_expect_str_eq(svc_error_text(-9999), "unknown error");
    cr_expect_null(svc_error_name(1));
}

Test(app, the_library_has_the_version_of_its_header)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", SVC_VERSION_MAJOR, SVC_VERSION_MINOR,
             SVC_VERSION_PATCH);
    cr_expect_str_eq(svc_version(), version);
}

Test(app, the_defaults_of_a_struct_are_those_of_its_macro)
{
    static const char *const names[] = {"svc_cache_policy", "svc_cache_wish", "svc_concurrency",
                                        "svc_conditional",  "svc_config",     "svc_field",
                                        "svc_file",         "svc_middleware", "svc_rate_limit",
                                        "svc_route",        "svc_setting",    "svc_source",
                                        "svc_task",         "svc_test",       "svc_validators"};
    size_t size = 0, told;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const void *defaults = svc_struct_defaults(names[i], &size);
        cr_assert_not_null(defaults, "%s", names[i]);
        memcpy(&told, defaults, sizeof told);
        cr_expect_eq(told, size, "%s", names[i]);
    }
    const svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    const svc_rate_limit *found = svc_struct_defaults("svc_rate_limit", &size);
    cr_expect(size == sizeof limit && found->memory == limit.memory && found->cost == 1);
    cr_expect_null(svc_struct_defaults("svc_kv", &size));
}
