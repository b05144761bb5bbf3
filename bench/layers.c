/*
 * The CPU that rate limit and caching layers add to a small request with the default stack, and
 * that of a 304 or a 429 beside the 200 that it replaces: user and system time of the service's
 * threads for each request over TCP, as the median of the ratios of interleaved rounds. The client
 * is this program's main thread, whose time does not count.
 *
 *     make bench/layers && bench/layers [ROUNDS]
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc.h>

#include "bench/median.h"

enum { CONNECTIONS = 32, REQUESTS = 600 /* of each connection in a round */, MAX_ROUNDS = 101 };

static const char body[] = "hello, world\n";

static int plain(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/plain", body, sizeof body - 1);
}

static int asked(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "v7";
    validators.length = sizeof body - 1;
    return svc_request_check_conditions(req, res, &validators) ? plain(req, res) : 0;
}

static int tagged(svc_request *req, svc_response *res)
{
    int error = svc_response_set_etag(res, "v7", false);
    return error ? error : plain(req, res);
}

/* Limits that all requests of a run pass, or that refuse all but the first. */
static const svc_middleware *limiter(svc_app *app, bool passes)
{
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = passes ? 1000000 : 1;
    limit.burst = passes ? 1 << 30 : 1;
    limit.period_s = passes ? 1 : 86400;
    return svc_rate_limit_new(app, &limit);
}

static void use_caching(svc_app *app, svc_group *group)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PUBLIC;
    policy.max_age_s = 60;
    svc_group_use(group, svc_conditional_new(app, NULL));
    svc_group_use(group, svc_cache_control_new(app, &policy));
}

static void add_routes(svc_app *app)
{
    svc_group *caching = svc_app_group(app, "/caching"), *limit = svc_app_group(app, "/limit");
    svc_group *both = svc_app_group(app, "/both"), *refused = svc_app_group(app, "/refused");
    use_caching(app, caching);
    use_caching(app, both);
    svc_group_use(both, limiter(app, true));
    svc_group_use(limit, limiter(app, true));
    svc_group_use(refused, limiter(app, false));
    svc_app_get(app, "/plain/hello", plain, NULL);
    svc_group_get(caching, "/hello", plain, NULL);
    svc_group_get(caching, "/tagged", tagged, NULL);
    svc_group_get(caching, "/asked", asked, NULL);
    svc_group_get(limit, "/hello", plain, NULL);
    svc_group_get(both, "/hello", plain, NULL);
    svc_group_get(both, "/tagged", tagged, NULL);
    svc_group_get(refused, "/hello", plain, NULL);
}

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("layers");
    if (!app)
        exit(1);
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.threads = 1;
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    add_routes(app);
    return app;
}

/* ---- The client */

static int connect_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
        exit(1);
    return fd;
}

