/* A program's own settings: declared in a table, read with the library's, and checked with them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

struct settings {
    const char *database;
    uint64_t max_notes;
    int loud, colour;
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct settings, database, NULL, "Where notes live", .secret = true,
                       .required = true),
    SVC_SETTING_NUMBER(struct settings, max_notes, 10000, 1, 1000000, "notes", "Notes at most"),
    SVC_SETTING_FLAG(struct settings, loud, 1, "Says more"),
    SVC_SETTING_CHOICE(struct settings, colour, 1, "red green blue", "Of the notes"),
    SVC_SETTING_END,
};

static const svc_setting more[] = {
    SVC_SETTING_FLAG(struct settings, loud, 0, "The same name"),
    SVC_SETTING_END,
};

static int ok(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static svc_app *new_app(void)
{
    svc_app *app = svc_app_new("settings");
    svc_app_get(app, "/", ok, NULL);
    return app;
}

static void expect_error(svc_app *app, const char *text)
{
    cr_expect(strstr(svc_app_errors(app), text), "%s in:\n%s", text, svc_app_errors(app));
}

static void expect_served(svc_app *app, bool served)
{
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), served ? 200 : 0, "%s", svc_app_errors(app));
    svc_reply_free(reply);
}

Test(settings, defaults_are_there_at_once)
{
    struct settings settings;
    memset(&settings, 0x55, sizeof settings);
    svc_app *app = new_app();
    cr_expect_eq(svc_app_add_settings(app, table, &settings), 0);
    cr_expect_null(settings.database);
    cr_expect_eq(settings.max_notes, 10000);
    cr_expect_eq(settings.loud, 1);
    cr_expect_eq(settings.colour, 1);
    settings.database = "memory";
    expect_served(app, true);
    svc_app_free(app);
}

static void set_environment(const char *prefix)
{
    static const char *const pairs[][2] = {
        {"DATABASE", "db"}, {"MAX_NOTES", "7"}, {"LOUD", "off"}, {"COLOUR", "blue"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char name[64] = "";
        strcat(strcat(strcpy(name, prefix), "_"), pairs[i][0]);
        setenv(name, pairs[i][1], 1);
    }
}

static void expect_environment(const struct settings *settings)
{
    cr_expect_str_eq(settings->database, "db");
    cr_expect_eq(settings->max_notes, 7);
    cr_expect_eq(settings->loud, 0);
    cr_expect_eq(settings->colour, 2);
}

Test(settings, the_environment_fills_them_before_or_after_they_are_declared)
{
    struct settings settings;
    set_environment("BOTH");
    for (int declared_first = 0; declared_first < 2; declared_first++) {
        svc_app *app = new_app();
        cr_expect(!declared_first || !svc_app_add_settings(app, table, &settings));
        cr_expect_eq(svc_app_read_environment(app, "BOTH"), 0);
        cr_expect(declared_first || !svc_app_add_settings(app, table, &settings));
        expect_environment(&settings);
        setenv("BOTH_DATABASE", "changed", 1);
        cr_expect_str_eq(settings.database, "db", "texts are copies");
        setenv("BOTH_DATABASE", "db", 1);
        expect_served(app, true);
        svc_app_free(app);
    }
}

Test(settings, apps_of_one_program_have_prefixes_of_their_own)
{
    struct settings one, two;
    svc_app *first = new_app(), *second = new_app();
    set_environment("ONE");
    setenv("TWO_DATABASE", "other", 1);
    cr_expect_eq(svc_app_add_settings(first, table, &one), 0);
    cr_expect_eq(svc_app_add_settings(second, table, &two), 0);
    cr_expect_eq(svc_app_read_environment(first, "ONE"), 0);
    cr_expect_eq(svc_app_read_environment(second, "TWO"), 0);
    expect_environment(&one);
    cr_expect_str_eq(two.database, "other");
    cr_expect_eq(two.max_notes, 10000);
    svc_app_free(first);
    svc_app_free(second);
}

static int saw_settings(svc_app *app, void *arg)
{
    (void)app;
    return strcmp(((const struct settings *)arg)->database, "db") != 0;
}

Test(settings, start_hooks_see_them)
{
    struct settings settings;
    svc_app *app = new_app();
    set_environment("HOOK");
    svc_app_add_hook(app, saw_settings, NULL, &settings);
    svc_app_add_settings(app, table, &settings);
    svc_app_read_environment(app, "HOOK");
    expect_served(app, true);
    svc_app_free(app);
}

static int count_start(svc_app *app, void *arg)
{
    (void)app;
    ++*(int *)arg;
    return 0;
}

Test(settings, nothing_is_started_with_bad_ones)
{
    struct settings settings;
    int starts = 0;
    svc_app *app = new_app();
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "counts";
    layer.start = count_start;
    layer.arg = &starts;
    svc_app_use(app, &layer);
    svc_app_add_hook(app, count_start, NULL, &starts);
    svc_app_add_settings(app, table, &settings);
    svc_app_get(app, "bad pattern", ok, NULL);
    cr_expect_eq(svc_app_start(app), SVC_ECONFIG);
    cr_expect_eq(starts, 0);
    expect_error(app, "DATABASE must be set");
    expect_error(app, "bad pattern");
    svc_app_free(app);
}

Test(settings, what_is_required_must_be_given)
{
    struct settings settings;
    svc_app *app = new_app();
    cr_expect_eq(svc_app_add_settings(app, table, &settings), 0);
    cr_expect_eq(svc_app_read_environment(app, "NONE"), SVC_ECONFIG);
    cr_expect_str_eq(svc_app_errors(app), "", "another prefix may still have it");
    expect_served(app, false);
    cr_expect_str_eq(svc_app_errors(app), "setting database: NONE_DATABASE must be set\n");
    svc_app_free(app);
}

Test(settings, an_empty_text_is_not_what_is_required)
{
    struct settings settings;
    svc_app *app = new_app();
    setenv("EMPTY_DATABASE", "", 1);
    cr_expect_eq(svc_app_add_settings(app, table, &settings), 0);
    cr_expect_eq(svc_app_read_environment(app, "EMPTY"), SVC_ECONFIG);
    expect_served(app, false);
    expect_error(app, "EMPTY_DATABASE must be set");
    svc_app_free(app);
}

Test(settings, a_required_number_may_come_from_the_program_too)
{
    struct port {
        uint64_t port;
    } settings;
    static const svc_setting rows[] = {
        SVC_SETTING_NUMBER(struct port, port, 0, 1, 65535, "", "Port", .required = true),
        SVC_SETTING_END};
    svc_app *app = new_app(), *other = new_app();
    svc_app_add_settings(app, rows, &settings);
    settings.port = 80;
    expect_served(app, true);
    svc_app_add_settings(other, rows, &settings);
    expect_served(other, false);
    cr_expect_str_eq(svc_app_errors(other), "setting port: SVC_PORT must be set\n");
    svc_app_free(app);
    svc_app_free(other);
}

Test(settings, all_that_is_wrong_is_told_at_once)
{
    struct settings settings;
    svc_app *app = new_app();
    svc_config config = SVC_CONFIG_INIT;
    config.max_fields = 1;
    config.access_log = -1;
    svc_app_configure(app, &config);
    svc_app_add_settings(app, table, &settings);
    setenv("WRONG_MAX_NOTES", "0", 1);
    setenv("WRONG_LOUD", "very", 1);
    setenv("WRONG_THREADS", "many", 1);
    cr_expect_eq(svc_app_read_environment(app, "WRONG"), SVC_ECONFIG);
    settings.colour = 3;
    expect_served(app, false);
    expect_error(app, "WRONG_MAX_NOTES: \"0\" is not in 1 to 1000000\n");
    expect_error(app, "WRONG_LOUD: \"very\" is not on or off\n");
    expect_error(app, "WRONG_THREADS: \"many\" is not a whole number\n");
    expect_error(app, "setting colour: \"3\" is not red, green or blue\n");
    expect_error(app, "setting database: WRONG_DATABASE must be set\n");
    expect_error(app, "setting max_fields: \"1\" is not in 8 to 200\n");
    expect_error(app, "setting access_log: \"-1\" is not on or off\n");
    cr_expect_eq(settings.max_notes, 10000);
    svc_app_free(app);
}

Test(settings, a_bad_secret_is_told_without_its_value)
{
    struct secrets {
        uint64_t pin;
    } secrets;
    static const svc_setting rows[] = {
        SVC_SETTING_NUMBER(struct secrets, pin, 0, 0, 9999, "", "A number", .secret = true),
        SVC_SETTING_END};
    svc_app *app = new_app();
    svc_app_add_settings(app, rows, &secrets);
    setenv("PIN_PIN", "31337", 1);
    svc_app_read_environment(app, "PIN");
    secrets.pin = 271828;
    expect_served(app, false);
    cr_expect_str_eq(svc_app_errors(app), "PIN_PIN: the value is not in 0 to 9999\n"
                                          "setting pin: the value is not in 0 to 9999\n");
    svc_app_free(app);
}

Test(settings, a_name_stands_for_one_setting)
{
    struct clash {
        uint64_t threads;
    } clash;
    static const svc_setting rows[] = {
        SVC_SETTING_NUMBER(struct clash, threads, 0, 0, 1, "", "The library's"), SVC_SETTING_END};
    static const svc_setting twice[] = {
        SVC_SETTING_NUMBER(struct clash, threads, 0, 0, 1, "", "The library's"),
        SVC_SETTING_NUMBER(struct clash, threads, 0, 0, 1, "", "Again"), SVC_SETTING_END};
    struct settings settings, again;
    svc_app *app = new_app();
    cr_expect_eq(svc_app_add_settings(app, rows, &clash), SVC_EINVAL);
    cr_expect_eq(svc_app_add_settings(app, twice, &clash), SVC_EINVAL);
    cr_expect_eq(svc_app_add_settings(app, table, &settings), 0);
    memset(&again, 0x55, sizeof again);
    struct settings untouched = again;
    cr_expect_eq(svc_app_add_settings(app, more, &again), SVC_EINVAL);
    cr_expect_eq(again.loud, untouched.loud);
    expect_served(app, false);
    expect_error(app, "setting threads: the name is taken\n");
    expect_error(app, "setting loud: the name is taken\n");
    svc_app_free(app);
}

Test(settings, every_row_with_a_mistake_is_told)
{
    struct settings settings = {.max_notes = 5};
    static const svc_setting rows[] = {
        SVC_SETTING_NUMBER(struct settings, max_notes, 3, 4, 9, "", "Default out of range"),
        SVC_SETTING_CHOICE(struct settings, colour, 0, "red red", "The same word twice"),
        {.size = sizeof(svc_setting), .name = "Bad-Name", .text = "A name with capitals"},
        SVC_SETTING_END};
    svc_app *app = new_app();
    cr_expect_eq(svc_app_add_settings(app, rows, &settings), SVC_EINVAL);
    cr_expect_eq(settings.max_notes, 5);
    expect_error(app, "setting max_notes: the default is out of the range\n");
    expect_error(app, "setting colour: a choice needs different words");
    expect_error(app, "setting Bad-Name: a name begins with a lower-case letter");
    expect_served(app, false);
    svc_app_free(app);
}

static int read_json(svc_request *req, svc_response *res)
{
    return svc_request_json(req, res) ? svc_response_empty(res, 204) : 0;
}

static int status_of_body(svc_app *app, const char *json)
{
    svc_reply *reply = svc_app_test_json(app, "POST", "/", json);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

/* `first`: of the two calls, the program's comes first. */
static void expect_operator_heard(bool first)
{
    svc_config config = SVC_CONFIG_INIT;
    config.max_json_depth = 1;
    config.max_body_bytes = 1000;
    svc_app *app = new_app();
    svc_app_post(app, "/", read_json, NULL);
    if (first)
        cr_expect_eq(svc_app_configure(app, &config), 0);
    cr_expect_eq(svc_app_read_environment(app, "LAST"), 0);
    if (!first)
        cr_expect_eq(svc_app_configure(app, &config), 0);
    cr_expect_eq(status_of_body(app, "[1, 2, 3]"), 204);
    cr_expect_eq(status_of_body(app, "[1, 2, 3, 4]"), 413, "the operator allows 10 bytes");
    cr_expect_eq(status_of_body(app, "[[1]]"), 400, "the program allows one level");
    svc_app_free(app);
}

