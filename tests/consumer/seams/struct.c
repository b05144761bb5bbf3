/* A struct that is read from a request and answered with, by one table. Tables of fields are C. */
#include <string.h>

#include <svc.h>

#ifndef __cplusplus

struct note {
    const char *title, **tags;
    size_t tag_count;
    int64_t priority;
};

static const svc_field note_fields[] = {
    SVC_FIELD_TEXT(struct note, title, .required = true),
    SVC_FIELD_TEXTS(struct note, tags, tag_count),
    SVC_FIELD_INT64(struct note, priority, .fallback = 3),
    SVC_FIELD_END,
};

static int store(svc_request *req, svc_response *res)
{
    const svc_schema *schema = svc_request_arg(req);
    struct note note;
    if (!svc_request_bind(req, res, schema, &note))
        return 0;
    return svc_response_bind(res, 201, schema, &note);
}

int main(void)
{
    svc_app *app = svc_app_new("struct");
    const svc_schema *schema = svc_schema_new(app, note_fields, sizeof(struct note), 0);
    svc_app_post(app, "/", store, (void *)(uintptr_t)schema);
    svc_reply *reply = svc_app_test_json(app, "POST", "/", "{\"title\":\"a\",\"tags\":[\"b\"]}");
    bool good = svc_reply_status(reply) == 201 &&
                !strcmp(svc_reply_body(reply, NULL),
                        "{\"title\":\"a\",\"tags\":[\"b\"],\"priority\":3}");
    svc_reply_free(reply);
    svc_app_free(app);
    return !good;
}

#else

/* What C++ has of it: a schema that comes from a file of C. */
int main()
{
    svc_response *res = svc_response_new();
    int error = svc_response_bind(res, 200, NULL, "");
    svc_response_free(res);
    return error != SVC_EINVAL;
}

#endif
