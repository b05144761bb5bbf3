/*
 * NGINX's proxy cache in front of a service obeys the service's fields: it hits, revalidates and
 * bypasses. The test starts NGINX, in its own folder, and stops it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static char folder[64];
static char address[160]; /* a Unix socket of NGINX */
static pid_t nginx;

static const char *find_nginx(void)
{
    static const char *const paths[] = {"/usr/sbin/nginx", "/usr/local/sbin/nginx",
                                        "/usr/bin/nginx"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (!access(paths[i], X_OK))
            return paths[i];
    return NULL;
}

/* Replies without directives are not cached; an error without directives would be, by
 * proxy_cache_valid. */
static const char configuration[] =
    "daemon off; master_process off; pid %1$s/pid; error_log %1$s/error.log warn;\n"
    "events { worker_connections 64; }\n"
    "http {\n"
    "  access_log off;\n"
    "  client_body_temp_path %1$s/body; proxy_temp_path %1$s/proxy;\n"
    "  fastcgi_temp_path %1$s/fastcgi; uwsgi_temp_path %1$s/uwsgi; scgi_temp_path %1$s/scgi;\n"
    "  proxy_cache_path %1$s/cache keys_zone=zone:1m inactive=1h;\n"
    "  server {\n"
    "    listen unix:%1$s/socket;\n"
    "    location / {\n"
    "      proxy_pass http://%2$s;\n"
    "      proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
    "      proxy_cache zone; proxy_cache_revalidate on; proxy_cache_background_update on;\n"
    "      proxy_cache_valid any 10m;\n"
    "      add_header X-Cache $upstream_cache_status always;\n"
    "    }\n"
    "%3$s"
    "  }\n"
    "}\n";

/* Large replies are asked for, and cached, in parts. NGINX may have been built without the module.
 */
static const char slicing[] =
    "    location /sliced/ {\n"
    "      slice 64k;\n"
    "      proxy_pass http://%s/counted/;\n"
    "      proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
    "      proxy_set_header Range $slice_range;\n"
    "      proxy_cache zone; proxy_cache_key $uri$slice_range; proxy_cache_valid 200 206 10m;\n"
    "    }\n";

static bool slices;

static bool has_slices(const char *program)
{
    char command[128];
    snprintf(command, sizeof command, "%s -V 2>&1 | grep -q http_slice_module", program);
    return system(command) == 0;
}

static void write_configuration(const char *path)
{
    char location[512] = "";
    FILE *file = fopen(path, "w");
    cr_assert(file);
    if (slices)
        snprintf(location, sizeof location, slicing, process_address(server, 0));
    fprintf(file, configuration, folder, process_address(server, 0), location);
    cr_assert_eq(fclose(file), 0);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* NGINX does not report when it listens, which is a while after its socket has appeared. */
static bool accepts(const char *path)
{
    struct client *client = access(path, F_OK) ? NULL : client_connect(address);
    client_close(client);
    return client != NULL;
}

static bool await_socket(const char *path)
{
    uint64_t until = client_clock_ms() + PROCESS_WAIT_MS;
    bool accepted;
    while (!(accepted = accepts(path)) && !waitpid(nginx, NULL, WNOHANG) &&
           client_clock_ms() < until)
        pause_ms(10);
    return accepted;
}

static void start_nginx(const char *program)
{
    char path[128];
    snprintf(path, sizeof path, "%s/nginx.conf", folder);
    write_configuration(path);
    pid_t parent = getpid();
    nginx = fork();
    cr_assert_geq(nginx, 0);
    if (nginx == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a test that dies */
        if (getppid() == parent)
            execl(program, "nginx", "-p", folder, "-c", path, "-e", "stderr", (char *)NULL);
        _exit(127);
    }
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    cr_assert(await_socket(path), "NGINX does not start");
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_expect_eq(system(command), 0);
}

static void start(void)
{
    const char *program = find_nginx();
    if (!program)
        return;
    serve("server_cache", NULL);
    strcpy(folder, "/tmp/svc-nginx-XXXXXX");
    cr_assert(mkdtemp(folder));
    slices = has_slices(program);
    start_nginx(program);
}

static void stop(void)
{
    if (!nginx)
        return;
    kill(nginx, SIGTERM);
    cr_expect_eq(waitpid(nginx, NULL, 0), nginx);
    remove_folder();
    serve_no_more();
}

TestSuite(proxy_cache, .init = start, .fini = stop);

static void need_nginx(void)
{
    if (!nginx)
        cr_skip_test("no NGINX here (package nginx-light)");
}

/* The result of one request through the cache: "HIT 200 1", with the body after the status. */
static const char *ask(const char *path, const char *fields)
{
    static char seen[128];
    char cache[32] = "";
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", path,
                  fields);
    struct client_reply reply = client_read(client, false);
    client_reply_field(&reply, "X-Cache", cache, sizeof cache);
    if (reply.status == 200)
        snprintf(seen, sizeof seen, "%s %d %.32s", cache, reply.status, reply.body);
    else
        snprintf(seen, sizeof seen, "%s %d", cache, reply.status);
    client_reply_free(&reply);
    client_close(client);
    return seen;
}

/* Sends requests until the cache's copy has expired, for which there is no event. Returns the
 * result. */
static const char *ask_until_expired(const char *path)
{
    uint64_t until = client_clock_ms() + PROCESS_WAIT_MS;
    const char *seen = ask(path, "");
    while (!strncmp(seen, "HIT ", 4) && client_clock_ms() < until) {
        pause_ms(50);
        seen = ask(path, "");
    }
    return seen;
}

/* The service answers the cache in the background, and then the copy changes. Sends requests until
 * the body has changed. Returns the result. */
static const char *ask_until_renewed(const char *path, const char *old)
{
    uint64_t until = client_clock_ms() + PROCESS_WAIT_MS;
    const char *seen = ask(path, "");
    while (!strcmp(strrchr(seen, ' '), strrchr(old, ' ')) && client_clock_ms() < until) {
        pause_ms(50);
        seen = ask(path, "");
    }
    return seen;
}

struct step {
    const char *path, *fields, *seen;
};

Test(proxy_cache, hits_what_it_may_keep_and_passes_by_what_not)
{
    static const struct step steps[] = {
        {"/counted/fresh", "", "MISS 200 1"},
        {"/counted/fresh", "", "HIT 200 1"},
        {"/counted/shared", "", "MISS 200 1"},
        {"/counted/shared", "", "HIT 200 1"},
        {"/counted/private", "", "MISS 200 1"},
        {"/counted/private", "", "MISS 200 2"},
        {"/counted/no-store", "", "MISS 200 1"},
        {"/counted/no-store", "", "MISS 200 2"},
        {"/counted/no-cache", "", "MISS 200 1"},
        {"/counted/no-cache", "", "MISS 200 2"},
        {"/counted/varies", "Accept-Language: en\r\n", "MISS 200 1"},
        {"/counted/varies", "Accept-Language: en\r\n", "HIT 200 1"},
        {"/counted/varies", "Accept-Language: de\r\n", "MISS 200 2"},
        {"/counted/varies", "Accept-Language: de\r\n", "HIT 200 2"},
        {"/counted/varies", "Accept-Language: en\r\n", "HIT 200 1"},
        {"/counted/missing", "", "MISS 404"},
        {"/counted/missing", "", "MISS 404"},
        {"/none", "", "MISS 404"},
        {"/none", "", "MISS 404"},
    };
    need_nginx();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *seen = ask(steps[i].path, steps[i].fields);
        cr_expect_str_eq(seen, steps[i].seen, "%zu: %s gave %s", i, steps[i].path, seen);
    }
}

