/*
 * The notes service over HTTP:
 *
 *     POST   /notes       {"title": …, "text": …}   201 with Location
 *     GET    /notes       ?limit=20&after=<id>       a page, and where the next one begins
 *     GET    /notes/{id}
 *     PUT    /notes/{id}  {"title": …, "text": …}
 *     DELETE /notes/{id}
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

static int answer_note(svc_response *res, struct store *store, uint64_t id, int status)
{
    struct note note;
    enum store_result result = store_get(store, id, &note);
    if (result)
        return answer_failure(res, result);
    json_t *json = note_json(&note);
    note_clear(&note);
    return svc_response_json_take(res, status, json);
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
    struct store *store = svc_request_arg(req);
    struct draft draft;
    if (!read_draft(req, res, &draft))
        return 0;
    uint64_t id = path_id(req);
    enum store_result result = store_update(store, id, draft.title, draft.text);
    return result ? answer_failure(res, result) : answer_note(res, store, id, 200);
}

static int remove_note(svc_request *req, svc_response *res)
{
    enum store_result result = store_remove(svc_request_arg(req), path_id(req));
    return result ? answer_failure(res, result) : svc_response_empty(res, 204);
}

/* A database would be asked whether it answers. */
static int check_store(void *arg)
{
    struct note note;
    enum store_result result = store_get(arg, 0, &note);
    return result == STORE_NOT_FOUND ? 0 : -1;
}

void notes_register(svc_app *app, struct store *store)
{
    svc_group *notes = svc_app_group(app, "/notes");
    svc_app_post(app, "/notes", create, store);
    svc_app_get(app, "/notes", list, store);
    svc_group_get(notes, "/{id}", show, store);
    svc_group_put(notes, "/{id}", replace, store);
    svc_group_delete(notes, "/{id}", remove_note, store);
    svc_app_check(app, "store", check_store, store);
}
