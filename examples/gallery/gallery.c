/* The picture gallery: uploads, what it serves, and the events by which open pages learn of new
 * pictures. */
#include "gallery.h"

#include <unistd.h>

#include "picture.h"

enum {
    PICTURES = 20,            /* of one upload */
    PICTURE_BYTES = 50 << 20, /* of one picture */
    UPLOAD_MS = 600000
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct gallery, folder, NULL, "The folder of the pictures",
                       .required = true),
    SVC_SETTING_STRING(struct gallery, page_folder, "page",
                       "The folder of index.html, its style and its script"),
    SVC_SETTING_END};

/* An orchestrator learns that the folder has gone, such as a disk that is not mounted any more. */
static int check_folder(void *arg)
{
    const struct gallery *gallery = arg;
    return access(gallery->folder, R_OK | W_OK | X_OK);
}

/* ---- Uploads */

static const char *find_suffix(svc_upload *picture)
{
    char head[PICTURE_HEAD];
    ssize_t len = pread(svc_upload_fd(picture), head, sizeof head, 0);
    return len > 0 ? picture_suffix(head, (size_t)len) : NULL;
}

/* Names a picture, from when on it is served, and tells the open pages. */
static int keep_picture(const struct gallery *gallery, svc_upload *picture)
{
    char name[PICTURE_NAME];
    if (picture_make_name(name, find_suffix(picture)))
        return SVC_ESYSTEM;
    int error = svc_upload_keep(picture, name);
    return error ? error : svc_topic_publish(gallery->news, "picture", NULL, name);
}

/* Keeps all pictures of a form, or none if one of the files is something else. */
static int add_pictures(svc_request *req, svc_response *res)
{
    const struct gallery *gallery = svc_request_arg(req);
    svc_multipart_options options = gallery->uploads;
    options.folder = gallery->folder; /* known since the start */
    svc_multipart *form = svc_request_multipart(req, &options);
    svc_upload *picture;
    size_t count = 0;
    int error = svc_multipart_collect(form);
    if (error)
        return error; /* the client is answered with the reason */
    for (; (picture = svc_multipart_upload(form, "picture", count)); count++)
        if (!find_suffix(picture))
            return svc_response_problem(res, 415, "a picture is a JPEG, PNG, GIF or WebP");
    if (count == 0)
        return svc_response_problem(res, 400, "the form has no picture");
    for (size_t i = 0; i < count && !error; i++)
        error = keep_picture(gallery, svc_multipart_upload(form, "picture", i));
    return error ? error : svc_response_redirect(res, 303, "/");
}

static void add_uploads(svc_app *app, struct gallery *gallery)
{
    gallery->uploads = (svc_multipart_options)SVC_MULTIPART_OPTIONS_INIT;
    gallery->uploads.max_parts = PICTURES;
    gallery->uploads.max_file = PICTURE_BYTES;
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /pictures";
    route.handler = add_pictures;
    route.arg = gallery;
    route.flags = SVC_BLOCKING | SVC_STREAM_BODY;
    route.max_body = (size_t)PICTURES * PICTURE_BYTES;
    route.timeout_ms = UPLOAD_MS;
    svc_app_route(app, &route);
}

/* ---- Events */

/* A page that comes back reads the list anew, so it needs no events of before. */
static int watch(svc_request *req, svc_response *res)
{
    const struct gallery *gallery = svc_request_arg(req);
    svc_events *events = svc_response_events(res, NULL);
    int error = svc_topic_listen(gallery->news, events, NULL);
    svc_events_unref(events);
    return error;
}

/* ---- Files */

/* A picture never changes under its name; the page is validated at each load. */
static void add_files(svc_app *app, struct gallery *gallery)
{
    static svc_cache_policy forever = SVC_CACHE_POLICY_INIT, validate = SVC_CACHE_POLICY_INIT;
    static const svc_file_rule picture_rules[] = {{"*", false, &forever}, {NULL, false, NULL}},
                               page_rules[] = {{"*", false, &validate}, {NULL, false, NULL}};
    forever.directives = SVC_CACHE_PUBLIC | SVC_CACHE_IMMUTABLE;
    forever.max_age_s = 31536000;
    validate.directives = SVC_CACHE_PUBLIC | SVC_CACHE_NO_CACHE;
    svc_files pictures = SVC_FILES_INIT, page = SVC_FILES_INIT;
    pictures.root_setting = &gallery->folder;
    pictures.rules = picture_rules;
    pictures.listing = true;
    svc_app_files(app, "/pictures/", &pictures);
    page.root_setting = &gallery->page_folder;
    page.rules = page_rules;
    svc_app_files(app, "/", &page);
}

/* The page loads nothing from elsewhere, and runs no script but its own. */
static int add_policy(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    return svc_response_set_header(res, "Content-Security-Policy",
                                   "default-src 'none'; img-src 'self'; style-src 'self'; "
                                   "script-src 'self'; connect-src 'self'; form-action 'self'; "
                                   "base-uri 'none'; frame-ancestors 'none'");
}

svc_app *gallery_new(struct gallery *gallery)
{
    svc_app *app = svc_app_new("gallery");
    svc_app_describe(app, "Shows pictures, and takes new ones.");
    *gallery = (struct gallery){.folder = NULL};
    svc_app_add_settings(app, table, gallery);
    svc_app_add_check(app, "folder", check_folder, gallery);
    svc_middleware policy = SVC_MIDDLEWARE_INIT;
    policy.name = "policy";
    policy.on_response = add_policy;
    svc_app_use(app, &policy);
    svc_app_use(app, svc_compress_new(app, NULL));
    gallery->news = svc_topic_new(app, "pictures", NULL);
    svc_app_get(app, "/events", watch, gallery);
    add_uploads(app, gallery);
    add_files(app, gallery);
    return app;
}