Test(settings, the_operator_has_the_last_word)
{
    setenv("LAST_MAX_BODY_BYTES", "10", 1);
    expect_operator_heard(true);
    expect_operator_heard(false);
    unsetenv("LAST_MAX_BODY_BYTES");
}

Test(settings, what_cannot_be_taken_refuses_the_start)
{
    struct settings settings;
    static const svc_setting sizeless[] = {{.name = "loud", .text = "No macro"}, SVC_SETTING_END};
    svc_app *app = new_app();
    cr_expect_eq(svc_app_add_settings(app, NULL, &settings), SVC_EINVAL);
    cr_expect_eq(svc_app_add_settings(app, table, NULL), SVC_EINVAL);
    cr_expect_eq(svc_app_add_settings(app, sizeless, &settings), SVC_EINVAL);
    cr_expect_eq(svc_app_describe(app, NULL), SVC_EINVAL);
    expect_error(app, "svc_app_add_settings: invalid argument\n");
    expect_served(app, false);
    svc_app_free(app);
}

Test(settings, a_table_without_rows_is_no_mistake)
{
    static const svc_setting none[] = {SVC_SETTING_END};
    int nothing;
    svc_app *app = new_app();
    cr_expect_eq(svc_app_add_settings(app, none, &nothing), 0);
    expect_served(app, true);
    cr_expect_eq(svc_app_add_settings(app, none, &nothing), SVC_ESTATE);
    svc_app_free(app);
}

