/* The calls by which a program sets the settings of an app, as long as registration is open. */
#include "libsvc/app/app_settings.h"

#include "libsvc/settings/settings_source.h"

int svc_app_configure(svc_app *app, const svc_config *config)
{
    int error = svc__app_open(app, "svc_app_configure");
    return error ? error : svc__settings_configure(&app->settings, config);
}

/* The outermost app reads and checks the tables of a mounted one. */
int svc_app_add_settings(svc_app *app, const svc_setting *table, void *values)
{
    app = app ? svc__app_root(app) : NULL;
    int error = svc__app_open(app, "svc_app_add_settings");
    if (!error)
        error = svc__settings_add(&app->settings, table, values);
    return error ? error : svc__settings_source_added(&app->settings);
}

int svc_app_read_environment(svc_app *app, const char *prefix)
{
    int error = svc__app_open(app, "svc_app_read_environment");
    return error ? error : svc__settings_source_prefix(&app->settings, prefix);
}

int svc__app_settings_adopt(svc_app *app, svc_app *inner)
{
    int error = svc__settings_adopt(&app->settings, &inner->settings);
    return error ? error : svc__settings_source_added(&app->settings);
}

int svc__app_settings_check(svc_app *app)
{
    int first = svc__settings_check(&app->settings);
    for (const struct mount *mount = app->mounts; mount; mount = mount->next) {
        int error = svc__app_settings_check(mount->app);
        first = first ? first : error;
    }
    int admin_error = app->admin ? svc__app_settings_check(app->admin) : 0;
    first = first ? first : admin_error;
    if (first)
        app->settings.bad = true;
    return first;
}
