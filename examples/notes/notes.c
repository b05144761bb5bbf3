/*
 * The notes service over HTTP:
 *
 *     POST   /notes       {"title": …, "text": …}   201 with Location
 *     GET    /notes       ?limit=20&after=<id>       a page, and the id after which the next begins
 *     GET    /notes/{id}
 *     PUT    /notes/{id}  {"title": …, "text": …}
 *     DELETE /notes/{id}
 *
 * Notes have entity tags. A GET with If-None-Match is answered 304 while the note has not changed.
 * A PUT or DELETE with If-Match changes the version that its client has seen, or is answered 412.
 * Each client has a rate limit, and a stricter one for writes (429).
 */
#define SVC_LOG_MODULE "notes"
#include "notes.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Input of clients */

struct draft {
    const char *title, *text;
};

static const svc_field draft_fields[] = {
    SVC_FIELD_TEXT(struct draft, title, .required = true, .min_length = 1, .max_length = MAX_TITLE),
    SVC_FIELD_TEXT(struct draft, text, .required = true, .max_length = MAX_TEXT), SVC_FIELD_END};

struct page {
    uint64_t limit, after;
};

static const svc_field page_fields[] = {
    SVC_FIELD_UINT64(struct page, limit, .min = 1, .max = PAGE_MAX, .fallback = PAGE_DEFAULT),
    SVC_FIELD_UINT64(struct page, after), SVC_FIELD_END};

/* An id that is not a number is answered 404, like that of a missing note. */
struct place {
    uint64_t id;
};

static const svc_field place_fields[] = {SVC_FIELD_UINT64(struct place, id), SVC_FIELD_END};

/* ---- Answering */

static int answer_failure(svc_response *res, int error)
{
    switch (error) {
    case SVC_ENOTFOUND:
        return svc_response_problem(res, 404, "there is no such note");
    case STORE_FULL: /* RFC 4918 11.5: the client cannot change its request to succeed */
        return svc_response_problem(res, 507, "the service has as many notes as it takes");
    case SVC_EUNAVAILABLE:
    case SVC_ETIMEDOUT: /* a change may have happened or not: the client looks, and tries again */
        return svc_response_problem(res, 503, "the store of notes does not answer");
    default:
        return error;
    }
}

static void write_note(svc_json_writer *w, const struct note *note)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, note->id); /* as a text: JavaScript has 53 bits */
    svc_json_open_object(w, NULL);
    svc_json_put_text(w, "id", id);
    svc_json_put_text(w, "title", note->title);
    svc_json_put_text(w, "text", note->text);
    svc_json_put_time_s(w, "created", note->created);
    svc_json_put_time_s(w, "updated", note->updated);
    svc_json_close(w);
}

enum { TAG_SIZE = 40 };

/* A store that is empty at each start may count versions from 1 again, so the time is part of the
 * tag. */
static void write_tag(char tag[TAG_SIZE], const struct note *note)
{
    snprintf(tag, TAG_SIZE, "%llx-%" PRIx64, (unsigned long long)note->updated, note->version);
}

/* Answers with a note and its tag; the conditional layer makes a 304 if the client has that tag. */
static int answer_note(svc_request *req, svc_response *res, uint64_t id, int status)
{
    const struct notes *notes = svc_request_arg(req);
    struct note note;
    char tag[TAG_SIZE];
    int error = store_get(&notes->store, req, id, &note);
    if (error)
        return answer_failure(res, error);
    write_tag(tag, &note);
    svc_json_writer *w = svc_response_json_begin(res, status);
    write_note(w, &note);
    error = svc_response_json_end(w);
    return error ? error : svc_response_set_etag(res, tag, false);
}

/* ---- Changing */

/* Whether the request's conditions allow a change of this note; else `res` holds the answer. */
static bool may_change(svc_request *req, svc_response *res, const struct note *note)
{
    char tag[TAG_SIZE];
    svc_validators validators = SVC_VALIDATORS_INIT;
    write_tag(tag, note);
    validators.etag = tag;
    validators.modified_s = note->updated;
    return svc_request_check_conditions(req, res, &validators);
}