/* By itself NGINX would store a reply to a request with Authorization. */
Test(proxy_cache, keeps_nothing_that_is_one_client_s_own)
{
    static const struct step steps[] = {
        {"/counted/fresh", "Authorization: Basic eDp5\r\n", "MISS 200 1"},
        {"/counted/fresh", "Authorization: Basic eDp5\r\n", "MISS 200 2"},
        {"/counted/fresh", "", "MISS 200 3"},
        {"/counted/fresh", "", "HIT 200 3"},
    };
    need_nginx();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *seen = ask(steps[i].path, steps[i].fields);
        cr_expect_str_eq(seen, steps[i].seen, "%zu: %s gave %s", i, steps[i].path, seen);
    }
}

Test(proxy_cache, answers_conditions_from_its_copy)
{
    need_nginx();
    cr_expect_str_eq(ask("/asked/STRONG", ""), "MISS 200 a note here\n");
    cr_expect_str_eq(ask("/asked/STRONG", "If-None-Match: \"1\"\r\n"), "HIT 304");
    cr_expect_str_eq(ask("/asked/STRONG", "If-None-Match: \"2\"\r\n"), "HIT 200 a note here\n");
}

Test(proxy_cache, asks_again_about_what_has_expired)
{
    need_nginx();
    cr_expect_str_eq(ask("/counted/revalidated", ""), "MISS 200 1");
    cr_expect_str_eq(ask_until_expired("/counted/revalidated"), "REVALIDATED 200 1");
    cr_expect_str_eq(ask_until_expired("/counted/revalidated"), "REVALIDATED 200 1",
                     "the 304 has made it fresh, and nothing was made anew");
}

