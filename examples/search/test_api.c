/* The search service without sockets of its own; the notes service that it asks listens in this
 * process. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../notes/notes.h"
#include "search.h"

static struct notes notes;
static struct search search;
static svc_app *app, *notes_app;
static char url[256];

static void start_notes(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.drain_delay_ms = 0;
    config.log_output = "/dev/null";
    notes_app = notes_new(&notes);
    svc_app_configure(notes_app, &config);
    cr_assert_eq(svc_app_start(notes_app), 0, "%s", svc_app_errors(notes_app));
    snprintf(url, sizeof url, "http://%s", svc_app_address(notes_app, 0));
}

static void stop_notes(void)
{
    svc_app_stop(notes_app);
    cr_expect_eq(svc_app_wait(notes_app), 0);
}

static void set_up(void)
{
    setenv("no_proxy", "*", 1);
    start_notes();
    app = search_new(&search);
    search.notes_url = url;
}

static void tear_down(void)
{
    svc_app_free(app);
    stop_notes();
    svc_app_free(notes_app);
}

TestSuite(search, .init = set_up, .fini = tear_down);

static void add_note(const char *title, const char *text)
{
    uint64_t id;
    cr_assert_eq(store_add(&notes.store, NULL, title, text, &id), 0);
}

static void expect(const char *target, int status, const char *text)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    cr_expect(strstr(svc_reply_body(reply, NULL), text), "%s: %s", target,
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

Test(search, notes_are_found_by_title_and_text)
{
    add_note("Pears", "two");
    add_note("apples", "not pears");
    add_note("plums", "many");
    expect("/search?q=pear", 200,
           "{\"notes\":[{\"id\":\"1\",\"title\":\"Pears\"},{\"id\":\"2\",\"title\":\"apples\"}],"
           "\"looked_at\":3}");
    expect("/search?q=pear&limit=1", 200, "[{\"id\":\"1\",\"title\":\"Pears\"}],\"looked_at\":3}");
    expect("/search?q=cherry", 200, "{\"notes\":[],\"looked_at\":3}");
    expect("/search", 422, "q");
}

Test(search, pages_are_read_up_to_a_ceiling)
{
    search.max_pages = 3;
    for (int i = 0; i < 2 * PAGE_NOTES + 1; i++)
        add_note("apple", "");
    add_note("pear", "on the third page");
    expect("/search?q=pear", 200, "\"title\":\"pear\"}]");
    for (int i = 0; i < PAGE_NOTES; i++)
        add_note("apple", "");
    add_note("cherry", "on the fourth");
    expect("/search?q=cherry", 200, "{\"notes\":[],\"looked_at\":60}");
}

Test(search, without_the_notes_service_the_answer_is_502)
{
    search.notes_url = "http://127.0.0.1:1"; /* where nobody listens */
    expect("/search?q=pear", 502, "cannot be asked");
}
