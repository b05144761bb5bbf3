/* A program's arguments: those that ask about its settings, and files that it reads them from. */
#include <stdio.h>
#include <string.h>

#include "libsvc/app/app_settings.h"
#include "libsvc/service/app_run.h"
#include "libsvc/settings/settings_source.h"
#include "libsvc/settings/settings_text.h"

enum { MAX_OUTPUT = 16 << 20 };
enum action { ACTION_RUN, ACTION_HELP, ACTION_CHECK, ACTION_PRINT };

static const char env_file[] = "--env-file=";

static const char usage[] =
    "Usage: %s [--help | --check-config | --print-config] [--env-file=FILE]... [-- ARGUMENT...]\n";

static const char options[] =
    "\n"
    "  --help           prints this\n"
    "  --check-config   checks all settings, and ends with 0 or 1\n"
    "  --print-config   prints all settings and where each is from; ends with 0 or 1\n"
    "  --env-file=FILE  reads settings from lines NAME=value; the environment has the\n"
    "                   last word\n"
    "\n"
    "Settings, from the environment:\n"
    "\n";

static const char statuses[] =
    "\n"
    "Exit status: 0 after a clean stop, 1 when set-up failed, 2 for a bad argument, 3\n"
    "when requests in flight had to be cut.\n";

/* The file that an argument names; NULL when it is no such argument. */
static const char *file_of(const char *argument)
{
    size_t len = sizeof env_file - 1;
    return !strncmp(argument, env_file, len) && argument[len] ? argument + len : NULL;
}

static bool take_argument(const char *argument, enum action *action)
{
    static const char *const names[] = {
        [ACTION_HELP] = "--help",
        [ACTION_CHECK] = "--check-config",
        [ACTION_PRINT] = "--print-config",
    };
    for (int i = ACTION_HELP; i <= ACTION_PRINT; i++) {
        if (!strcmp(argument, names[i])) {
            *action = (enum action)i;
            return true;
        }
    }
    return file_of(argument) != NULL;
}

/* The number of arguments before "--", behind which they are the program's own. */
static int count_own(int argc, char **argv)
{
    int count = 0;
    while (count < argc && (count == 0 || strcmp(argv[count], "--") != 0))
        count++;
    return count;
}

static int take_arguments(svc_app *app, int argc, char **argv, enum action *action)
{
    *action = ACTION_RUN;
    for (int i = 1; i < argc; i++) {
        if (take_argument(argv[i], action))
            continue;
        fprintf(stderr, "%s: unknown argument \"%s\"; see --help\n", svc_app_name(app), argv[i]);
        return SVC_EINVAL;
    }
    return 0;
}

/* The app keeps all mistakes, and a later step reports them. */
static void read_settings(svc_app *app, int argc, char **argv)
{
    if (!app->settings.prefix)
        svc_app_read_environment(app, "SVC");
    for (int i = 1; i < argc; i++) {
        const char *file = file_of(argv[i]);
        if (file)
            svc__settings_source_file(&app->settings, file);
    }
}

static int print(svc_app *app, void (*put)(const svc_app *app, struct buf *out))
{
    struct buf text;
    svc__buf_init(&text, MAX_OUTPUT);
    put(app, &text);
    bool printed = !svc__buf_error(&text) && fwrite(text.data, 1, text.len, stdout) == text.len &&
                   !fflush(stdout);
    if (!printed)
        fprintf(stderr, "%s: cannot print\n", svc_app_name(app));
    svc__buf_free(&text);
    return printed ? EXIT_CLEAN : EXIT_SETUP;
}

static void put_help(const svc_app *app, struct buf *out)
{
    svc__buf_printf(out, usage, svc_app_name(app));
    if (app->description)
        svc__buf_printf(out, "\n%s\n", app->description);
    svc__buf_puts(out, options);
    svc__settings_text_help(&app->settings, out);
    svc__buf_puts(out, statuses);
}

static void put_values(const svc_app *app, struct buf *out)
{
    svc__settings_text_values(&app->settings, out);
}

static int check(svc_app *app)
{
    int error = svc__app_settings_check(app);
    if (!error && svc__faults_any(&app->faults))
        error = SVC_ECONFIG;
    return error ? svc__app_run_report(app, error) : EXIT_CLEAN;
}

/* Carries out the arguments that only show or check settings. */
static int act(svc_app *app, enum action action)
{
    if (action == ACTION_HELP)
        return print(app, put_help);
    int printed = action == ACTION_PRINT ? print(app, put_values) : EXIT_CLEAN;
    int checked = check(app);
    return printed ? printed : checked;
}

int svc_app_main(svc_app *app, int argc, char **argv)
{
    if (!app)
        return svc_app_run(app);
    enum action action;
    argc = count_own(argc, argv);
    int status = take_arguments(app, argc, argv, &action) ? EXIT_USAGE : EXIT_CLEAN;
    if (!status && action != ACTION_HELP)
        read_settings(app, argc, argv);
    if (!status && action == ACTION_RUN)
        return svc_app_run(app);
    if (!status)
        status = act(app, action);
    svc_app_free(app);
    return status;
}
