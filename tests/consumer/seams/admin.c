/* Routes of a program's own on the admin listener: served by a socket while one of them hangs, and
 * tested without one. */
#include <arpa/inet.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc.h>

static sem_t hangs, goes_on;

static int hang(svc_request *req, svc_response *res)
{
    (void)req;
    sem_post(&hangs);
    while (sem_wait(&goes_on))
        continue;
    return svc_response_text(res, 200, "over");
}

static int show(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, (const char *)svc_request_arg(req));
}

static int ask(const char *address, const char *path)
{
    char request[128];
    struct sockaddr_in to;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((unsigned short)atoi(strchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) ||
        send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        exit(2);
    return fd;
}

/* Whether the answer is `status` and ends with `text`. */
static bool read_answer(int fd, const char *status, const char *text)
{
    char reply[65536];
    size_t len = 0;
    ssize_t n;
    while (len < sizeof reply - 1 && (n = recv(fd, reply + len, sizeof reply - 1 - len, 0)) > 0)
        len += (size_t)n;
    close(fd);
    reply[len] = '\0';
    bool good = strstr(reply, status) && strstr(reply, "Cache-Control: no-store") &&
                len >= strlen(text) && !strcmp(reply + len - strlen(text), text);
    if (!good)
        printf("%s\n", reply);
    return good;
}

static svc_app *make_service(void)
{
    static char state[] = "fine";
    svc_config config = SVC_CONFIG_INIT;
    svc_app *app = svc_app_new("admin"), *admin = svc_app_admin(app);
    svc_route route = SVC_ROUTE_INIT;
    config.listen = config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    route.pattern = "GET /hang";
    route.handler = hang;
    svc_app_route(admin, &route);
    route.pattern = "GET /hang/worker";
    route.flags = SVC_BLOCKING;
    svc_app_route(admin, &route);
    svc_app_get(admin, "/state", show, state);
    return app;
}

static bool test_without_sockets(void)
{
    svc_app *app = make_service();
    svc_reply *reply = svc_app_test_get(svc_app_admin(app), "/state");
    bool good = !strcmp(svc_reply_body(reply, NULL), "fine");
    svc_reply_free(reply);
    svc_app_free(app);
    return good;
}

static bool serve_while_routes_hang(void)
{
    svc_app *app = make_service();
    if (svc_app_start(app)) {
        printf("%s", svc_app_errors(app));
        return false;
    }
    const char *address = svc_app_admin_address(app);
    int worker = ask(address, "/hang/worker");
    sem_wait(&hangs);
    bool good = read_answer(ask(address, "/state"), " 200 ", "fine");
    int loop = ask(address, "/hang"), waits;
    sem_wait(&hangs);
    waits = ask(address, "/state");
    good = read_answer(ask(address, "/livez"), " 200 ", "ok\n") && good;
    good = read_answer(ask(address, "/readyz"), " 200 ", "ready\n") && good;
    sem_post(&goes_on);
    sem_post(&goes_on);
    good = read_answer(worker, " 200 ", "over") && good;
    good = read_answer(loop, " 200 ", "over") && good;
    good = read_answer(waits, " 200 ", "fine") && good;
    svc_app_stop(app);
    good = !svc_app_wait(app) && good;
    svc_app_free(app);
    return good;
}

int main(void)
{
    sem_init(&hangs, 0, 0);
    sem_init(&goes_on, 0, 0);
    return !(test_without_sockets() && serve_while_routes_hang());
}
