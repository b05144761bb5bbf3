/* A service as a stranger writes it in C++, outside the tree: with every macro of the headers. */
#include <cstring>
#include <jansson.h>

#define SVC_LOG_MODULE "consumer"
#include <svc.h>

namespace
{

struct settings {
    const char *greeting;
    uint64_t most;
    int loud, colour;
};

const svc_setting setting_rows[] = {
    SVC_SETTING_STRING(settings, greeting, "hello", "What is said", .secret = true),
    SVC_SETTING_NUMBER(struct settings, most, 10, 1, 100, "", "Drafts at most"),
    SVC_SETTING_FLAG(settings, loud, 0, "Says it louder"),
    SVC_SETTING_CHOICE(settings, colour, 1, "red green", "Of the drafts", .required = false),
    SVC_SETTING_END,
};

enum state { OPEN, DONE };

struct point {
    double x;
};

struct draft {
    const char *title;
    svc_presence title_presence;
    int64_t priority;
    uint64_t number;
    bool urgent;
    state is;
    point at;
    json_t *more;
    const char **tags;
    size_t tag_count;
    int64_t *whole;
    size_t whole_count;
    uint64_t *counts;
    size_t count_count;
    double *weights;
    size_t weight_count;
    bool *marks;
    size_t mark_count;
    int *states;
    size_t state_count;
    point *points;
    size_t point_count;
};

const svc_choice states[] = {{"open", OPEN}, {"done", DONE}, {nullptr, 0}};

const svc_field point_fields[] = {SVC_FIELD_DOUBLE(point, x, .max_double = 9, .min_double = 0),
                                  SVC_FIELD_END};

const svc_field draft_fields[] = {
    SVC_FIELD_TEXT(draft, title, .required = true, .max_length = 20, .min_length = 1,
                   SVC_FIELD_PRESENCE(draft, title_presence)),
    SVC_FIELD_INT64(struct draft, priority, .min = 1, .max = 5, .fallback = 3),
    SVC_FIELD_UINT64(draft, number),
    SVC_FIELD_BOOL(draft, urgent, .nullable = true),
    SVC_FIELD_ENUM(draft, is, states),
    SVC_FIELD_OBJECT(draft, at, point_fields, .name = "place"),
    SVC_FIELD_JSON(draft, more),
    SVC_FIELD_TEXTS(draft, tags, tag_count, .max_count = 3),
    SVC_FIELD_INT64S(draft, whole, whole_count),
    SVC_FIELD_UINT64S(draft, counts, count_count),
    SVC_FIELD_DOUBLES(draft, weights, weight_count),
    SVC_FIELD_BOOLS(draft, marks, mark_count),
    SVC_FIELD_ENUMS(draft, states, state_count, states),
    SVC_FIELD_OBJECTS(draft, points, point_count, point_fields),
    SVC_FIELD_END,
};

settings values;
const svc_schema *schema;

} // namespace

struct user_name {
    const char *text;
};

SVC_KEY_DECLARE(user, user_name)
SVC_KEY_DEFINE(user)

static int note_user(svc_request *req, svc_response *, const svc_layer *) noexcept
{
    static user_name ada = {"ada"};
    return user_set(req, &ada);
}

static int end_answer(svc_trailers *out, void *arg) noexcept
{
    return svc_trailers_add(out, "X-End", static_cast<const char *>(arg));
}

static int answer(svc_request *req, svc_response *res) noexcept
{
    static char text[] = "reached";
    if (int failed = svc_response_on_trailers(res, end_answer, text))
        return failed;
    svc_log_info(req, "answers", svc_kv_str("user", user_get(req)->text), svc_kv_int("a", 1));
    svc_log_debug(req, "that is all");
    svc_cache_wish wish = SVC_CACHE_WISH_INIT;
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    svc_validators validators = SVC_VALIDATORS_INIT;
    policy.directives = SVC_CACHE_NO_CACHE | SVC_CACHE_PRIVATE;
    validators.modified_s = SVC_TIME_UNKNOWN;
    int error = svc_request_cache_control(req, &wish);
    if (!error)
        error = svc_response_set_cache_control(res, &policy);
    if (error || !svc_request_check_conditions(req, res, &validators))
        return error;
    return svc_response_json(res, 200, "{s:s, s:s, s:s}", "path", svc_request_path(req), "version",
                             svc_version(), "greeting", values.greeting);
}

