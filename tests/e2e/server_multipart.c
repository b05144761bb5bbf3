/* The server for the tests of forms with files, and for bench/uploads. */
#include <stdio.h>

#include <svc.h>

struct settings {
    const char *folder;
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct settings, folder, NULL, "The folder of files", .required = true),
    SVC_SETTING_END};

static struct settings settings;

/* Keeps the file of the field "file" under the name that the field "name" gives. */
static int keep(svc_request *req, svc_response *res)
{
    svc_multipart_options options = SVC_MULTIPART_OPTIONS_INIT;
    options.folder = settings.folder;
    svc_multipart *form = svc_request_multipart(req, &options);
    int error = svc_multipart_collect(form);
    if (error)
        return error;
    const char *name = svc_form_value(svc_multipart_form(form), "name");
    svc_upload *file = svc_multipart_upload(form, "file", 0);
    if (!name || !file)
        return svc_response_problem(res, 400, "name or file is missing");
    error = svc_upload_keep(file, name);
    return error ? error : svc_response_text(res, 201, svc_upload_filename(file));
}

/* Reads the parts and drops them: the names, of parts and files, are the answer. */
static int drop(svc_request *req, svc_response *res)
{
    svc_multipart *form = svc_request_multipart(req, NULL);
    svc_json_writer *json = svc_response_json_begin(res, 200);
    svc_part *part;
    const char *data;
    int64_t n, sum = 0;
    int rc;
    svc_json_open_array(json, NULL);
    while ((rc = svc_multipart_next(form, &part)) > 0) {
        svc_json_put_text(json, NULL, svc_part_name(part));
        svc_json_put_text(json, NULL, svc_part_filename(part) ? svc_part_filename(part) : "");
        while ((n = svc_part_read(part, &data)) > 0)
            sum += n;
    }
    svc_json_put_i64(json, NULL, sum);
    svc_json_close(json);
    return rc < 0 ? rc : svc_response_json_end(json);
}

/* Keeps a part that is a file under its number in the form, which is below 100 by default. */
static int put_file(svc_json_writer *json, svc_part *part, unsigned number)
{
    svc_upload *file;
    int error = svc_part_save(part, &file);
    if (error)
        return error;
    char name[8];
    snprintf(name, sizeof name, "%u", number);
    svc_json_put_text(json, "filename", svc_upload_filename(file));
    svc_json_put_text(json, "type", svc_upload_type(file));
    svc_json_put_u64(json, "size", svc_upload_size(file));
    return svc_upload_keep(file, name);
}

static int put_value(svc_json_writer *json, svc_part *part)
{
    const char *data;
    size_t len;
    int error = svc_part_bytes(part, &data, &len);
    if (error)
        return error;
    svc_json_put_text_n(json, "value", data, len);
    return 0;
}

/* Answers with each part of the form as it was received; the files' bytes are in the folder. */
static int describe(svc_request *req, svc_response *res)
{
    svc_multipart_options options = SVC_MULTIPART_OPTIONS_INIT;
    options.folder = settings.folder;
    svc_multipart *form = svc_request_multipart(req, &options);
    svc_json_writer *json = svc_response_json_begin(res, 200);
    svc_part *part;
    int rc;
    svc_json_open_array(json, NULL);
    for (unsigned i = 0; (rc = svc_multipart_next(form, &part)) > 0; i++) {
        svc_json_open_object(json, NULL);
        svc_json_put_text(json, "name", svc_part_name(part));
        int error = svc_part_filename(part) ? put_file(json, part, i) : put_value(json, part);
        if (error)
            return error;
        svc_json_close(json);
    }
    svc_json_close(json);
    return rc < 0 ? rc : svc_response_json_end(json);
}

/* Answers with the names and values of a form without files, in their order. */
static int list_fields(svc_request *req, svc_response *res)
{
    const svc_form *form = svc_request_form(req, res, NULL);
    if (!form)
        return 0; /* answered */
    svc_json_writer *json = svc_response_json_begin(res, 200);
    const char *name, *value;
    svc_json_open_array(json, NULL);
    for (size_t i = 0; !svc_form_at(form, i, &name, &value); i++) {
        svc_json_open_array(json, NULL);
        svc_json_put_text(json, NULL, name);
        svc_json_put_text(json, NULL, value);
        svc_json_close(json);
    }
    svc_json_close(json);
    return svc_response_json_end(json);
}

/* Reads a body and drops it, for comparison. */
static int read_body(svc_request *req, svc_response *res)
{
    static _Thread_local char data[64 << 10];
    int64_t n;
    while ((n = svc_request_read(req, data, sizeof data)) > 0) {
    }
    return n ? (int)n : svc_response_text(res, 200, "read");
}

static void add_route(svc_app *app, const char *pattern, svc_handler *handler)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = SVC_BLOCKING | SVC_STREAM_BODY;
    route.max_body = (size_t)16 << 30;
    route.timeout_ms = 3600000;
    svc_app_route(app, &route);
}

int main(void)
{
    svc_app *app = svc_app_new("multipart");
    svc_app_add_settings(app, table, &settings);
    add_route(app, "POST /keep", keep);
    add_route(app, "POST /drop", drop);
    add_route(app, "POST /parts", describe);
    add_route(app, "POST /read", read_body);
    svc_app_post(app, "/fields", list_fields, NULL);
    return svc_app_run(app);
}
