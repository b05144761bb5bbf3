/* The service over TCP, with libcurl as the client. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test_support.h"

static CURL *curl;

static void set_up(void)
{
    make_app();
    svc_config config = SVC_CONFIG_INIT;
    config.listen = config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    curl = curl_easy_init();
    cr_assert_not_null(curl);
}

static void stop(void)
{
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
}

static void free_all(void)
{
    curl_easy_cleanup(curl);
    svc_app_free(app);
    remove_folder();
}

static void tear_down(void)
{
    stop();
    free_all();
}

TestSuite(http, .init = set_up, .fini = tear_down);
TestSuite(drain, .init = set_up, .fini = free_all);

/* ---- A client */

struct answer {
    char text[8192]; /* of its beginning */
    size_t len;      /* of all */
    struct sha256 hash;
};

static size_t collect(char *data, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t len = size * count, room = sizeof answer->text - 1;
    sha256_add(&answer->hash, data, len);
    if (answer->len < room)
        memcpy(answer->text + answer->len, data,
               len < room - answer->len ? len : room - answer->len);
    answer->len += len;
    answer->text[answer->len < room ? answer->len : room] = '\0';
    return len;
}

static void aim(CURL *at, const char *address, const char *path, struct answer *answer)
{
    char url[256];
    snprintf(url, sizeof url, "http://%s%s", address, path);
    memset(answer, 0, sizeof *answer);
    sha256_init(&answer->hash);
    curl_easy_reset(at);
    curl_easy_setopt(at, CURLOPT_URL, url);
    curl_easy_setopt(at, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(at, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(at, CURLOPT_WRITEDATA, answer);
}

static long perform(CURL *at)
{
    long status = 0;
    CURLcode code = curl_easy_perform(at);
    cr_assert_eq(code, CURLE_OK, "%s", curl_easy_strerror(code));
    curl_easy_getinfo(at, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static long get(const char *path, struct answer *answer)
{
    aim(curl, svc_app_address(app, 0), path, answer);
    return perform(curl);
}

/* The id in an answer to an upload. */
static void read_id(const struct answer *answer, char id[ID_SIZE])
{
    const char *at = strstr(answer->text, "\"id\":\"");
    cr_assert(at, "%s", answer->text);
    snprintf(id, ID_SIZE, "%s", at + 6);
}

static long upload_text(const char *csv, char id[ID_SIZE])
{
    struct answer answer;
    aim(curl, svc_app_address(app, 0), "/uploads", &answer);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, csv);
    long status = perform(curl);
    read_id(&answer, id);
    return status;
}

/* ---- A large file */

enum { LARGE_ROWS = 2000000 };

static const char *const row = "pear,2.25\n";

/* A header and many rows, which curl asks for piece by piece. */
static size_t give_rows(char *data, size_t size, size_t count, void *arg)
{
    int *given = arg;
    size_t room = size * count, len = 0;
    if (!*given)
        len += (size_t)snprintf(data, room, "name,price\n");
    for (; *given < LARGE_ROWS && room - len > strlen(row); ++*given, len += strlen(row))
        memcpy(data + len, row, strlen(row));
    return len;
}

static long upload_large(char id[ID_SIZE])
{
    struct answer answer;
    int given = 0;
    aim(curl, svc_app_address(app, 0), "/uploads", &answer);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_rows);
    curl_easy_setopt(curl, CURLOPT_READDATA, &given);
    struct curl_slist *headers = curl_slist_append(NULL, "Transfer-Encoding: chunked");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    long status = perform(curl);
    curl_slist_free_all(headers);
    read_id(&answer, id);
    return status;
}

Test(http, a_large_file_goes_in_and_comes_back)
{
    char id[ID_SIZE], path[128], again[ID_SIZE];
    struct answer answer;
    cr_expect_eq(upload_large(id), 201);
    snprintf(path, sizeof path, "/reports/%s/wait", id);
    cr_expect_eq(get(path, &answer), 200);
    cr_expect(strstr(answer.text, "\"rows\":2000000"), "%s", answer.text);
    cr_expect(strstr(answer.text, "\"sum\":4500000"), "%s", answer.text);
    snprintf(path, sizeof path, "/uploads/%s", id);
    cr_expect_eq(get(path, &answer), 200);
    sha256_text(&answer.hash, again);
    cr_expect_eq(answer.len, strlen("name,price\n") + LARGE_ROWS * strlen(row));
    cr_expect_str_eq(again, id);
}

/* ---- One that breaks */

static int connect_socket(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *address = svc_app_address(app, 0);
    to.sin_port = htons((in_port_t)atoi(strrchr(address, ':') + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* No event reports files: counts them until there are `count`, or the time is over. */
static bool await_files(int count)
{
    static const struct timespec while_ = {0, 1000000};
    for (int i = 0; i < 15000 && count_files("") != count; i++)
        nanosleep(&while_, NULL);
    return count_files("") == count;
}

Test(http, an_upload_that_breaks_off_leaves_no_file)
{
    static const char text[] =
        "POST /uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\na,b\n";
    int fd = connect_socket();
    cr_assert_eq(write(fd, text, sizeof text - 1), (ssize_t)(sizeof text - 1));
    cr_expect(await_files(1), "it arrives");
    close(fd);
    cr_expect(await_files(0), "it is gone");
    cr_expect_eq(svc_test_metric(app, "reports_uploads_total{result=\"broken\"}"), 1);
}

/* ---- Waiting */

enum { WAITERS = 20 };

/* All clients wait at once; the task is released when all have asked. */
Test(http, all_who_wait_are_answered_when_the_report_is_made)
{
    char id[ID_SIZE], path[128];
    static struct answer answers[WAITERS];
    CURL *waiters[WAITERS];
    int running = WAITERS;
    hold_task();
    cr_expect_eq(upload_text("a\n1\n", id), 201);
    await_held();
    snprintf(path, sizeof path, "/reports/%s/wait", id);
    CURLM *multi = curl_multi_init();
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = curl_easy_init();
        aim(waiters[i], svc_app_address(app, 0), path, &answers[i]);
        curl_multi_add_handle(multi, waiters[i]);
    }
    for (int turns = 0; running && turns < 1000; turns++) {
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 100, NULL);
        if (turns == WAITERS)
            let_go();
    }
    cr_expect_eq(running, 0);
    for (int i = 0; i < WAITERS; i++) {
        cr_expect(strstr(answers[i].text, "\"rows\":1"), "%d: %s", i, answers[i].text);
        curl_multi_remove_handle(multi, waiters[i]);
        curl_easy_cleanup(waiters[i]);
    }
    curl_multi_cleanup(multi);
}

Test(drain, reports_that_are_queued_are_made_before_the_end)
{
    char id[ID_SIZE];
    hold_task();
    cr_expect_eq(upload_text("a\n1\n", id), 201);
    await_held();
    cr_expect_eq(upload_text("b\n1\n", id), 201);
    cr_expect_eq(upload_text("c\n1\n", id), 201);
    cr_expect_eq(count_made(), 0);
    svc_app_stop(app);
    let_go();
    cr_expect_eq(svc_app_wait(app), 0);
    cr_expect_eq(count_made(), 3);
}

Test(drain, who_has_waited_in_vain_holds_up_nothing)
{
    char id[ID_SIZE], path[128];
    struct answer answer;
    struct curl_slist *headers = curl_slist_append(NULL, "X-Request-Timeout: 50ms");
    hold_task();
    cr_expect_eq(upload_text("a\n1\n", id), 201);
    await_held();
    snprintf(path, sizeof path, "/reports/%s/wait", id);
    aim(curl, svc_app_address(app, 0), path, &answer);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    cr_expect_eq(perform(curl), 504);
    curl_slist_free_all(headers);
    let_go();
    stop();
}

Test(http, the_service_is_ready_while_it_has_its_folder)
{
    struct answer answer;
    aim(curl, svc_app_admin_address(app), "/readyz", &answer);
    cr_expect_eq(perform(curl), 200);
    cr_expect(strstr(answer.text, "ok folder"), "%s", answer.text);
    remove_folder();
    cr_expect_eq(perform(curl), 503);
}
