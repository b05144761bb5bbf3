/* The service without sockets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

static struct store *store;
static svc_app *app;

static void set_up(void)
{
    store = store_new(3);
    app = svc_app_new("notes");
    svc_config config = SVC_CONFIG_INIT;
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    notes_register(app, store);
}

static void tear_down(void)
{
    svc_app_free(app);
    store_free(store);
}

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

/* Sends a request and checks status and type. The body, as JSON, is the caller's; NULL when it is
 * none. */
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
        expect("GET", bad[i], NULL, 400);
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
