/* Handlers and layers that may block. */
#include <criterion/criterion.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

static pthread_t handler_thread;
static sem_t go_on;
static _Atomic int ended;

static int note_thread(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    handler_thread = pthread_self();
    return svc_response_copy(res, 200, "text/plain", body, len);
}

static svc_route blocking(const char *pattern, svc_handler *handler)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = SVC_BLOCKING;
    return route;
}

static svc_app *make(svc_route route)
{
    svc_app *app = svc_app_new("test");
    svc_app_route(app, &route);
    sem_init(&go_on, 0, 0);
    ended = 0;
    return app;
}

Test(worker, a_blocking_route_runs_elsewhere_with_its_body)
{
    svc_app *app = make(blocking("POST /", note_thread));
    svc_reply *reply = svc_app_test_json(app, "POST", "/", "{}");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "{}");
    cr_expect_not(pthread_equal(handler_thread, pthread_self()));
    svc_reply_free(reply);
    svc_app_free(app);
}

static int tell_policy(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_json(res, 200, "{s:i}", "policy", sched_getscheduler(0));
}

/* What `policy` of the thread that calls becomes on a worker. */
static void expect_policy(int policy, const char *on_worker)
{
    static const struct sched_param none = {0};
    cr_assert_eq(sched_setscheduler(0, policy, &none), 0);
    svc_app *app = make(blocking("GET /", tell_policy));
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), on_worker);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(worker, they_are_batch_unless_another_policy_was_chosen)
{
    char batch[32], idle[32];
    snprintf(batch, sizeof batch, "{\"policy\":%d}", SCHED_BATCH);
    snprintf(idle, sizeof idle, "{\"policy\":%d}", SCHED_IDLE);
    expect_policy(SCHED_OTHER, batch);
    expect_policy(SCHED_IDLE, idle);
}

/* Ends a process that asks for a policy, as systemd's SystemCallFilter=~@resources does. */
static void forbid_policies(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setscheduler, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setattr, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setparam, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setpriority, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(worker, no_policy_is_asked_for_under_a_filter)
{
    char usual[32];
    snprintf(usual, sizeof usual, "{\"policy\":%d}", SCHED_OTHER);
    forbid_policies();
    svc_app *app = make(blocking("GET /", tell_policy));
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), usual);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(worker, a_setting_leaves_the_policy_alone)
{
    char usual[32];
    snprintf(usual, sizeof usual, "{\"policy\":%d}", SCHED_OTHER);
    svc_config config = SVC_CONFIG_INIT;
    config.worker_policy = SVC_WORKER_INHERIT;
    svc_app *app = make(blocking("GET /", tell_policy));
    svc_app_configure(app, &config);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), usual);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(worker, other_routes_do_not)
{
    svc_route route = blocking("POST /", note_thread);
    route.flags = 0;
    svc_app *app = make(route);
    svc_reply_free(svc_app_test_json(app, "POST", "/", "{}"));
    cr_expect(pthread_equal(handler_thread, pthread_self()));
    svc_app_free(app);
}

/* ---- Layers, of which the second and the third in order block */

static char trace[512];

struct layer_arg {
    const char *name;
    bool worker; /* where its phases should run */
};

static void note(const svc_layer *layer, const char *phase, bool worker)
{
    const struct layer_arg *arg = layer->arg;
    bool here = pthread_equal(handler_thread, pthread_self());
    size_t len = strlen(trace);
    snprintf(trace + len, sizeof trace - len, "%s %s%s, ", arg->name, phase,
             here == worker ? "!" : "");
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    note(layer, "request", ((const struct layer_arg *)layer->arg)->worker);
    return SVC_PASS;
}

static int on_body(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)res, (void)piece;
    note(layer, "body", true);
    return SVC_PASS;
}

static struct layer_arg outer = {"outer", false}, middle = {"middle", true},
                        inner = {"inner", true};

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    note(layer, "response", layer->arg != &inner);
    return 0;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)req, (void)res, (void)done;
    note(layer, "done", false);
}

