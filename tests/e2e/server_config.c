/* The server for the tests of settings and arguments: it answers with the values that it was given.
 */
#include <stdio.h>
#include <string.h>

#include <svc.h>

struct settings {
    const char *database, *token;
    uint64_t max_notes;
    int loud, colour;
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct settings, database, NULL, "Where `notes` live", .required = true),
    SVC_SETTING_STRING(struct settings, token, "built-in", "Whoever has it may write",
                       .secret = true),
    SVC_SETTING_NUMBER(struct settings, max_notes, 10000, 1, 1000000, "notes", "Notes at most"),
    SVC_SETTING_FLAG(struct settings, loud, 0, "Says more"),
    SVC_SETTING_CHOICE(struct settings, colour, 1, "red green blue", "Of the notes"),
    SVC_SETTING_END,
};

static struct settings settings;
static const char *own_argument = "none";

/* Settings are read before the first hook runs. */
static int tell(svc_app *app, void *arg)
{
    const struct settings *given = arg;
    (void)app;
    printf("hook: %s %s %llu %d %d %s\n", given->database, given->token,
           (unsigned long long)given->max_notes, given->loud, given->colour, own_argument);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    svc_app *app = svc_app_new("config");
    svc_app_describe(app, "Tells its settings.");
    svc_app_add_settings(app, table, &settings);
    svc_app_add_hook(app, tell, NULL, &settings);
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--"))
            own_argument = argv[i + 1];
    return svc_app_main(app, argc, argv);
}
