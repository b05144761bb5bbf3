/* The service without sockets. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

static struct notes notes;
static svc_app *app;

static void set_up(void)
{
    app = notes_new(&notes);
    notes.max_notes = 3;
}

static void tear_down(void)
{
    svc_app_free(app);
}

#define NOTE "{\"title\":\"t\",\"text\":\"\"}"

TestSuite(notes, .init = set_up, .fini = tear_down);

/* Every body is JSON, and every error has the form of all errors. */
static void expect_type(const svc_reply *reply)
{
    const char *type = svc_reply_header(reply, "Content-Type");
    const char *wanted =
        svc_reply_status(reply) < 400 ? "application/json" : "application/problem+json";
    if (*svc_reply_body(reply, NULL))
        cr_expect_str_eq(type ? type : "(none)", wanted, "%d", svc_reply_status(reply));
}

/* Sends a request and checks status and type. The caller owns the body, as JSON; NULL if the body
 * is not JSON. */
static json_t *ask(const char *method, const char *target, const char *body, int status)
{
    svc_reply *reply = svc_app_test_json(app, method, target, body);
    cr_assert_eq(svc_reply_status(reply), status, "%s %s: %d %s", method, target,
                 svc_reply_status(reply), svc_reply_body(reply, NULL));
    expect_type(reply);
    json_t *json = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    svc_reply_free(reply);
    return json;
}

static void expect(const char *method, const char *target, const char *body, int status)
{
    json_decref(ask(method, target, body, status));
}

static const char *text(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));
    return value ? value : "";
}

Test(notes, a_note_is_created_shown_replaced_and_removed)
{
    svc_reply *reply =
        svc_app_test_json(app, "POST", "/notes", "{\"title\":\"first\",\"text\":\"hello\"}");
    cr_expect_eq(svc_reply_status(reply), 201);
    cr_expect_str_eq(svc_reply_header(reply, "Location"), "/notes/1");
    svc_reply_free(reply);

    json_t *note = ask("GET", "/notes/1", NULL, 200);
    cr_expect_str_eq(text(note, "id"), "1");
    cr_expect_str_eq(text(note, "title"), "first");
    cr_expect_str_eq(text(note, "text"), "hello");
    cr_expect_eq(strlen(text(note, "created")), strlen("2026-01-01T00:00:00Z"));
    json_decref(note);

    note = ask("PUT", "/notes/1", "{\"title\":\"second\",\"text\":\"\"}", 200);
    cr_expect_str_eq(text(note, "title"), "second");
    json_decref(note);

    expect("DELETE", "/notes/1", NULL, 204);
    expect("GET", "/notes/1", NULL, 404);
}

Test(notes, what_is_not_there_is_404)
{
    static const char *const ids[] = {"/notes/0", "/notes/1", "/notes/x", "/notes/-1",
                                      "/notes/99999999999999999999"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        expect("GET", ids[i], NULL, 404);
        expect("DELETE", ids[i], NULL, 404);
        expect("PUT", ids[i], "{\"title\":\"t\",\"text\":\"\"}", 404);
    }
}

Test(notes, every_violation_is_named)
{
    static const struct {
        const char *body;
        size_t violations;
        const char *pointer; /* of the first */
    } rows[] = {
        {"{\"title\":\"\",\"text\":1}", 2, "#/title"},
        {"{}", 2, "#/title"},
        {"{\"title\":\"t\"}", 1, "#/text"},
        {"{\"title\":\"t\",\"text\":\"\",\"colour\":\"red\"}", 1, "#/colour"},
        {"{\"title\":7,\"a/b\":1}", 3, "#/title"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *problem = ask("POST", "/notes", rows[i].body, 422);
        const json_t *errors = json_object_get(problem, "errors");
        cr_expect_eq(json_array_size(errors), rows[i].violations, "%s", rows[i].body);
        cr_expect_str_eq(text(json_array_get(errors, 0), "pointer"), rows[i].pointer);
        json_decref(problem);
    }
}

Test(notes, a_title_is_counted_in_characters)
{
    char body[2048] = "{\"text\":\"\",\"title\":\"";
    for (int i = 0; i < MAX_TITLE; i++)
        strcat(body, "\xc3\xa9");
    char longer[2100];
    snprintf(longer, sizeof longer, "%sx\"}", body);
    strcat(body, "\"}");
    expect("POST", "/notes", body, 201);
    expect("POST", "/notes", longer, 422);
}

Test(notes, bodies_that_are_no_notes_are_refused)
{
    expect("POST", "/notes", "{\"title\":", 400);
    expect("POST", "/notes", "[1]", 422);
    expect("POST", "/notes", "{\"title\":\"a\\u0000b\",\"text\":\"\"}", 400);
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/notes";
    test.body = "title=x";
    test.body_len = 7;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 415);
    svc_reply_free(reply);
}

