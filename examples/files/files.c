/* The download server: what it serves, and how clients may keep it. */
#include "files.h"

#include <unistd.h>

static const svc_setting table[] = {SVC_SETTING_STRING(struct files, folder, NULL,
                                                       "The folder whose files are served",
                                                       .required = true),
                                    SVC_SETTING_END};

/* Types that Debian's list does not have. */
static const svc_file_type types[] = {
    {"log", "text/plain"}, {"yaml", "application/yaml"}, {"yml", "application/yaml"}, {NULL, NULL}};

/* An orchestrator learns that the folder has gone, such as a disk that is not mounted any more. */
static int check_folder(void *arg)
{
    const struct files *files = arg;
    return access(files->folder, R_OK | X_OK);
}

static void add_files(svc_app *app, struct files *files)
{
    static svc_cache_policy forever = SVC_CACHE_POLICY_INIT, validate = SVC_CACHE_POLICY_INIT;
    static const svc_file_rule rules[] = {
        {"*", true, &forever}, {"*", false, &validate}, {NULL, false, NULL}};
    forever.directives = SVC_CACHE_PUBLIC | SVC_CACHE_IMMUTABLE;
    forever.max_age_s = 31536000;
    validate.directives = SVC_CACHE_PUBLIC | SVC_CACHE_NO_CACHE;

    svc_files options = SVC_FILES_INIT;
    options.root_setting = &files->folder;
    options.types = types;
    options.rules = rules;
    options.downloads = "*.iso";
    options.listing = true;
    options.precompressed = true;
    svc_app_files(app, "/", &options);
}

svc_app *files_new(struct files *files)
{
    svc_app *app = svc_app_new("files");
    svc_app_describe(app, "Serves the files of a folder, with listings.");
    *files = (struct files){.folder = NULL};
    svc_app_add_settings(app, table, files);
    svc_app_add_check(app, "folder", check_folder, files);
    svc_app_use(app, svc_compress_new(app, NULL));
    add_files(app, files);
    return app;
}