Test(proxy_cache, uses_stale_copies_while_it_asks)
{
    need_nginx();
    cr_expect_str_eq(ask("/counted/stale", ""), "MISS 200 1");
    cr_expect_str_eq(ask_until_expired("/counted/stale"), "STALE 200 1");
    const char *seen = ask_until_renewed("/counted/stale", "STALE 200 1");
    cr_expect(!strcmp(seen, "HIT 200 2") || !strcmp(seen, "STALE 200 2"), "%s", seen);
}

/* NGINX applies stale-if-error to failed connections, and not to 5xx. */
Test(proxy_cache, uses_stale_copies_while_the_service_is_away)
{
    need_nginx();
    cr_expect_str_eq(ask("/counted/kept-on-error", ""), "MISS 200 1");
    cr_expect_str_eq(ask("/counted/fresh", ""), "MISS 200 1");
    cr_expect_eq(process_stop(server), 0);
    cr_expect_str_eq(ask_until_expired("/counted/kept-on-error"), "STALE 200 1");
    cr_expect_str_eq(ask("/counted/fresh", ""), "HIT 200 1");
    cr_expect_str_eq(ask("/counted/shared", ""), "MISS 502");
}

/* ---- Slices */

enum { LARGE_BYTES = 200000, SLICE = 65536 };

static char large_byte(size_t at)
{
    return (char)('a' + at % 23 + at / 4096 % 3);
}

static int count_slices(void)
{
    int count;
    cr_assert_eq(sscanf(ask("/counted/large-count", ""), "%*s 200 %d", &count), 1);
    return count;
}

/* Asks NGINX for the bytes `first` to `last` of the large reply, or for all of them. */
static void expect_slices(const char *fields, int status, size_t first, size_t last)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET /sliced/large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n",
                  fields);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%s: %d", fields, reply.status);
    cr_assert_eq(reply.body_len, last - first + 1, "%s: %zu", fields, reply.body_len);
    size_t same = 0;
    while (same < reply.body_len && reply.body[same] == large_byte(first + same))
        same++;
    cr_expect_eq(same, reply.body_len, "%s: differs at %zu", fields, same);
    client_reply_free(&reply);
    client_close(client);
}

Test(proxy_cache, asks_for_a_large_reply_in_slices_each_of_them_once)
{
    need_nginx();
    if (!slices)
        cr_skip_test("this NGINX has no slice module (package nginx-light has it)");
    expect_slices("Range: bytes=70000-70009\r\n", 206, 70000, 70009);
    cr_expect_eq(count_slices(), 1, "one slice has it");
    expect_slices("Range: bytes=60000-140000\r\n", 206, 60000, 140000);
    cr_expect_eq(count_slices(), 3);
    expect_slices("", 200, 0, LARGE_BYTES - 1);
    cr_expect_eq(count_slices(), 1 + LARGE_BYTES / SLICE);
    expect_slices("Range: bytes=-5\r\n", 206, LARGE_BYTES - 5, LARGE_BYTES - 1);
    expect_slices("", 200, 0, LARGE_BYTES - 1);
    cr_expect_eq(count_slices(), 1 + LARGE_BYTES / SLICE, "from the cache");
}