/* Replaces a note by the draft, or removes it if `draft` is NULL. */
static int change_note(svc_request *req, const struct note *note, const struct draft *draft)
{
    const struct notes *notes = svc_request_arg(req);
    return draft ? store_update(&notes->store, req, note, draft->title, draft->text)
                 : store_remove(&notes->store, req, note);
}

/*
 * Changes the version of a note for which the request's conditions hold. If another request changes
 * the note between the check and the change, the check is repeated. True after the change; else the
 * handler returns `*error`.
 */
static bool change_checked(svc_request *req, svc_response *res, uint64_t id,
                           const struct draft *draft, int *error)
{
    const struct notes *notes = svc_request_arg(req);
    int failed;
    do {
        struct note note;
        failed = store_get(&notes->store, req, id, &note);
        *error = 0;
        if (!failed && !may_change(req, res, &note))
            return false;
        if (!failed)
            failed = change_note(req, &note, draft);
    } while (failed == SVC_ECONFLICT);
    if (failed)
        *error = answer_failure(res, failed);
    else
        svc_log_info(req, draft ? "note replaced" : "note removed", svc_kv_uint("note", id));
    return !failed;
}

/* ---- Routes */

static int create(svc_request *req, svc_response *res)
{
    const struct notes *notes = svc_request_arg(req);
    struct draft draft;
    if (!svc_request_bind(req, res, notes->draft, &draft))
        return 0;
    uint64_t id;
    int error = store_add(&notes->store, req, draft.title, draft.text, &id);
    if (error) {
        svc_log_warn(req, "note refused", svc_kv_int("error", error));
        return answer_failure(res, error);
    }
    svc_log_info(req, "note created", svc_kv_uint("note", id));
    char location[256];
    snprintf(location, sizeof location, "%.200s/notes/%" PRIu64, svc_request_mount(req), id);
    error = answer_note(req, res, id, 201);
    return error ? error : svc_response_set_header(res, "Location", location);
}

static int answer_page(svc_response *res, const struct note *notes, size_t count, uint64_t next)
{
    char after[24];
    snprintf(after, sizeof after, "%" PRIu64, next);
    svc_json_writer *w = svc_response_json_begin(res, 200);
    svc_json_open_object(w, NULL);
    svc_json_open_array(w, "notes");
    for (size_t i = 0; i < count; i++)
        write_note(w, &notes[i]);
    svc_json_close(w);
    svc_json_put_text(w, "next", next ? after : NULL);
    svc_json_close(w);
    return svc_response_json_end(w);
}

static int list(svc_request *req, svc_response *res)
{
    const struct notes *notes = svc_request_arg(req);
    struct page page;
    if (!svc_request_bind_query(req, res, notes->page, &page))
        return 0;
    struct note found[PAGE_MAX];
    size_t count;
    uint64_t next;
    int error =
        store_list(&notes->store, req, page.after, (size_t)page.limit, found, &count, &next);
    return error ? answer_failure(res, error) : answer_page(res, found, count, next);
}

static int show(svc_request *req, svc_response *res)
{
    const struct notes *notes = svc_request_arg(req);
    struct place place;
    if (!svc_request_bind_path(req, res, notes->place, &place))
        return 0;
    return answer_note(req, res, place.id, 200);
}

static int replace(svc_request *req, svc_response *res)
{
    const struct notes *notes = svc_request_arg(req);
    struct place place;
    struct draft draft;
    int error;
    if (!svc_request_bind_path(req, res, notes->place, &place) ||
        !svc_request_bind(req, res, notes->draft, &draft))
        return 0;
    if (!change_checked(req, res, place.id, &draft, &error))
        return error;
    error = answer_note(req, res, place.id, 200);
    /* RFC 9110 9.3.4: the stored note is not the sent body byte by byte, so this answer must not
     * have the tag; a GET has it. */
    svc_response_remove_header(res, "ETag");
    return error;
}

