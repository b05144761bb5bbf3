/* The server for the tests of files that many send at once. */
#include <svc.h>

struct settings {
    const char *files;
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct settings, files, NULL, "The folder", .required = true),
    SVC_SETTING_END};

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

int main(void)
{
    static struct settings settings;
    svc_app *app = svc_app_new("files");
    svc_files files = SVC_FILES_INIT;
    files.root_setting = &settings.files;
    files.listing = true;
    svc_app_add_settings(app, table, &settings);
    svc_app_files(app, "/files/", &files);
    files.content_tags = true;
    svc_app_files(app, "/tagged/", &files);
    svc_app_get(app, "/hello", hello, NULL);
    return svc_app_run(app);
}
