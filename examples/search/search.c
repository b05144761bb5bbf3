/*
 * The search service over HTTP, which has no notes of its own: it reads those of the notes service.
 *
 *     GET /search?q=word&limit=10    the notes with the word in their title or text
 *
 * If the notes service cannot be asked, or its answer makes no sense, the answer is 502, and 504
 * when it takes too long. Its calls are in client.c.
 */
#define SVC_LOG_MODULE "search"
#include "search.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- Input of clients */

struct question {
    const char *word;
    uint64_t limit;
};

static const svc_field question_fields[] = {
    SVC_FIELD_TEXT(struct question, word, .name = "q", .required = true, .min_length = 1,
                   .max_length = MAX_WORD),
    SVC_FIELD_UINT64(struct question, limit, .min = 1, .max = HITS_MAX, .fallback = HITS_DEFAULT),
    SVC_FIELD_END};

/* ---- Searching */

/* A search that is under way: its answer is written while pages are read. */
struct hunt {
    struct question question;
    svc_json_writer *w;
    uint64_t hits, notes;
    char after[24]; /* the id behind which the next page begins */
};

static const char *text_of(const json_t *note, const char *key)
{
    const char *text = json_string_value(json_object_get(note, key));
    return text ? text : "";
}

static void look_at_note(struct hunt *hunt, const json_t *note)
{
    const char *word = hunt->question.word, *title = text_of(note, "title");
    hunt->notes++;
    if (hunt->hits == hunt->question.limit ||
        (!strcasestr(title, word) && !strcasestr(text_of(note, "text"), word)))
        return;
    hunt->hits++;
    svc_json_open_object(hunt->w, NULL);
    svc_json_put_text(hunt->w, "id", text_of(note, "id"));
    svc_json_put_text(hunt->w, "title", title);
    svc_json_close(hunt->w);
}

/* Looks at a page of notes. 1: another one follows; 0: it was the last; SVC_ESYNTAX: it is none. */
static int look_at_page(struct hunt *hunt, const struct answer *answer)
{
    json_t *page = answer->status == 200 && answer->body
                       ? json_loadb(answer->body, answer->len, 0, NULL)
                       : NULL;
    const json_t *notes = json_object_get(page, "notes"), *note;
    const char *next = text_of(page, "next");
    size_t i;
    int result =
        json_is_array(notes) && strlen(next) < sizeof hunt->after ? *next != '\0' : SVC_ESYNTAX;
    if (result >= 0)
        json_array_foreach((json_t *)(uintptr_t)notes, i, note) look_at_note(hunt, note);
    if (result > 0)
        strcpy(hunt->after, next);
    json_decref(page);
    return result;
}

static int read_page(const struct search *search, svc_request *req, struct hunt *hunt)
{
    char url[600];
    struct answer answer;
    snprintf(url, sizeof url, "%.500s/notes?limit=%d&after=%s", search->notes_url, PAGE_NOTES,
             hunt->after);
    int error = client_get(search->client, req, "GET /notes", url, &answer);
    int result = error ? error : look_at_page(hunt, &answer);
    if (result == SVC_ESYNTAX)
        svc_log_warn(req, "answer makes no sense", svc_kv_str("url", url),
                     svc_kv_int("status", answer.status));
    answer_clear(&answer);
    return result;
}

static int answer_failure(svc_response *res, int error)
{
    if (error == SVC_ECANCELLED)
        return svc_response_problem(res, 504, "the notes service takes too long");
    return svc_response_problem(res, 502, "the notes service cannot be asked");
}

static int find_notes(svc_request *req, svc_response *res)
{
    const struct search *search = svc_request_arg(req);
    struct hunt hunt = {.after = "0"};
    if (!svc_request_bind_query(req, res, search->question, &hunt.question))
        return 0;
    hunt.w = svc_response_json_begin(res, 200);
    svc_json_open_object(hunt.w, NULL);
    svc_json_open_array(hunt.w, "notes");
    int more = 1;
    for (uint64_t page = 0; more > 0 && page < search->max_pages && hunt.hits < hunt.question.limit;
         page++)
        more = read_page(search, req, &hunt);
    svc_json_close(hunt.w);
    svc_json_put_u64(hunt.w, "looked_at", hunt.notes);
    svc_json_close(hunt.w);
    int error = svc_response_json_end(hunt.w);
    svc_span_set(svc_request_span(req), svc_kv_uint("search.notes", hunt.notes),
                 svc_kv_uint("search.hits", hunt.hits));
    svc_log_info(req, "searched", svc_kv_uint("notes", hunt.notes), svc_kv_uint("hits", hunt.hits));
    return more < 0 ? answer_failure(res, more) : error;
}

/* ---- The service */

static int open_client(svc_app *app, void *arg)
{
    struct search *search = arg;
    (void)app;
    search->client = client_new();
    return search->client ? 0 : SVC_ENOMEM;
}

static void close_client(svc_app *app, void *arg)
{
    const struct search *search = arg;
    (void)app;
    client_free(search->client);
}

svc_app *search_new(struct search *search)
{
    static const svc_setting settings[] = {
        SVC_SETTING_STRING(struct search, notes_url, "http://127.0.0.1:8080",
                           "Where the notes service is"),
        SVC_SETTING_NUMBER(struct search, max_pages, 20, 1, 1000, "",
                           "Pages that a search reads at most"),
        SVC_SETTING_END};
    svc_app *app = svc_app_new("search");
    if (!app)
        return NULL;
    svc_app_describe(app, "Searches the notes of the notes service.");
    svc_app_add_settings(app, settings, search);
    search->question = svc_schema_new(app, question_fields, sizeof(struct question), 0);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /search";
    route.handler = find_notes;
    route.arg = search;
    route.flags = SVC_BLOCKING; /* calls are waited for */
    svc_app_route(app, &route);
    svc_app_add_hook(app, open_client, close_client, search);
    return app;
}