/* As a later release would write them. */
struct longer_row {
    svc_setting row;
    const char *of_a_later_release;
};

Test(settings, rows_may_be_longer_than_those_known_here)
{
    struct settings settings;
    static const struct longer_row rows[] = {
        {SVC_SETTING_FLAG(struct settings, loud, 1, "Says more"), NULL},
        {SVC_SETTING_CHOICE(struct settings, colour, 1, "red green", "Of the notes"), NULL},
        {SVC_SETTING_END, NULL}};
    struct longer_row longer[3];
    memcpy(longer, rows, sizeof rows);
    for (size_t i = 0; i < 3; i++)
        longer[i].row.size = sizeof *longer;
    svc_app *app = new_app();
    settings.loud = settings.colour = 5;
    longer[1].of_a_later_release = "what this one does not know";
    cr_expect_eq(svc_app_add_settings(app, &longer[0].row, &settings), SVC_EINVAL);
    svc_app_free(app);
    app = new_app();
    longer[1].of_a_later_release = NULL;
    cr_expect_eq(svc_app_add_settings(app, &longer[0].row, &settings), 0);
    cr_expect_eq(settings.loud, 1);
    cr_expect_eq(settings.colour, 1);
    expect_served(app, true);
    svc_app_free(app);
}

/* Runs svc_app_main with arguments whose answer needs no listener. */
static int run_main(char *argument, struct settings *settings)
{
    static char name[] = "program";
    char *argv[] = {name, argument, NULL};
    svc_app *app = new_app();
    svc_app_add_settings(app, table, settings);
    return svc_app_main(app, 2, argv);
}

Test(settings, arguments_are_answered_with_a_status)
{
    struct settings settings;
    static char help[] = "--help", check[] = "--check-config", print[] = "--print-config",
                file[] = "--env-file=/nowhere/env", no_file[] = "--env-file=", other[] = "--other",
                plain[] = "plain", empty[] = "";
    setenv("SVC_LISTEN", "127.0.0.1:0", 1);
    setenv("SVC_ADMIN_LISTEN", "", 1);
    unsetenv("SVC_DATABASE");
    cr_expect_eq(run_main(help, &settings), 0);
    cr_expect_eq(run_main(check, &settings), 1);
    cr_expect_eq(run_main(print, &settings), 1);
    cr_expect_eq(run_main(file, &settings), 1);
    setenv("SVC_DATABASE", "db", 1);
    cr_expect_eq(run_main(check, &settings), 0);
    cr_expect_eq(run_main(print, &settings), 0);
    cr_expect_eq(run_main(no_file, &settings), 2);
    cr_expect_eq(run_main(other, &settings), 2);
    cr_expect_eq(run_main(plain, &settings), 2);
    cr_expect_eq(run_main(empty, &settings), 2);
    cr_expect_eq(svc_app_main(NULL, 0, NULL), 1);
}