Test(notes, the_list_comes_in_pages)
{
    for (int i = 0; i < 3; i++)
        expect("POST", "/notes", "{\"title\":\"t\",\"text\":\"\"}", 201);
    json_t *page = ask("GET", "/notes?limit=2", NULL, 200);
    cr_expect_eq(json_array_size(json_object_get(page, "notes")), 2);
    cr_expect_str_eq(text(page, "next"), "2");
    json_decref(page);
    page = ask("GET", "/notes?limit=2&after=2", NULL, 200);
    cr_expect_eq(json_array_size(json_object_get(page, "notes")), 1);
    cr_expect(json_is_null(json_object_get(page, "next")));
    json_decref(page);
    static const char *const bad[] = {"/notes?limit=0", "/notes?limit=101", "/notes?limit=x",
                                      "/notes?limit=",  "/notes?after=-1",  "/notes?after=1e9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect("GET", bad[i], NULL, 422);
}

Test(notes, a_full_store_says_so_and_ids_are_never_used_twice)
{
    for (int i = 0; i < 3; i++)
        expect("POST", "/notes", "{\"title\":\"t\",\"text\":\"\"}", 201);
    expect("POST", "/notes", "{\"title\":\"t\",\"text\":\"\"}", 507);
    expect("DELETE", "/notes/3", NULL, 204);
    json_t *note = ask("POST", "/notes", "{\"title\":\"t\",\"text\":\"\"}", 201);
    cr_expect_str_eq(text(note, "id"), "4");
    json_decref(note);
}

Test(notes, the_service_runs_within_another_one)
{
    svc_app *outer = svc_app_new("outer");
    cr_assert_eq(svc_app_mount(outer, "/inner", app), 0);
    app = outer;
    svc_reply *reply = svc_app_test_json(app, "POST", "/inner/notes", NOTE);
    cr_expect_eq(svc_reply_status(reply), 201);
    cr_expect_str_eq(svc_reply_header(reply, "Location"), "/inner/notes/1");
    svc_reply_free(reply);
    expect("GET", "/inner/notes/1", NULL, 200);
    expect("GET", "/notes/1", NULL, 404);
}

/* Keeps the last line that the service itself has logged. */
static bool keep_line(const svc_log_record *record, void *arg)
{
    char *line = arg;
    if (!strcmp(record->module, "notes"))
        snprintf(line, 128, "%s %s %s %d", record->message, record->route,
                 record->items[0].key ? record->items[0].key : "-", *record->request_id != '\0');
    return true;
}

Test(notes, what_is_done_to_a_note_is_logged)
{
    char line[128] = "";
    svc_app_set_log_sink(app, keep_line, line);
    expect("POST", "/notes", NOTE, 201);
    cr_expect_str_eq(line, "note created POST /notes note 1");
    expect("PUT", "/notes/1", NOTE, 200);
    cr_expect_str_eq(line, "note replaced PUT /notes/{id} note 1");
    expect("DELETE", "/notes/1", NULL, 204);
    cr_expect_str_eq(line, "note removed DELETE /notes/{id} note 1");
}

/* ---- The store */

static bool keep_warning(const svc_log_record *record, void *arg)
{
    char *line = arg;
    if (record->level == SVC_LEVEL_WARN && !*line)
        snprintf(line, 128, "%s", record->message);
    return true;
}

Test(notes, a_store_that_may_drop_notes_is_warned_of)
{
    char line[128] = "";
    svc_app_set_log_sink(app, keep_warning, line);
    expect("GET", "/notes", NULL, 200);
    cr_expect_str_eq(line, "the store may drop notes when it is full");
}

/* As another instance would do it. */
Test(notes, notes_and_index_are_values_of_the_store)
{
    svc_store *values = svc_test_store(app);
    svc_store_value value;
    expect("POST", "/notes", NOTE, 201);
    expect("POST", "/notes", NOTE, 201);
    cr_assert_eq(svc_store_get(values, NULL, "index", &value), 0);
    cr_expect_str_eq(value.data, "1 2 ");
    svc_store_value_free(&value);
    cr_expect_eq(svc_store_delete(values, NULL, "note/1"), 0);
    json_t *page = ask("GET", "/notes", NULL, 200);
    cr_expect_eq(json_array_size(json_object_get(page, "notes")), 1, "one is in the index alone");
    json_decref(page);
    value = (svc_store_value){"1 2 x", 5, 0, NULL};
    cr_expect_eq(svc_store_set(values, NULL, "index", &value, 0), 0);
    expect("GET", "/notes", NULL, 500);
}

enum { WRITERS = 4, NOTES_EACH = 25 };

static void *add_notes(void *arg)
{
    int *failed = arg;
    uint64_t id;
    for (int i = 0; i < NOTES_EACH; i++)
        *failed |= store_add(&notes.store, NULL, "t", "", &id) != 0;
    return NULL;
}

Test(notes, no_note_is_lost_among_several_that_write)
{
    pthread_t threads[WRITERS];
    int failed[WRITERS] = {0};
    notes.max_notes = 1000;
    cr_assert_not_null(svc_test_store(app));
    for (int i = 0; i < WRITERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, add_notes, &failed[i]), 0);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(failed[i], 0);
    }
    json_t *page = ask("GET", "/notes?limit=100", NULL, 200);
    cr_expect_eq(json_array_size(json_object_get(page, "notes")), WRITERS * NOTES_EACH);
    cr_expect(json_is_null(json_object_get(page, "next")));
    for (int i = 0; i < WRITERS * NOTES_EACH; i++) {
        char id[24];
        snprintf(id, sizeof id, "%d", i + 1);
        cr_expect_str_eq(text(json_array_get(json_object_get(page, "notes"), (size_t)i), "id"), id);
    }
    json_decref(page);
}

