/*
 * Stores on memcached keep the promises of svc/store.h, on one server, on two and on three, each in
 * a process of its own, since the suite mostly waits. And a service of two loops and workers counts
 * on three servers, of which one is then killed and started again under load: each request is
 * answered. A program of its own so that the thread sanitizer sees it.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <svc.h>
#include <svc/memcached.h>

#include "tests/conformance/store.h"
#include "tests/support/memcached_servers.h"

enum { SKIPPED = 77, CLIENTS = 4, REQUESTS = 100, KILLS = 3 };

/* ---- The conformance suite */

static int try_servers(size_t count)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_app *app = svc_app_new("conformance");
    svc_app_configure(app, &config);
    svc_memcached_use(app);
    int failures = svc_store_conformance_both(
        app, memcached_servers_url(count, "?timeout_ms=60000&connect_ms=60000&answer_ms=60000"),
        stdout);
    if (failures > 0)
        fputs(svc_app_errors(app), stdout);
    svc_app_free(app);
    return failures;
}

/* Whether all of the suite's runs were good. */
static bool conforms(void)
{
    pid_t pids[MEMCACHED_SERVERS_MOST];
    bool good = true;
    (void)fflush(stdout);
    for (size_t i = 0; i < MEMCACHED_SERVERS_MOST; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            exit(try_servers(i + 1) > 0);
    }
    for (size_t i = 0; i < MEMCACHED_SERVERS_MOST; i++) {
        int status = 1;
        good &= pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0;
        printf("%zu servers: status %d\n", i + 1, status);
    }
    return good;
}

/* ---- A service under load */

static svc_app *app;
static svc_store *store;
static atomic_uint wrong, asked;
static atomic_bool faulty; /* servers are killed: errors are expected */

static void answer_ok(svc_response *res, int error)
{
    svc_response_text(res, error && !faulty ? 500 : 200, error && !faulty ? "error" : "ok");
}

static void take_count(const svc_store_answer *answer, void *arg)
{
    svc_response *res = svc_response_new();
    answer_ok(res, answer->error);
    (void)svc_pending_complete(arg, res);
    svc_pending_unref(arg);
}

static int count_on_loop(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    (void)res;
    return svc_store_increment_then(store, req, svc_request_param(req, "key"), 1, 0, take_count,
                                    pending);
}

static int count_on_worker(svc_request *req, svc_response *res)
{
    answer_ok(res, svc_store_increment(store, req, svc_request_param(req, "key"), 1, 0, NULL));
    return 0;
}

/* Sends a request and reads its small reply, which comes by one read or two. */
static bool exchange(int fd, const char *path)
{
    char text[1024];
    size_t len = 0;
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        return false;
    memset(text, 0, sizeof text);
    while (!strstr(text, "\r\n\r\nok")) {
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (got <= 0 || strstr(text, "\r\n\r\nerror"))
            return false;
        len += (size_t)got;
    }
    return true;
}

static void *ask_often(void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(svc_app_address(app, 0), ':');
    (void)arg;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = !connect(fd, (struct sockaddr *)&address, sizeof address);
    for (int i = 0; i < REQUESTS && good; i++) {
        char path[32];
        sprintf(path, "/%s/%d", i % 2 ? "loop" : "worker", i % 10 / 2);
        good = exchange(fd, path);
        atomic_fetch_add(&asked, 1);
    }
    close(fd);
    if (!good)
        atomic_fetch_add(&wrong, 1);
    return NULL;
}

static bool start_service(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.threads = 2;
    config.drain_delay_ms = 0;
    config.worker_queue_ms = 600000; /* a busy machine refuses no request */
    app = svc_app_new("threads");
    svc_app_configure(app, &config);
    svc_memcached_use(app);
    store = svc_store_open(app, memcached_servers_url(3, "?timeout_ms=60000&connect_ms=60000"
                                                         "&answer_ms=60000&retry_ms=1"));
    svc_app_get(app, "/loop/{key}", count_on_loop, NULL);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /worker/{key}";
    route.handler = count_on_worker;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    if (svc_app_start(app) == 0)
        return true;
    puts(svc_app_errors(app));
    return false;
}

/* All clients ask; meanwhile servers are killed and started `kills` times, each after more
 * requests. */
static void ask_all(int kills)
{
    pthread_t clients[CLIENTS];
    unsigned before = asked;
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, ask_often, NULL);
    for (int i = 1; i <= kills; i++) {
        while (!wrong && asked - before < (unsigned)(CLIENTS * REQUESTS / (KILLS + 1) * i))
            usleep(1000);
        memcached_servers_signal((size_t)i % 3, SIGKILL);
        if (!memcached_servers_start((size_t)i % 3, NULL, NULL))
            atomic_fetch_add(&wrong, 1);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
}

/* The sum of the counts under the five keys. */
static uint64_t add_up(void)
{
    uint64_t sum = 0;
    for (char key[] = "0"; key[0] < '5'; key[0]++) {
        uint64_t number = 0;
        if (svc_store_increment(store, NULL, key, 0, 0, &number))
            return 0;
        sum += number;
    }
    return sum;
}

static bool serves(void)
{
    if (!start_service())
        return false;
    ask_all(0);
    uint64_t sum = add_up();
    printf("%ju counted, of %d\n", (uintmax_t)sum, CLIENTS * REQUESTS);
    faulty = true;
    ask_all(KILLS);
    svc_app_stop(app);
    int error = svc_app_wait(app);
    printf("wrong: %u; the stop: %d\n", wrong, error);
    svc_app_free(app);
    return !error && !wrong && sum == CLIENTS * REQUESTS;
}

int main(void)
{
    bool good = true;
    if (!memcached_servers_exist()) {
        puts("SKIP: memcached is not installed");
        return SKIPPED;
    }
    if (!memcached_servers_begin())
        return 1;
    for (size_t i = 0; i < MEMCACHED_SERVERS_MOST && good; i++)
        good = memcached_servers_start(i, NULL, NULL);
    good = good && conforms() && serves();
    memcached_servers_end();
    return good ? 0 : 1;
}