static int add(svc_request *req, svc_response *res) noexcept
{
    draft made;
    if (!svc_request_bind(req, res, schema, &made))
        return 0;
    svc_json_writer *w = svc_response_json_begin(res, 201);
    svc_json_open_object(w, nullptr);
    svc_json_put_text(w, "title", made.title);
    svc_json_put_i64(w, "priority", made.priority);
    svc_json_put_i64(w, "state", made.is);
    svc_json_put_double(w, "x", made.at.x);
    svc_json_put_u64(w, "tags", made.tag_count);
    svc_json_close(w);
    return svc_response_json_end(w);
}

static int64_t read_nothing(void *, char *, size_t)
{
    return 0;
}

static int stream(svc_request *, svc_response *res) noexcept
{
    svc_source source = SVC_SOURCE_INIT;
    source.length = SVC_LENGTH_UNKNOWN;
    source.read = read_nothing;
    return svc_response_source(res, 200, nullptr, &source);
}

static int run(svc_task_context *, void *)
{
    return 0;
}

static int priority(svc_request *, void *)
{
    return SVC_PRIORITY_CRITICAL;
}

static bool replies(svc_app *app, const char *method, const char *target, const char *body,
                    int status, const char *text)
{
    svc_reply *reply = svc_app_test_json(app, method, target, body);
    bool right = svc_reply_status(reply) == status &&
                 (!text || std::strstr(svc_reply_body(reply, nullptr), text) != nullptr);
    svc_reply_free(reply);
    return right;
}

/* Everything that has a macro, registered with an app. */
static svc_app *build()
{
    svc_app *app = svc_app_new("consumer");
    svc_config config = SVC_CONFIG_INIT;
    config.log_level = SVC_LEVEL_INFO;
    svc_app_configure(app, &config);
    svc_app_add_settings(app, setting_rows, &values);
    schema = svc_schema_new(app, draft_fields, sizeof(draft), SVC_SCHEMA_LENIENT);
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "user";
    layer.flags = SVC_BODY_PIECES | SVC_BLOCKING;
    layer.on_request = note_user;
    svc_app_use(app, &layer);
    svc_rate_limit rate = SVC_RATE_LIMIT_INIT;
    rate.rate = 1000;
    rate.flags = SVC_RATE_BY_CLIENT | SVC_RATE_BY_ROUTE;
    svc_app_use(app, svc_rate_limit_new(app, &rate));
    svc_concurrency concurrency = SVC_CONCURRENCY_INIT;
    concurrency.limit = 100;
    concurrency.priority = priority;
    svc_app_use(app, svc_concurrency_new(app, &concurrency));
    svc_conditional conditional = SVC_CONDITIONAL_INIT;
    svc_app_use(app, svc_conditional_new(app, &conditional));
    svc_task task = SVC_TASK_INIT;
    task.name = "task";
    task.run = run;
    svc_app_add_task(app, &task);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /stream";
    route.handler = stream;
    route.flags = SVC_BLOCKING | SVC_ANY_BYTES;
    svc_app_route(app, &route);
    svc_group *group = svc_app_group(app, "/drafts");
    svc_group_post(group, "/", add, nullptr);
    svc_group_get(
        group, "/{id}",
        [](svc_request *, svc_response *res) { return svc_response_empty(res, 204); }, nullptr);
    svc_app_get(app, "/{path...}", answer, nullptr);
    svc_app_log_info(app, "built", svc_kv_uint("settings", 4), svc_kv_bool("b", true));
    return app;
}

/* A test of the parts, for which the app is built once more. */
static bool works()
{
    svc_app *app = build();
    svc_test test = SVC_TEST_INIT;
    test.target = "/stream";
    svc_reply *reply = svc_app_test(app, &test);
    bool right = svc_reply_status(reply) == 200;
    svc_reply_free(reply);
    right =
        right && replies(app, "POST", "/drafts/",
                         "{\"title\":\"a\",\"is\":\"done\",\"place\":{\"x\":1.5},\"tags\":[\"b\"]}",
                         201, "{\"title\":\"a\",\"priority\":3,\"state\":1,\"x\":1.5,\"tags\":1}");
    right = right && replies(app, "POST", "/drafts/", "{\"priority\":6}", 422, "title");
    right = right && replies(app, "GET", "/drafts/1", nullptr, 204, nullptr);
    svc_app_free(app);
    return right;
}

int main()
{
    static const svc_kv end = SVC_KV_END;
    svc_file file = SVC_FILE_INIT;
    if (end.key || file.length != SVC_LENGTH_UNKNOWN || SVC_PIPE_DEFAULT > SVC_PIPE_MAX)
        return 4;
    return works() ? svc_app_run(build()) : 5;
}