/* ---- Caching */

/* Sends a request with one field; checks the status. The reply is the caller's. */
static svc_reply *ask_with(const char *method, const char *target, const char *name,
                           const char *value, const char *body, int status)
{
    const char *headers[] = {"Content-Type", "application/json", name, value, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), status, "%s %s with %s: %s gave %d", method, target, name,
                 value, svc_reply_status(reply));
    return reply;
}

static void expect_with(const char *method, const char *target, const char *name, const char *value,
                        const char *body, int status)
{
    svc_reply_free(ask_with(method, target, name, value, body, status));
}

static const char *field(const svc_reply *reply, const char *name)
{
    const char *value = svc_reply_header(reply, name);
    return value ? value : "";
}

/* The entity tag of a resource, and its length. */
static void read_tag(const char *target, char tag[64], char length[24])
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_assert_eq(svc_reply_status(reply), 200);
    snprintf(tag, 64, "%s", field(reply, "ETag"));
    snprintf(length, 24, "%s", field(reply, "Content-Length"));
    cr_assert_eq(tag[0], '"', "%s", tag);
    svc_reply_free(reply);
}

Test(notes, who_has_a_note_or_a_page_already_is_told_so)
{
    static const char *const targets[] = {"/notes/1", "/notes"};
    expect("POST", "/notes", NOTE, 201);
    for (size_t i = 0; i < 2; i++) {
        char tag[64], length[24], other[64];
        read_tag(targets[i], tag, length);
        svc_reply *reply = ask_with("GET", targets[i], "If-None-Match", tag, NULL, 304);
        cr_expect_str_eq(field(reply, "ETag"), tag);
        cr_expect_str_eq(field(reply, "Content-Length"), length);
        cr_expect_str_eq(svc_reply_body(reply, NULL), "");
        svc_reply_free(reply);
        expect("PUT", "/notes/1", "{\"title\":\"new\",\"text\":\"\"}", 200);
        expect_with("GET", targets[i], "If-None-Match", tag, NULL, 200);
        read_tag(targets[i], other, length);
        cr_expect_str_neq(tag, other);
        expect("PUT", "/notes/1", NOTE, 200);
    }
}

