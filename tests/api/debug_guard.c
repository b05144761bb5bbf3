/* The pages below /debug/ of the admin listener: when they are there, and who may read them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc.h>
#include <svc/sys/debug.h>

#define TOKEN "0123456789abcdef"

static int show(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "shown");
}

static svc_app *make_app(const svc_config *config)
{
    svc_app *app = svc_app_new("shop");
    svc_group *group = svc_sys_debug_group(app);
    cr_assert(group);
    cr_expect_eq(svc_sys_debug_group(app), group);
    cr_expect_eq(svc_sys_debug_group(svc_app_admin(app)), group);
    cr_assert_eq(svc_app_configure(app, config), 0);
    cr_assert_eq(svc_group_get(group, "/probe/{$}", show, NULL), 0);
    cr_assert_eq(svc_app_get(svc_app_admin(app), "/own", show, NULL), 0);
    return app;
}

/* A file with these bytes; the caller frees its name, which unlink_free does. */
static char *make_file(const char *text)
{
    char *path = strdup("/tmp/svc-token-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void unlink_free(char *path)
{
    unlink(path);
    free(path);
}

static svc_reply *ask(svc_app *app, const char *peer, const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.target = "/debug/probe/";
    test.peer = peer;
    test.headers = headers;
    svc_reply *reply = svc_app_test(svc_app_admin(app), &test);
    cr_expect(reply, "%s", svc_app_errors(app));
    return reply;
}

static int status_of(svc_app *app, const char *peer, const char *const *headers)
{
    svc_reply *reply = ask(app, peer, headers);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static int status_for(svc_app *app, const char *method, const char *target)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    svc_reply *reply = svc_app_test(svc_app_admin(app), &test);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

Test(debug_guard, pages_are_there_only_with_the_setting)
{
    svc_config config = SVC_CONFIG_INIT;
    svc_app *off = make_app(&config);
    cr_expect_eq(status_for(off, "GET", "/debug/probe/"), 404);
    cr_expect_eq(status_for(off, "POST", "/debug/probe/"), 404,
                 "no word of which methods there are");
    cr_expect_eq(status_for(off, "GET", "/debug/probe"), 404, "nor of which paths");
    cr_expect_eq(status_for(off, "GET", "/own"), 200);
    svc_app_free(off);

    config.debug_pages = 1;
    svc_app *on = make_app(&config);
    cr_expect_eq(status_for(on, "GET", "/debug/probe/"), 200);
    cr_expect_eq(status_for(on, "POST", "/debug/probe/"), 405);
    cr_expect_eq(status_for(on, "GET", "/own"), 200);
    cr_expect_not(svc_sys_debug_group(on), "it is too late");
    svc_app_free(on);
    cr_expect_not(svc_sys_debug_group(NULL));
}

Test(debug_guard, a_mounted_app_s_pages_follow_the_setting_of_the_app_that_serves)
{
    for (int on = 0; on <= 1; on++) {
        svc_config config = SVC_CONFIG_INIT;
        config.debug_pages = !on;
        svc_app *app = svc_app_new("shop"), *inner = make_app(&config);
        cr_assert_eq(svc_app_mount(app, "/orders", inner), 0);
        config.debug_pages = on;
        cr_assert_eq(svc_app_configure(app, &config), 0);
        cr_expect_eq(status_for(app, "GET", "/orders/debug/probe/"), on ? 200 : 404);
        cr_expect_eq(status_for(app, "GET", "/orders/own"), 200);
        svc_app_free(app);
    }
}

static void add_page(svc_app *app, const char *pattern, int line)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = show;
    cr_expect_eq(svc_group_route_at(svc_sys_debug_group(app), &route, "pages.c", line), 0);
}

static void expect_conflict(int debug_pages, const char *page, const char *other,
                            const char *const errors[2])
{
    svc_config config = SVC_CONFIG_INIT;
    config.debug_pages = debug_pages;
    svc_app *app = svc_app_new("shop");
    cr_assert_eq(svc_app_configure(app, &config), 0);
    add_page(app, page, 1);
    add_page(app, other, 2);
    cr_expect_eq(svc_app_start(app), SVC_EROUTES);
    for (size_t i = 0; i < 2; i++)
        cr_expect(strstr(svc_app_errors(app), errors[i]), "%s", svc_app_errors(app));
    svc_app_free(app);
}

/* Two libraries may add pages of one name. That shows at the first start, whatever the setting. */
Test(debug_guard, a_page_that_is_registered_twice_is_an_error_with_both_places)
{
    for (int on = 0; on <= 1; on++)
        expect_conflict(
            on, "GET /heap", "GET /heap",
            (const char *const[]){"pages.c:1: pattern \"GET /debug/heap\"", "pages.c:2"});
}

Test(debug_guard, a_page_of_the_library_cannot_be_registered_again)
{
    expect_conflict(1, "/{$}", "GET /other",
                    (const char *const[]){"pages.c:1: pattern \"/debug/{$}\"",
                                          "/debug/ of the admin listener is the library's own"});
    expect_conflict(1, "GET /other", "/vars",
                    (const char *const[]){"pages.c:2: pattern \"/debug/vars\"", "library's own"});
}

Test(debug_guard, replies_keep_other_sites_out)
{
    static const char *const fields[][2] = {{"Cache-Control", "no-store"},
                                            {"X-Content-Type-Options", "nosniff"},
                                            {"X-Frame-Options", "DENY"},
                                            {"Cross-Origin-Resource-Policy", "same-origin"},
                                            {"Referrer-Policy", "no-referrer"}};
    svc_config config = SVC_CONFIG_INIT;
    config.debug_pages = 1;
    svc_app *app = make_app(&config);
    svc_reply *reply = ask(app, "test", NULL);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *found = svc_reply_header(reply, fields[i][0]);
        cr_expect_str_eq(found ? found : "none", fields[i][1], "%s", fields[i][0]);
    }
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- The token */

Test(debug_guard, the_token_is_asked_of_everybody)
{
    static const struct {
        const char *authorization;
        int status;
    } rows[] = {
        {"Bearer " TOKEN, 200},
        {"bearer " TOKEN, 200},
        {"Basic OjAxMjM0NTY3ODlhYmNkZWY=", 200},         /* ":" and the token */
        {"Basic YWRhOjAxMjM0NTY3ODlhYmNkZWY=", 200},     /* "ada:" */
        {"Basic MDEyMzQ1Njc4OWFiY2RlZjo=", 401},         /* the token as the user */
        {"Basic YWRhOjAxMjM0NTY3ODlhYmNkZWY6YQ==", 401}, /* and something behind */
        {"Bearer " TOKEN "0", 401},
        {"Bearer 0123456789abcde", 401},
        {"Bearer 0123456789abcdeF", 401},
        {"Bearer", 401},
        {"Bearer ", 401},
        {"Token " TOKEN, 401},
        {TOKEN, 401},
        {"", 401},
    };
    static const char *const peers[] = {"test", "unix", "127.0.0.1", "::1", "192.0.2.1"};
    svc_config config = SVC_CONFIG_INIT;
    char *path = make_file(TOKEN "\n");
    config.debug_pages = 1;
    config.admin_token_file = path;
    svc_app *app = make_app(&config);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        const char *const none[] = {"Host", "localhost", NULL};
        cr_expect_eq(status_of(app, peers[i], none), 401, "%s", peers[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const headers[] = {"Authorization", rows[i].authorization, NULL};
        int status = status_of(app, "192.0.2.1", headers);
        cr_expect_eq(status, rows[i].status, "%s: %d", rows[i].authorization, status);
    }
    const char *const twice[] = {"Authorization", "Bearer " TOKEN, "Authorization", "Bearer " TOKEN,
                                 NULL};
    cr_expect_eq(status_of(app, "192.0.2.1", twice), 401);
    cr_expect_eq(status_for(app, "GET", "/own"), 200, "a route of the program's own");
    svc_app_free(app);
    unlink_free(path);
}

Test(debug_guard, a_401_says_how_to_show_the_token)
{
    svc_config config = SVC_CONFIG_INIT;
    char *path = make_file(TOKEN);
    config.debug_pages = 1;
    config.admin_token_file = path;
    svc_app *app = make_app(&config);
    svc_reply *reply = ask(app, "test", NULL);
    const char *name, *value;
    bool bearer = false, basic = false;
    for (size_t i = 0; !svc_reply_header_at(reply, i, &name, &value); i++) {
        bearer = bearer || (!strcmp(name, "WWW-Authenticate") && !strncmp(value, "Bearer ", 7));
        basic = basic || (!strcmp(name, "WWW-Authenticate") && !strncmp(value, "Basic ", 6));
    }
    cr_expect(bearer && basic);
    cr_expect_not(strstr(svc_reply_body(reply, NULL), TOKEN));
    svc_reply_free(reply);
    svc_app_free(app);
    unlink_free(path);
}

static void expect_refused_token(const char *path, const char *why)
{
    svc_config config = SVC_CONFIG_INIT;
    config.debug_pages = 1;
    config.admin_token_file = path;
    svc_app *app = make_app(&config);
    cr_expect_not(svc_app_test_get(svc_app_admin(app), "/own"), "%s", path);
    cr_expect(strstr(svc_app_errors(app), "setting admin_token_file"), "%s", svc_app_errors(app));
    cr_expect(strstr(svc_app_errors(app), why), "%s", svc_app_errors(app));
    svc_app_free(app);
}

Test(debug_guard, a_file_without_a_good_token_refuses_the_start)
{
    static const char *const texts[] = {"",
                                        "short\n",
                                        "0123456789abcde\n",
                                        "0123456789 abcdef",
                                        "\n" TOKEN,
                                        TOKEN "\nand more\n",
                                        "0123456789abcd\xc3\xa9"};
    expect_refused_token("/nowhere/at/all", "No such file");
    expect_refused_token("/tmp", "directory");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *path = make_file(texts[i]);
        expect_refused_token(path, "16 to 256 visible ASCII characters");
        unlink_free(path);
    }
    char longest[258];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    char *path = make_file(longest);
    expect_refused_token(path, "16 to 256");
    unlink_free(path);
}

Test(debug_guard, a_token_has_up_to_256_characters)
{
    char header[8 + 256] = "Bearer ", *token = header + 7;
    memset(token, 'x', 256);
    token[256] = '\0';
    char *path = make_file(token);
    svc_config config = SVC_CONFIG_INIT;
    config.debug_pages = 1;
    config.admin_token_file = path;
    svc_app *app = make_app(&config);
    const char *const headers[] = {"Authorization", header, NULL};
    cr_expect_eq(status_of(app, "test", headers), 200);
    token[255] = '\0';
    cr_expect_eq(status_of(app, "test", headers), 401);
    svc_app_free(app);
    unlink_free(path);
}

Test(debug_guard, a_file_is_not_read_while_the_pages_are_off)
{
    svc_config config = SVC_CONFIG_INIT;
    config.admin_token_file = "/nowhere/at/all";
    svc_app *app = make_app(&config);
    cr_expect_eq(status_for(app, "GET", "/own"), 200, "%s", svc_app_errors(app));
    svc_app_free(app);
}

/* ---- Host */

Test(debug_guard, a_peer_on_this_machine_must_name_it)
{
    static const struct {
        const char *peer, *host;
        int status;
    } rows[] = {
        {"127.0.0.1", "localhost", 200},
        {"127.0.0.1", "LocalHost:8081", 200},
        {"127.0.0.1", "127.0.0.1:8081", 200},
        {"127.9.9.9", "0.0.0.0", 200},
        {"127.0.0.1", "[::1]:8081", 200},
        {"::1", "[::1]", 200},
        {"127.0.0.1", "evil.example", 421},
        {"127.0.0.1", "evil.example:8081", 421},
        {"127.0.0.1", "localhost.evil.example", 421},
        {"127.0.0.1", "127.0.0.1.evil.example", 421},
        {"127.0.0.1", "localhost.", 421},
        {"127.0.0.1", "127.1", 421},
        {"127.0.0.1", "2130706433", 421},
        {"127.0.0.1", "0x7f.0.0.1", 421},
        {"::1", "evil.example", 421},
        {"::ffff:127.0.0.1", "evil.example", 421},
        {"192.0.2.1", "evil.example", 200}, /* whom the address or the token has let in */
        {"2001:db8::1", "evil.example", 200},
        {"unix", "evil.example", 200},
    };
    svc_config config = SVC_CONFIG_INIT;
    config.debug_pages = 1;
    svc_app *app = make_app(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const headers[] = {"Host", rows[i].host, NULL};
        int status = status_of(app, rows[i].peer, headers);
        cr_expect_eq(status, rows[i].status, "%s, %s: %d", rows[i].peer, rows[i].host, status);
    }
    svc_test test = SVC_TEST_INIT; /* a target's own authority is in place of Host */
    const char *const headers[] = {"Host", "localhost", NULL};
    test.target = "http://evil.example/debug/probe/";
    test.peer = "127.0.0.1";
    test.headers = headers;
    svc_reply *reply = svc_app_test(svc_app_admin(app), &test);
    cr_expect_eq(svc_reply_status(reply), 421);
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- The address */

static int start_error(svc_app *app)
{
    int error = svc_app_start(app);
    if (!error) {
        svc_app_stop(app);
        cr_expect_eq(svc_app_wait(app), 0);
    }
    return error;
}

Test(debug_guard, other_machines_reach_the_pages_only_with_a_token_or_by_a_setting)
{
    char *token = make_file(TOKEN), local[64];
    snprintf(local, sizeof local, "unix:/tmp/svc-debug-%d", (int)getpid());
    const struct {
        const char *address;
        int pages, open;
        const char *token;
        bool starts;
    } rows[] = {
        {"0.0.0.0:0", 1, 0, "", false},
        {":0", 1, 0, "", false},
        {"127.0.0.1:0,0.0.0.0:0", 1, 0, "", false},
        {"0.0.0.0:0", 0, 0, "", true},
        {"0.0.0.0:0", 1, 1, "", true},
        {"0.0.0.0:0", 1, 0, token, true},
        {"127.0.0.1:0", 1, 0, "", true},
        {"127.0.0.2:0", 1, 0, "", true},
        {"", 1, 0, "", true},
        {local, 1, 0, "", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_config config = SVC_CONFIG_INIT;
        config.listen = "127.0.0.1:0";
        config.log_level = SVC_LEVEL_ERROR;
        config.drain_delay_ms = 0;
        config.admin_listen = rows[i].address;
        config.debug_pages = rows[i].pages;
        config.debug_open = rows[i].open;
        config.admin_token_file = rows[i].token;
        svc_app *app = make_app(&config);
        int error = start_error(app);
        cr_expect_eq(error, rows[i].starts ? 0 : SVC_ECONFIG, "row %zu: %d %s", i, error,
                     svc_app_errors(app));
        if (!rows[i].starts)
            cr_expect(strstr(svc_app_errors(app), "admin_token_file, or debug_open"), "%s",
                      svc_app_errors(app));
        svc_app_free(app);
    }
    unlink_free(token);
}
