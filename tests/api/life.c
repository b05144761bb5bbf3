/* Apps in a program with a main loop of its own. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc.h>

static int name(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_app_name(svc_request_app(req)));
}

static svc_app *make(const char *app_name)
{
    svc_app *app = svc_app_new(app_name);
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    svc_app_get(app, "/", name, NULL);
    return app;
}

/* The whole answer to one request to the app's first listener. */
static void ask(const svc_app *app, char *answer, size_t size)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const char *address = svc_app_address(app, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    cr_assert_eq(write(fd, request, sizeof request - 1), (ssize_t)sizeof request - 1);
    size_t len = 0;
    for (ssize_t n; (n = read(fd, answer + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    answer[len] = '\0';
    close(fd);
}

static void end(svc_app *app)
{
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    svc_app_free(app);
}

Test(life, two_apps_serve_in_one_process)
{
    char answer[1024];
    svc_app *one = make("one"), *two = make("two");
    cr_assert_eq(svc_app_start(one), 0, "%s", svc_app_errors(one));
    cr_assert_eq(svc_app_start(two), 0, "%s", svc_app_errors(two));
    ask(one, answer, sizeof answer);
    cr_expect(strstr(answer, "\r\n\r\none"), "%s", answer);
    ask(two, answer, sizeof answer);
    cr_expect(strstr(answer, "\r\n\r\ntwo"), "%s", answer);
    end(one);
    ask(two, answer, sizeof answer);
    cr_expect(strstr(answer, "\r\n\r\ntwo"), "%s", answer);
    end(two);
}

Test(life, calls_out_of_order_are_refused)
{
    svc_app *app = make("order");
    cr_expect_eq(svc_app_wait(app), SVC_ESTATE);
    cr_expect_null(svc_app_address(app, 0));
    svc_app_stop(app); /* of no effect before the start */
    cr_assert_eq(svc_app_start(app), 0);
    cr_expect_eq(svc_app_start(app), SVC_ESTATE);
    cr_expect_null(svc_app_address(app, 1));
    cr_expect_null(svc_app_admin_address(app));
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    cr_expect_eq(svc_app_wait(app), SVC_ESTATE);
    cr_expect_eq(svc_app_start(app), SVC_ESTATE);
    svc_app_free(app);
}

Test(life, a_start_that_fails_leaves_nothing_running)
{
    svc_app *first = make("first"), *second = make("second");
    cr_assert_eq(svc_app_start(first), 0);
    svc_config config = SVC_CONFIG_INIT;
    config.listen = svc_app_address(first, 0);
    config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    svc_app_configure(second, &config);
    cr_expect_eq(svc_app_start(second), SVC_ELISTEN);
    cr_expect(strstr(svc_app_errors(second), "Address already in use"));
    cr_expect_null(svc_app_address(second, 0));
    svc_app_free(second);
    end(first);
}

static svc_app *to_stop;

static void on_signal(int signal)
{
    (void)signal;
    svc_app_stop(to_stop);
}

Test(life, a_signal_handler_may_stop_it)
{
    to_stop = make("signal");
    cr_assert_eq(svc_app_start(to_stop), 0);
    signal(SIGUSR1, on_signal);
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_expect_eq(svc_app_wait(to_stop), 0);
    svc_app_free(to_stop);
}

static volatile sig_atomic_t own_signals;

static void count_signal(int signal)
{
    (void)signal;
    own_signals++;
}

static int raise_and_stop(svc_app *app, void *arg)
{
    (void)arg;
    cr_expect_eq(raise(SIGUSR1), 0);
    svc_app_stop(app);
    return 0;
}

/* A hook is called while svc_app_run has the signals. */
Test(life, a_program_keeps_its_own_handler_of_sigusr1)
{
    struct sigaction after;
    svc_app *app = make("handler");
    signal(SIGUSR1, count_signal);
    cr_assert_eq(svc_app_add_hook(app, raise_and_stop, NULL, NULL), 0);
    cr_expect_eq(svc_app_run(app), 0);
    cr_expect_eq(own_signals, 1);
    cr_assert_eq(sigaction(SIGUSR1, NULL, &after), 0);
    cr_expect(after.sa_handler == count_signal);
}

static void *wait_for(void *app)
{
    static int result;
    result = svc_app_wait(app);
    return &result;
}

Test(life, another_thread_may_wait)
{
    svc_app *app = make("thread");
    pthread_t thread;
    void *result;
    cr_assert_eq(svc_app_start(app), 0);
    cr_assert_eq(pthread_create(&thread, NULL, wait_for, app), 0);
    svc_app_stop(app);
    pthread_join(thread, &result);
    cr_expect_eq(*(int *)result, 0);
    svc_app_free(app);
}

Test(life, an_app_that_was_tested_can_still_be_started)
{
    char answer[1024];
    svc_app *app = make("both");
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "both");
    svc_reply_free(reply);
    cr_assert_eq(svc_app_start(app), 0);
    ask(app, answer, sizeof answer);
    cr_expect(strstr(answer, "\r\n\r\nboth"));
    end(app);
}