Test(notes, a_note_that_has_changed_is_not_overwritten)
{
    char first[64], second[64], length[24];
    svc_reply *reply = svc_app_test_json(app, "POST", "/notes", NOTE);
    snprintf(first, sizeof first, "%s", field(reply, "ETag"));
    svc_reply_free(reply);
    read_tag("/notes/1", second, length);
    cr_expect_str_eq(first, second, "a 201 has the tag of what it made");
    reply = ask_with("PUT", "/notes/1", "If-Match", first, NOTE, 200);
    cr_expect_null(svc_reply_header(reply, "ETag"));
    svc_reply_free(reply);
    expect_with("PUT", "/notes/1", "If-Match", first, NOTE, 412);
    expect_with("DELETE", "/notes/1", "If-Match", first, NULL, 412);
    expect_with("PUT", "/notes/1", "If-None-Match", "*", NOTE, 412);
    expect_with("PUT", "/notes/1", "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", NOTE,
                412);
    read_tag("/notes/1", second, length);
    expect_with("PUT", "/notes/1", "If-Match", second, "{}", 422);
    expect_with("DELETE", "/notes/1", "If-Match", second, NULL, 204);
    expect_with("DELETE", "/notes/1", "If-Match", second, NULL, 404);
    expect_with("PUT", "/notes/1", "If-Match", "*", NOTE, 404);
}

Test(notes, each_route_says_what_caches_may_do)
{
    static const struct {
        const char *method, *target, *said;
    } rows[] = {
        {"GET", "/notes/1", "private, no-cache"},
        {"GET", "/notes", "private, max-age=5"},
        {"GET", "/notes/2", "no-store"},
        {"GET", "/notes?limit=x", "no-store"},
        {"GET", "/none", "no-store"},
        {"DELETE", "/notes/1", ""},
    };
    expect("POST", "/notes", NOTE, 201);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_reply *reply = svc_app_test_json(app, rows[i].method, rows[i].target, NULL);
        cr_expect_str_eq(field(reply, "Cache-Control"), rows[i].said, "%s %s", rows[i].method,
                         rows[i].target);
        svc_reply_free(reply);
    }
}

/* The number of requests that pass before the rate limit refuses one. */
static int ask_until_refused(const char *method, const char *target)
{
    for (int passed = 0; passed < 100 * REQUESTS_AT_ONCE; passed++) {
        svc_reply *reply = svc_app_test_json(app, method, target, NULL);
        bool refused = svc_reply_status(reply) == 429;
        expect_type(reply);
        if (refused)
            cr_expect_str_neq(field(reply, "Retry-After"), "");
        svc_reply_free(reply);
        if (refused)
            return passed;
    }
    return -1;
}

/* On a slow machine a part of the burst comes back meanwhile. */
Test(notes, a_client_is_limited_and_in_its_writes_sooner)
{
    cr_expect_geq(ask_until_refused("DELETE", "/notes/1"), WRITES_AT_ONCE);
    expect("GET", "/notes", NULL, 200);
    cr_expect_geq(ask_until_refused("GET", "/notes"), REQUESTS_AT_ONCE - WRITES_AT_ONCE - 2);
}
