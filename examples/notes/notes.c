/*
 * The notes service over HTTP:
 *
 *     POST   /notes       {"title": …, "text": …}   201 with Location
 *     GET    /notes       ?limit=20&after=<id>       a page, and where the next one begins
 *     GET    /notes/{id}
 *     PUT    /notes/{id}  {"title": …, "text": …}
 *     DELETE /notes/{id}
 *
 * Notes have entity tags: a GET with If-None-Match is answered 304 while nothing has changed, and a
 * PUT or DELETE with If-Match is done to the version that its client has seen, or not at all (412).
 * Each client has a limit, and a stricter one for writes (429).
 */
#include "notes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading */

/* A whole number without sign or spaces. */
static bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno || number > max)
        return false;
    *out = number;
    return true;
}

/* A query parameter as a number; its default when it is absent. */
static bool query_number(svc_request *req, const char *name, uint64_t max, uint64_t *out)
{
    const char *text = svc_request_query(req, name);
    return !text || parse_number(text, max, out);
}

/* The id in the path. No note has one that is not a number, so that is a 404 as well. */
static uint64_t path_id(svc_request *req)
{
    uint64_t id = 0;
    parse_number(svc_request_param(req, "id"), UINT64_MAX, &id);
    return id;
}

/* Characters, as a reader counts them: bytes that do not continue one. */
static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void report(json_t *errors, const char *pointer, const char *detail)
{
    json_array_append_new(errors, json_pack("{s:s, s:s}", "pointer", pointer, "detail", detail));
}

/* A member that must be a text of `min` to `max` characters. */
static const char *check_text(json_t *errors, const json_t *document, const char *name, size_t min,
                              size_t max)
{
    char pointer[32], detail[64];
    snprintf(pointer, sizeof pointer, "#/%s", name);
    const json_t *member = json_object_get(document, name);
    const char *text = json_string_value(member);
    if (!text || strlen(text) != json_string_length(member)) {
        report(errors, pointer, "must be a text without NUL");
        return NULL;
    }
    size_t count = count_characters(text);
    if (count < min || count > max) {
        snprintf(detail, sizeof detail, "must have %zu to %zu characters", min, max);
        report(errors, pointer, detail);
    }
    return text;
}

static void check_members(json_t *errors, json_t *document)
{
    const char *name;
    json_t *value;
    json_object_foreach(document, name, value)
    {
        char pointer[64];
        if (!strcmp(name, "title") || !strcmp(name, "text"))
            continue;
        snprintf(pointer, sizeof pointer, "#/%.40s", name);
        report(errors, pointer, "is no member of a note");
    }
}

/* What a client asks a note to be. */
struct draft {
    const char *title, *text;
};

/*
 * The note that the request's body describes; its texts are the request's. False when it is none:
 * then the response tells everything that is wrong with it.
 */
static bool read_draft(svc_request *req, svc_response *res, struct draft *draft)
{
    json_t *document = svc_request_json(req, res);
    if (!document)
        return false;
    if (!json_is_object(document)) {
        svc_response_problem(res, 422, "a note is a JSON object");
        return false;
    }
    json_t *errors = json_array();
    draft->title = check_text(errors, document, "title", 1, MAX_TITLE);
    draft->text = check_text(errors, document, "text", 0, MAX_TEXT);
    check_members(errors, document);
    if (json_array_size(errors) == 0) {
        json_decref(errors);
        return true;
    }
    svc_response_problem_take(res, 422, "the note is not valid",
                              json_pack("{s:o}", "errors", errors));
    return false;
}

/* ---- Answering */

static int answer_failure(svc_response *res, enum store_result result)
{
    switch (result) {
    case STORE_NOT_FOUND:
        return svc_response_problem(res, 404, "there is no such note");
    case STORE_FULL: /* RFC 4918 11.5: nothing that the client can do differently */
        return svc_response_problem(res, 507, "the service has as many notes as it takes");
    case STORE_OK:
    case STORE_CHANGED: /* whoever cares has asked again */
    case STORE_NO_MEMORY:
        break;
    }
    return SVC_ENOMEM;
}

static json_t *time_json(time_t time)
{
    char text[sizeof "2026-01-01T00:00:00Z"];
    struct tm parts;
    gmtime_r(&time, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

static json_t *note_json(const struct note *note)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, note->id); /* as a text: JavaScript has 53 bits */
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", id, "title", note->title, "text",
                     note->text, "created", time_json(note->created), "updated",
                     time_json(note->updated));
}

enum { TAG_SIZE = 40 };

/* Versions begin anew with the process, and the time tells its notes from those of an earlier one.
 */
static void write_tag(char tag[TAG_SIZE], const struct note *note)
{
    snprintf(tag, TAG_SIZE, "%llx-%" PRIx64, (unsigned long long)note->updated, note->version);
}

/* A note with its tag, of which the layer makes a 304 where the client has it already. */
static int answer_note(svc_response *res, struct store *store, uint64_t id, int status)
{
    struct note note;
    char tag[TAG_SIZE];
    enum store_result result = store_get(store, id, &note);
    if (result)
        return answer_failure(res, result);
    write_tag(tag, &note);
    json_t *json = note_json(&note);
    note_clear(&note);
    int error = svc_response_json_take(res, status, json);
    return error ? error : svc_response_set_etag(res, tag, false);
}

/* ---- Changing */

/* Whether the request's conditions refuse to change this note; `res` then holds the answer. */
static bool refused(svc_request *req, svc_response *res, const struct note *note)
{
    char tag[TAG_SIZE];
    svc_validators validators = SVC_VALIDATORS_INIT;
    write_tag(tag, note);
    validators.etag = tag;
    validators.modified_s = note->updated;
    return svc_request_fresh(req, res, &validators);
}

