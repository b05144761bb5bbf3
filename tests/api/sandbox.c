/* Services in a sandbox that refuses newer system calls, or those that say what a process may use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/sandbox.h"
#include "tests/support/sanitized.h"

/* Calls that the library, or the C library for it, can do without. The last one sets filters. */
static const unsigned calls[] = {
#ifndef SANITIZED /* whose threads ask for it */
    SYS_sched_getaffinity,
#endif
    SYS_openat2,
    SYS_getrandom,
    SYS_sched_getscheduler,
    SYS_sched_setscheduler,
    SYS_madvise,
    SYS_epoll_pwait2,
    SYS_close_range,
    SYS_memfd_create,
    SYS_membarrier,
    SYS_statx,
    SYS_prlimit64,
    SYS_getsockopt,
    SYS_prctl,
};

static void refuse_all(unsigned error)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        sandbox_refuse(calls[i], error);
}

static char folder[] = "/tmp/svc-sandbox-XXXXXX", file[64];

static void make_file(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    FILE *out = fopen(file, "w");
    cr_assert(out);
    fputs("the file", out);
    fclose(out);
}

static void remove_file(void)
{
    cr_expect(!remove(file) && !remove(folder));
}

TestSuite(sandbox, .init = make_file, .fini = remove_file);

static int serve(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_file(res, 200, "text/plain", folder, "./file");
}

static int connect_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void expect_service(unsigned error)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.access_log = 0;
    config.drain_delay_ms = 0;
    svc_app *app = svc_app_new("sandbox");
    svc_app_configure(app, &config);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /";
    route.handler = serve;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    refuse_all(error);
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    int fd = connect_to(svc_app_address(app, 0));
    cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    char reply[16384];
    size_t len = 0;
    for (ssize_t n; (n = recv(fd, reply + len, sizeof reply - 1 - len, 0)) > 0;)
        len += (size_t)n;
    reply[len] = '\0';
    close(fd);
    cr_expect_eq(strncmp(reply, "HTTP/1.1 200", 12), 0, "%.300s", reply);
    cr_expect(strstr(reply, "\r\n\r\nthe file"), "%.300s", reply);
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    svc_app_free(app);
}

Test(sandbox, newer_calls_may_be_missing)
{
    expect_service(ENOSYS);
}

Test(sandbox, newer_calls_may_be_refused)
{
    expect_service(EPERM);
}

/* That the file may not be opened is the sandbox's word, and not that there is none. */
Test(sandbox, a_file_that_a_sandbox_hides_is_not_told_to_be_absent)
{
    svc_app *app = svc_app_new("sandbox");
    svc_app_get(app, "/", serve, NULL);
    svc_reply_free(svc_app_test_get(app, "/none")); /* makes the app ready */
    svc_reply *before = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(before), 200);
    sandbox_refuse(SYS_openat2, EPERM);
    sandbox_refuse(SYS_openat, EPERM);
    svc_reply *after = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(after), 500);
    svc_reply_free(before);
    svc_reply_free(after);
    svc_app_free(app);
}
