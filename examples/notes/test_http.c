/* The service over TCP, with libcurl as the client. */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "notes.h"

static struct notes notes;
static svc_app *app;
static CURL *curl;

static void set_up(void)
{
    app = notes_new(&notes);
    svc_config config = SVC_CONFIG_INIT;
    config.listen = config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    notes.max_notes = 100;
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    curl = curl_easy_init();
    cr_assert_not_null(curl);
}

static void tear_down(void)
{
    curl_easy_cleanup(curl);
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    svc_app_free(app);
}

TestSuite(http, .init = set_up, .fini = tear_down);

struct body {
    char text[8192];
    size_t len;
};

static size_t collect(char *data, size_t size, size_t count, void *arg)
{
    struct body *body = arg;
    size_t len = size * count;
    if (len >= sizeof body->text - body->len)
        return 0;
    memcpy(body->text + body->len, data, len);
    body->len += len;
    body->text[body->len] = '\0';
    return len;
}

static char tag[64]; /* of the last answer that had one */

static size_t note_field(char *data, size_t size, size_t count, void *arg)
{
    size_t len = size * count;
    (void)arg;
    if (len > 8 && len < sizeof tag && !strncasecmp(data, "ETag: ", 6))
        snprintf(tag, sizeof tag, "%.*s", (int)(len - 8), data + 6);
    return len;
}

/* Sends a request with a field, or NULL; returns the status, with the answer's body in `answer`. */
static long ask_with(const char *address, const char *method, const char *path, const char *field,
                     const char *json, struct body *answer)
{
    char url[256];
    long status = 0;
    snprintf(url, sizeof url, "http://%s%s", address, path);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (field)
        headers = curl_slist_append(headers, field);
    *answer = (struct body){.len = 0};
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, note_field);
    if (json)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    CURLcode code = curl_easy_perform(curl);
    cr_assert_eq(code, CURLE_OK, "%s: %s", url, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return status;
}

static long ask(const char *address, const char *method, const char *path, const char *json,
                struct body *answer)
{
    return ask_with(address, method, path, NULL, json, answer);
}

Test(http, a_note_lives_over_tcp)
{
    struct body answer;
    const char *address = svc_app_address(app, 0);
    cr_expect_eq(ask(address, "POST", "/notes", "{\"title\":\"t\",\"text\":\"x\"}", &answer), 201);
    cr_expect_eq(ask(address, "GET", "/notes/1", NULL, &answer), 200);
    cr_expect_not_null(strstr(answer.text, "\"title\":\"t\""), "%s", answer.text);
    cr_expect_eq(ask(address, "PUT", "/notes/1", "{\"title\":\"u\",\"text\":\"\"}", &answer), 200);
    cr_expect_eq(ask(address, "GET", "/notes", NULL, &answer), 200);
    cr_expect_not_null(strstr(answer.text, "\"title\":\"u\""), "%s", answer.text);
    cr_expect_eq(ask(address, "DELETE", "/notes/1", NULL, &answer), 204);
    cr_expect_eq(ask(address, "GET", "/notes/1", NULL, &answer), 404);
}

Test(http, an_update_meets_the_version_that_its_client_has_seen)
{
    struct body answer;
    char seen[80], known[80];
    const char *address = svc_app_address(app, 0);
    cr_expect_eq(ask(address, "POST", "/notes", "{\"title\":\"t\",\"text\":\"x\"}", &answer), 201);
    snprintf(seen, sizeof seen, "If-Match: %s", tag);
    snprintf(known, sizeof known, "If-None-Match: %s", tag);
    static const char *const json = "{\"title\":\"u\",\"text\":\"\"}";
    cr_expect_eq(ask_with(address, "GET", "/notes/1", known, NULL, &answer), 304);
    cr_expect_eq(answer.len, 0);
    cr_expect_eq(ask_with(address, "PUT", "/notes/1", seen, json, &answer), 200);
    cr_expect_eq(ask_with(address, "PUT", "/notes/1", seen, json, &answer), 412);
    cr_expect_eq(ask_with(address, "GET", "/notes/1", known, NULL, &answer), 200);
    cr_expect_eq(ask_with(address, "DELETE", "/notes/1", seen, NULL, &answer), 412);
    snprintf(seen, sizeof seen, "If-Match: %s", tag);
    cr_expect_eq(ask_with(address, "DELETE", "/notes/1", seen, NULL, &answer), 204);
}

Test(http, the_service_tells_whether_it_is_ready)
{
    struct body answer;
    cr_expect_eq(ask(svc_app_admin_address(app), "GET", "/readyz", NULL, &answer), 200);
    cr_expect_not_null(strstr(answer.text, "ok notes"), "%s", answer.text);
}