/* What is done to a note: replaced by the draft, or removed when there is none. */
static enum store_result change(struct store *store, const struct note *note,
                                const struct draft *draft)
{
    return draft ? store_update(store, note->id, note->version, draft->title, draft->text)
                 : store_remove(store, note->id, note->version);
}

/*
 * Changes a note of the version for which the request's conditions hold: where another request
 * comes between question and act, the question is asked again. True when it is done; else `*error`
 * is what the handler returns.
 */
static bool change_checked(svc_request *req, svc_response *res, const struct draft *draft,
                           int *error)
{
    struct store *store = svc_request_arg(req);
    enum store_result result;
    do {
        struct note note;
        result = store_get(store, path_id(req), &note);
        if (result)
            break;
        bool refuse = refused(req, res, &note);
        if (!refuse)
            result = change(store, &note, draft);
        note_clear(&note);
        *error = 0;
        if (refuse)
            return false;
    } while (result == STORE_CHANGED);
    if (result)
        *error = answer_failure(res, result);
    return result == STORE_OK;
}

/* ---- Routes */

static int create(svc_request *req, svc_response *res)
{
    struct store *store = svc_request_arg(req);
    struct draft draft;
    if (!read_draft(req, res, &draft))
        return 0;
    uint64_t id;
    enum store_result result = store_add(store, draft.title, draft.text, &id);
    if (result)
        return answer_failure(res, result);
    char location[48];
    snprintf(location, sizeof location, "/notes/%" PRIu64, id);
    int error = answer_note(res, store, id, 201);
    return error ? error : svc_response_set_header(res, "Location", location);
}

static int answer_page(svc_response *res, struct note *notes, size_t count, int more)
{
    json_t *list = json_array(), *next = json_null();
    char id[24];
    if (more) {
        snprintf(id, sizeof id, "%" PRIu64, notes[count - 1].id);
        next = json_string(id);
    }
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, note_json(&notes[i]));
        note_clear(&notes[i]);
    }
    return svc_response_json(res, 200, "{s:o, s:o}", "notes", list, "next", next);
}

static int list(svc_request *req, svc_response *res)
{
    uint64_t limit = PAGE_DEFAULT, after = 0;
    if (!query_number(req, "limit", PAGE_MAX, &limit) || limit == 0)
        return svc_response_problem(res, 400, "limit must be a number from 1 to 100");
    if (!query_number(req, "after", UINT64_MAX, &after))
        return svc_response_problem(res, 400, "after must be the id of a note");
    struct note notes[PAGE_MAX];
    size_t count;
    int more;
    enum store_result result =
        store_list(svc_request_arg(req), after, (size_t)limit, notes, &count, &more);
    return result ? answer_failure(res, result) : answer_page(res, notes, count, more);
}

static int show(svc_request *req, svc_response *res)
{
    return answer_note(res, svc_request_arg(req), path_id(req), 200);
}

static int replace(svc_request *req, svc_response *res)
{
    struct draft draft;
    int error;
    if (!read_draft(req, res, &draft))
        return 0;
    if (!change_checked(req, res, &draft, &error))
        return error;
    error = answer_note(res, svc_request_arg(req), path_id(req), 200);
    /* RFC 9110 9.3.4: what was put is not what is stored byte by byte, so its tag is to be asked
     * for. */
    svc_response_remove_header(res, "ETag");
    return error;
}

static int remove_note(svc_request *req, svc_response *res)
{
    int error;
    return change_checked(req, res, NULL, &error) ? svc_response_empty(res, 204) : error;
}

/* A database would be asked whether it answers. */
static int check_store(void *arg)
{
    struct note note;
    enum store_result result = store_get(arg, 0, &note);
    return result == STORE_NOT_FOUND ? 0 : -1;
}

/* Notes change at any time: caches of clients keep them, and ask before each use. */
static void use_caching(svc_app *app)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PRIVATE | SVC_CACHE_NO_CACHE;
    svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_use(app, svc_cache_control_new(app, &policy));
}

/* Whoever pages through the list may see one that is a few seconds old. */
static void add_list(svc_app *app, struct store *store)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PRIVATE;
    policy.max_age_s = 5;
    const svc_middleware *const layers[] = {svc_cache_control_new(app, &policy), NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /notes";
    route.handler = list;
    route.arg = store;
    route.middleware = layers;
    svc_app_route(app, &route);
}

/* A limit for each client by its address: `rate` requests a second, `burst` of them at once. */
static const svc_middleware *limit_clients(svc_app *app, const char *name, uint64_t rate,
                                           uint64_t burst)
{
    const svc_rate_window window = {name, rate, 1, burst};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = &window;
    limit.window_count = 1;
    return svc_limiter_new(app, &limit);
}

void notes_register(svc_app *app, struct store *store)
{
    use_caching(app);
    svc_app_use(app, limit_clients(app, "requests", REQUESTS_A_SECOND, REQUESTS_AT_ONCE));
    add_list(app, store);
    svc_app_get(app, "/notes/{id}", show, store);
    svc_group *writes = svc_app_group(app, "");
    svc_group_use(writes, limit_clients(app, "writes", WRITES_A_SECOND, WRITES_AT_ONCE));
    svc_group_post(writes, "/notes", create, store);
    svc_group_put(writes, "/notes/{id}", replace, store);
    svc_group_delete(writes, "/notes/{id}", remove_note, store);
    svc_app_check(app, "store", check_store, store);
}