static int remove_note(svc_request *req, svc_response *res)
{
    const struct notes *notes = svc_request_arg(req);
    struct place place;
    int error;
    if (!svc_request_bind_path(req, res, notes->place, &place))
        return 0;
    return change_checked(req, res, place.id, NULL, &error) ? svc_response_empty(res, 204) : error;
}

/* ---- The service */

/* The hook of svc_store_open has run before: the store is open. */
static int look_at_store(svc_app *app, void *arg)
{
    struct notes *notes = arg;
    notes->store.max_notes = notes->max_notes;
    if (svc_store_evicts(notes->store.values))
        svc_app_log_warn(app, "the store may drop notes when it is full");
    svc_app_log_info(app, "store opened", svc_kv_uint("max_notes", notes->max_notes));
    return 0;
}

static int check_store(void *arg)
{
    const struct notes *notes = arg;
    return store_check(&notes->store);
}

/* Notes change at any time: caches of clients may store them, and validate them before each use. */
static void use_caching(svc_app *app)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PRIVATE | SVC_CACHE_NO_CACHE;
    svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_use(app, svc_cache_control_new(app, &policy));
}

/* A client that pages through the list may get a list that is a few seconds old. */
static void add_list(svc_group *group, svc_app *app, struct notes *notes)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PRIVATE;
    policy.max_age_s = 5;
    const svc_middleware *const layers[] = {svc_cache_control_new(app, &policy), NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /notes";
    route.handler = list;
    route.arg = notes;
    route.middleware = layers;
    svc_group_route(group, &route);
}

/* A limit for each client address: `rate` requests a second, `burst` requests at once. */
static const svc_middleware *limit_clients(svc_app *app, const char *name, uint64_t rate,
                                           uint64_t burst)
{
    const svc_rate_window window = {name, rate, 1, burst};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = &window;
    limit.window_count = 1;
    return svc_rate_limit_new(app, &limit);
}

/* All routes run on workers: a store on a server is waited for. */
static void add_routes(svc_app *app, struct notes *notes)
{
    svc_group *all = svc_app_group(app, "");
    svc_group_set_flags(all, SVC_BLOCKING);
    add_list(all, app, notes);
    svc_group_get(all, "/notes/{id}", show, notes);
    svc_group *writes = svc_group_group(all, "");
    svc_group_use(writes, limit_clients(app, "writes", WRITES_A_SECOND, WRITES_AT_ONCE));
    svc_group_post(writes, "/notes", create, notes);
    svc_group_put(writes, "/notes/{id}", replace, notes);
    svc_group_delete(writes, "/notes/{id}", remove_note, notes);
}

svc_app *notes_new(struct notes *notes)
{
    static const svc_setting settings[] = {
        SVC_SETTING_NUMBER(struct notes, max_notes, MAX_NOTES, 1, 100000, "", "Notes at most; 507"),
        SVC_SETTING_END};
    svc_app *app = svc_app_new("notes");
    if (!app)
        return NULL;
    svc_app_describe(app, "Keeps notes, each with a title and a text, in a store.");
    svc_app_add_settings(app, settings, notes);
    notes->draft = svc_schema_new(app, draft_fields, sizeof(struct draft), 0);
    notes->page = svc_schema_new(app, page_fields, sizeof(struct page), SVC_SCHEMA_LENIENT);
    notes->place = svc_schema_new(app, place_fields, sizeof(struct place), 0);
    use_caching(app);
    svc_app_use(app, limit_clients(app, "requests", REQUESTS_A_SECOND, REQUESTS_AT_ONCE));
    add_routes(app, notes);
    notes->store.values = svc_store_open(app, NULL); /* by SVC_STORE */
    svc_app_add_check(app, "notes", check_store, notes);
    svc_app_add_hook(app, look_at_store, NULL, notes);
    return app;
}