#define LAYER(arg, flags)                                                                          \
    {                                                                                              \
        sizeof(svc_middleware), "layer", flags, 8, arg, NULL, NULL, on_request, on_body,           \
            on_response, on_done                                                                   \
    }
static const svc_middleware outer_layer = LAYER(&outer, 0),
                            middle_layer = LAYER(&middle, SVC_BLOCKING),
                            inner_layer = LAYER(&inner, 0);

/* `handler_thread` is this thread here: "!" marks a phase that ran on the wrong side of it. */
static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "answered");
}

Test(worker, a_blocking_layer_takes_along_the_phases_behind_it_each_way)
{
    static const svc_middleware *const layers[] = {&outer_layer, &middle_layer, &inner_layer, NULL};
    svc_route route = blocking("POST /", answer);
    route.flags = 0;
    route.middleware = layers;
    svc_app *app = make(route);
    handler_thread = pthread_self();
    svc_reply *reply = svc_app_test_json(app, "POST", "/", "{}");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(trace, "outer request, middle request, inner request, "
                            "outer body, middle body, inner body, "
                            "inner response, middle response, outer response, "
                            "inner done, middle done, outer done, ");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- A handler that does not come back in time */

static int wait_for_test(svc_request *req, svc_response *res)
{
    while (sem_wait(&go_on))
        continue;
    cr_expect(svc_request_cancelled(req));
    cr_expect_str_eq(svc_request_header(req, "X-Given"), "here");
    cr_expect_not_null(svc_request_alloc(req, 65536));
    svc_response_set_header(res, "X-Late", "1");
    atomic_fetch_add(&ended, 1);
    return svc_response_text(res, 200, "late");
}

static void layer_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                       const svc_done *done)
{
    (void)req, (void)res;
    int *outcome = layer->arg;
    *outcome = (int)done->outcome;
}

/* Until a worker has the request when its deadline passes: when the machine is busy that may be
 * before it is there, which is a 503. */
static svc_reply *ask_until_taken(svc_app *app, const char *target)
{
    const char *const headers[] = {"X-Given", "here", NULL};
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    while (svc_reply_status(reply) == 503) {
        svc_reply_free(reply);
        reply = svc_app_test(app, &test);
    }
    return reply;
}

Test(worker, the_deadline_answers_for_a_handler_that_goes_on)
{
    int outcome = -1;
    const svc_middleware watcher = {
        .size = sizeof watcher, .name = "watcher", .arg = &outcome, .on_done = layer_done};
    const svc_middleware *const layers[] = {&watcher, NULL};
    svc_route route = blocking("/", wait_for_test);
    route.timeout_ms = 20;
    route.middleware = layers;
    svc_app *app = make(route);
    svc_reply *reply = ask_until_taken(app, "/");
    cr_expect_eq(svc_reply_status(reply), 504);
    cr_expect_null(svc_reply_header(reply, "X-Late"));
    cr_expect_eq(outcome, SVC_COMPLETE); /* the 504 was sent */
    cr_expect_eq(ended, 0);
    sem_post(&go_on);
    svc_reply_free(reply);
    svc_app_free(app); /* waits for it */
    cr_expect_eq(ended, 1);
}

/* ---- The queue */

static svc_app *make_small(unsigned queue, unsigned queue_ms)
{
    svc_config config = SVC_CONFIG_INIT;
    config.workers_max = 1;
    config.worker_queue = queue;
    config.worker_queue_ms = queue_ms;
    svc_route route = blocking("/wait", wait_for_test);
    route.timeout_ms = 20;
    svc_app *app = make(route);
    svc_route other = blocking("/", answer);
    svc_app_route(app, &other);
    svc_app_configure(app, &config);
    return app;
}

/* The only worker is left with a request whose deadline has passed. */
static void occupy(svc_app *app)
{
    svc_reply *reply = ask_until_taken(app, "/wait");
    cr_assert_eq(svc_reply_status(reply), 504);
    svc_reply_free(reply);
}