/* One exchange, whose reply comes in one piece; NUL-terminated in `reply`. */
static size_t exchange(int fd, const char *request, size_t len, char reply[static 2048])
{
    if (len > 0 && send(fd, request, len, 0) != (ssize_t)len)
        exit(1);
    ssize_t n = recv(fd, reply, 2047, 0);
    if (n <= 0)
        exit(1);
    reply[n] = '\0';
    return (size_t)n;
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double cpu_of(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

/* Nanoseconds of the service's CPU for each request, with all connections busy at once. */
static double measure(const int *fds, const char *request)
{
    char reply[2048];
    size_t len = strlen(request);
    double before = cpu_of(RUSAGE_SELF) - cpu_of(RUSAGE_THREAD);
    for (int i = 0; i < REQUESTS; i++) {
        for (int c = 0; c < CONNECTIONS; c++)
            if (send(fds[c], request, len, 0) != (ssize_t)len)
                exit(1);
        for (int c = 0; c < CONNECTIONS; c++)
            exchange(fds[c], request, 0, reply);
    }
    double after = cpu_of(RUSAGE_SELF) - cpu_of(RUSAGE_THREAD);
    return (after - before) * 1e9 / REQUESTS / CONNECTIONS;
}

/* ---- The comparisons */

enum {
    PLAIN,
    LIMIT,
    CACHING,
    TAGGED,
    BOTH,
    BOTH_TAGGED,
    CACHING_200,
    CACHING_304,
    TAGGED_200,
    TAGGED_304,
    ASKED_200,
    ASKED_304,
    LIMIT_429,
    KINDS
};

static const struct {
    const char *path,
        *tag; /* of If-None-Match: "" for a request without it, NULL: the computed one */
    int status;
} kinds[KINDS] = {
    [PLAIN] = {"/plain/hello", "", 200},
    [LIMIT] = {"/limit/hello", "", 200},
    [CACHING] = {"/caching/hello", "", 200},
    [TAGGED] = {"/caching/tagged", "", 200},
    [BOTH] = {"/both/hello", "", 200},
    [BOTH_TAGGED] = {"/both/tagged", "", 200},
    [CACHING_200] = {"/caching/hello", "\"another-tag-of-22-byte\"", 200},
    [CACHING_304] = {"/caching/hello", NULL, 304},
    [TAGGED_200] = {"/caching/tagged", "\"v0\"", 200},
    [TAGGED_304] = {"/caching/tagged", "\"v7\"", 304},
    [ASKED_200] = {"/caching/asked", "\"v0\"", 200},
    [ASKED_304] = {"/caching/asked", "\"v7\"", 304},
    [LIMIT_429] = {"/refused/hello", "", 429},
};

static const struct {
    const char *what;
    int a, b;
} comparisons[] = {
    {"rate limit / without", LIMIT, PLAIN},
    {"caching, tag computed / without", CACHING, PLAIN},
    {"caching, tag by the handler / without", TAGGED, PLAIN},
    {"both, tag computed / without", BOTH, PLAIN},
    {"both, tag by the handler / without", BOTH_TAGGED, PLAIN},
    {"304 by a computed tag / its 200", CACHING_304, CACHING_200},
    {"304 by the handler's tag / its 200", TAGGED_304, TAGGED_200},
    {"304 that was asked for first / its 200", ASKED_304, ASKED_200},
    {"429 / its 200", LIMIT_429, LIMIT},
};

static void make_request(char out[static 512], int kind, const char *computed)
{
    const char *tag = kinds[kind].tag ? kinds[kind].tag : computed;
    int len = snprintf(out, 512, "GET %s HTTP/1.1\r\nHost: localhost\r\n", kinds[kind].path);
    if (*tag)
        len += snprintf(out + len, 512 - (size_t)len, "If-None-Match: %s\r\n", tag);
    snprintf(out + len, 512 - (size_t)len, "\r\n");
}

static void find_tag(int fd, char tag[static 64])
{
    char request[512], reply[2048];
    make_request(request, CACHING, "");
    exchange(fd, request, strlen(request), reply);
    const char *at = strstr(reply, "ETag: ");
    if (!at || sscanf(at, "ETag: %63s", tag) != 1)
        exit(1);
}

/* The second answer is like all later ones. */
static void check(int fd, const char *request, int kind)
{
    char reply[2048];
    exchange(fd, request, strlen(request), reply);
    exchange(fd, request, strlen(request), reply);
    if (atoi(reply + sizeof "HTTP/1.1") != kinds[kind].status)
        exit(1);
}

/* Ratios within one round, since the machine's speed changes between rounds. */
static double median_ratio(const double *a, const double *b, int count)
{
    double ratios[MAX_ROUNDS];
    for (int i = 0; i < count; i++)
        ratios[i] = a[i] / b[i];
    return median(ratios, (size_t)count);
}

static void run(const int *fds, int rounds)
{
    static double times[KINDS][MAX_ROUNDS];
    char requests[KINDS][512], tag[64];
    find_tag(fds[0], tag);
    for (int kind = 0; kind < KINDS; kind++) {
        make_request(requests[kind], kind, tag);
        check(fds[0], requests[kind], kind);
        measure(fds, requests[kind]);
    }
    for (int round = 0; round < rounds; round++)
        for (int kind = 0; kind < KINDS; kind++)
            times[kind][round] = measure(fds, requests[kind]);
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        printf("%-44s %.3f\n", comparisons[i].what,
               median_ratio(times[comparisons[i].a], times[comparisons[i].b], rounds));
    printf("%-44s %.0f ns\n", "a request without, median", median(times[PLAIN], (size_t)rounds));
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 31, fds[CONNECTIONS];
    svc_app *app = make_app();
    if (rounds < 1 || rounds > MAX_ROUNDS || svc_app_start(app)) {
        fputs(svc_app_errors(app), stderr);
        return 1;
    }
    for (int c = 0; c < CONNECTIONS; c++)
        fds[c] = connect_to(svc_app_address(app, 0));
    run(fds, rounds);
    for (int c = 0; c < CONNECTIONS; c++)
        close(fds[c]);
    svc_app_stop(app);
    svc_app_wait(app);
    svc_app_free(app);
    return 0;
}