static void expect_busy(svc_app *app)
{
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 503);
    cr_expect_str_eq(svc_reply_header(reply, "Retry-After"), "1");
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
    svc_reply_free(reply);
}

Test(worker, a_full_queue_is_503_at_once)
{
    svc_app *app = make_small(0, 60000);
    occupy(app);
    expect_busy(app);
    sem_post(&go_on);
    svc_app_free(app);
}

Test(worker, who_waits_too_long_in_the_queue_is_503)
{
    svc_app *app = make_small(10, 20);
    occupy(app);
    expect_busy(app);
    sem_post(&go_on);
    svc_app_free(app);
}

/* ---- What a worker has of its own */

static _Atomic int begun, finished;

static int begin(svc_app *app, void *arg, void **state)
{
    (void)app;
    atomic_fetch_add(&begun, 1);
    *state = arg;
    return 0;
}

static void finish(void *state, void *arg)
{
    cr_expect_eq(state, arg);
    atomic_fetch_add(&finished, 1);
}

static int tell_state(svc_request *req, svc_response *res)
{
    const char *state = svc_request_worker(req);
    return svc_response_text(res, 200, state ? state : "(none)");
}

static void expect_body(svc_app *app, const char *target, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    svc_reply_free(reply);
}

Test(worker, each_thread_has_what_its_hook_made_for_the_app_that_answers)
{
    svc_app *app = make(blocking("GET /outer", tell_state)), *mounted = svc_app_new("mounted");
    svc_route route = blocking("GET /", tell_state);
    svc_app_route(mounted, &route);
    svc_app_get(app, "/loop", tell_state, NULL);
    svc_app_each_worker(app, begin, finish, "outer's");
    svc_app_each_worker(mounted, begin, finish, "mounted's");
    svc_app_mount(app, "/in", mounted);
    expect_body(app, "/outer", "outer's");
    expect_body(app, "/in/", "mounted's");
    expect_body(app, "/loop", "(none)");
    svc_app_free(app);
    cr_expect_geq(begun, 2);
    cr_expect_eq(begun, finished);
}

static int begin_not(svc_app *app, void *arg, void **state)
{
    (void)app, (void)arg, (void)state;
    return -1;
}

Test(worker, a_thread_that_cannot_begin_serves_nobody)
{
    svc_config config = SVC_CONFIG_INIT;
    config.worker_queue_ms = 20;
    svc_app *app = make(blocking("GET /", answer));
    svc_app_configure(app, &config);
    svc_app_each_worker(app, begin_not, finish, NULL);
    expect_busy(app);
    svc_app_free(app);
}

Test(worker, hooks_are_registered_once)
{
    svc_app *app = make(blocking("GET /", answer));
    cr_expect_eq(svc_app_each_worker(app, NULL, NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_app_each_worker(app, begin, NULL, NULL), 0);
    cr_expect_eq(svc_app_each_worker(app, begin, NULL, NULL), SVC_ESTATE);
    svc_app_free(app);
}

/* ---- Both */

static void *complete(void *arg)
{
    svc_pending *pending = arg;
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "later");
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
    return NULL;
}

static int defer_on_worker(svc_request *req, svc_response *res)
{
    (void)res;
    pthread_t thread;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    if (!pending || pthread_create(&thread, NULL, complete, pending))
        return SVC_ENOMEM;
    pthread_detach(thread);
    return 0;
}

Test(worker, a_blocking_handler_may_defer_its_answer)
{
    svc_app *app = make(blocking("GET /", defer_on_worker));
    for (int i = 0; i < 200; i++)
        expect_body(app, "/", "later");
    svc_app_free(app);
}

static int fail(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_ESYSTEM;
}

Test(worker, a_failure_is_a_500)
{
    svc_app *app = make(blocking("GET /", fail));
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 500);
    svc_reply_free(reply);
    svc_app_free(app);
}
