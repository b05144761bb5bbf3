/* Answers that come later, from this thread or another. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include <svc.h>

/* What a test's handler does with its reference, on a thread of its own. */
static void *(*later)(void *pending);
static pthread_t thread;
static svc_pending *kept;
static sem_t reached;
static _Atomic int cancels, ends;
static _Atomic int last_error;

static void cancelled(svc_pending *pending, void *arg)
{
    (void)pending;
    atomic_fetch_add((_Atomic int *)arg, 1);
    sem_post(&reached);
}

static int defer(svc_request *req, svc_response *res)
{
    svc_response_set_header(res, "X-Handler", "kept");
    svc_pending *pending = svc_request_defer(req, cancelled, &cancels);
    if (!pending)
        return SVC_ENOMEM;
    kept = pending;
    if (later)
        pthread_create(&thread, NULL, later, pending);
    return 0;
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    svc_response_set_header(res, "X-Layer", "request");
    svc_response_set_header(res, "X-Both", "layer");
    return SVC_PASS;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    return svc_response_set_header(res, "X-Out", "seen");
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)req, (void)res, (void)layer, (void)done;
    atomic_fetch_add(&ends, 1);
}

static const svc_middleware layer = {.size = sizeof layer,
                                     .name = "layer",
                                     .on_request = on_request,
                                     .on_response = on_response,
                                     .on_done = on_done};

static svc_app *make(unsigned timeout_ms, void *(*then)(void *pending))
{
    static const svc_middleware *const layers[] = {&layer, NULL};
    svc_app *app = svc_app_new("test");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/later/{what}";
    route.handler = defer;
    route.timeout_ms = timeout_ms;
    route.middleware = layers;
    svc_app_route(app, &route);
    later = then;
    cancels = ends = 0;
    sem_init(&reached, 0, 0);
    return app;
}

static void *give(svc_pending *pending, svc_response *res)
{
    atomic_store(&last_error, svc_pending_complete(pending, res));
    svc_pending_unref(pending);
    return NULL;
}

static void *answer(void *pending)
{
    svc_response *res = svc_response_new();
    svc_response_set_header(res, "X-Both", "handler");
    svc_response_set_header(res, "X-Own", "here");
    svc_response_text(res, 201, svc_request_param(svc_pending_request(pending), "what"));
    return give(pending, res);
}

/* Asks, and waits for the thread that answers. */
static svc_reply *ask(svc_app *app, const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    pthread_join(thread, NULL);
    return reply;
}

/* The same for an app of its own, of which only the status counts. */
static void expect_status(void *(*then)(void *pending), int status)
{
    svc_app *app = make(0, then);
    svc_reply *reply = ask(app, "/later/x");
    cr_expect_eq(svc_reply_status(reply), status);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(pending, any_thread_answers_with_a_response_of_its_own)
{
    svc_app *app = make(0, answer);
    svc_reply *reply = ask(app, "/later/tea");
    cr_expect_eq(last_error, 0);
    cr_expect_eq(svc_reply_status(reply), 201);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "tea");
    cr_expect_str_eq(svc_reply_header(reply, "X-Layer"), "request");
    cr_expect_str_eq(svc_reply_header(reply, "X-Both"), "handler");
    cr_expect_str_eq(svc_reply_header(reply, "X-Own"), "here");
    cr_expect_str_eq(svc_reply_header(reply, "X-Out"), "seen");
    cr_expect_str_eq(svc_reply_header(reply, "X-Handler"), "kept");
    cr_expect_eq(ends, 1);
    cr_expect_eq(cancels, 0);
    svc_reply_free(reply);
    svc_app_free(app);
}

static void *answer_problem(void *pending)
{
    svc_response *res = svc_response_new();
    svc_response_problem(res, 409, "two at once");
    return give(pending, res);
}

Test(pending, a_problem_is_json)
{
    svc_app *app = make(0, answer_problem);
    svc_reply *reply = ask(app, "/later/x");
    cr_expect_eq(svc_reply_status(reply), 409);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
    svc_reply_free(reply);
    svc_app_free(app);
}

static int64_t read_three(void *state, char *data, size_t len)
{
    int *left = state;
    if (*left == 0 || len == 0)
        return 0;
    *data = (char)('0' + (*left)--);
    return 1;
}

static void *answer_source(void *pending)
{
    static int left = 3;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_three;
    source.state = &left;
    svc_response *res = svc_response_new();
    svc_response_source(res, 200, "text/plain", &source);
    return give(pending, res);
}

Test(pending, the_answer_may_be_a_stream)
{
    svc_app *app = make(0, answer_source);
    svc_reply *reply = ask(app, "/later/x");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "321");
    svc_reply_free(reply);
    svc_app_free(app);
}

static void *answer_file(void *pending)
{
    svc_response *res = svc_response_new();
    svc_response_file(res, 200, "text/plain", NULL, "/proc/self/no-such-file");
    return give(pending, res);
}

Test(pending, the_answer_may_be_a_file)
{
    expect_status(answer_file, 404);
}

static void *answer_nothing(void *pending)
{
    return give(pending, svc_response_new());
}

Test(pending, a_response_without_an_answer_is_a_500)
{
    expect_status(answer_nothing, 500);
    cr_expect_eq(last_error, SVC_EINVAL);
}

static void *drop(void *pending)
{
    svc_pending_unref(pending);
    return NULL;
}

Test(pending, when_nobody_can_answer_any_more_it_is_a_500_at_once)
{
    expect_status(drop, 500);
    cr_expect_eq(cancels, 0);
}

Test(pending, a_missing_answer_is_504_at_the_deadline_and_a_late_one_harmless)
{
    svc_app *app = make(30, NULL);
    svc_reply *reply = svc_app_test_get(app, "/later/x");
    cr_expect_eq(svc_reply_status(reply), 504);
    cr_expect_str_eq(svc_reply_header(reply, "X-Out"), "seen");
    cr_expect_eq(ends, 1);
    cr_expect_eq(cancels, 1);
    svc_request *req = svc_pending_request(kept);
    cr_expect(svc_request_cancelled(req));
    cr_expect_str_eq(svc_request_param(req, "what"), "x");
    cr_expect_not_null(svc_request_alloc(req, 100000));
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "late");
    cr_expect_eq(svc_pending_complete(kept, res), SVC_ELATE);
    svc_pending_unref(kept);
    svc_reply_free(reply);
    svc_app_free(app);
    cr_expect_eq(ends, 1);
}

enum { RACERS = 8 };
static _Atomic int wins;

static void *race(void *pending)
{
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "won");
    int error = svc_pending_complete(pending, res);
    cr_expect(error == 0 || error == SVC_ELATE);
    atomic_fetch_add(&wins, error == 0);
    svc_pending_unref(pending);
    return NULL;
}

static void *race_all(void *arg)
{
    svc_pending *pending = arg;
    pthread_t racers[RACERS];
    for (size_t i = 0; i < RACERS; i++)
        pthread_create(&racers[i], NULL, race, svc_pending_ref(pending));
    svc_pending_unref(pending);
    for (size_t i = 0; i < RACERS; i++)
        pthread_join(racers[i], NULL);
    return NULL;
}

Test(pending, of_many_answers_the_first_wins)
{
    svc_app *app = make(0, race_all);
    for (int round = 1; round <= 200; round++) {
        svc_reply *reply = ask(app, "/later/x");
        cr_assert_eq(svc_reply_status(reply), 200);
        cr_assert_eq(wins, round);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* Deadlines of a few milliseconds meet answers that take as long. */
static void *answer_about_now(void *pending)
{
    static _Atomic unsigned turn;
    struct timespec pause = {0, 8000000 + (long)(atomic_fetch_add(&turn, 1) % 16) * 250000};
    nanosleep(&pause, NULL);
    return answer(pending);
}

Test(pending, answers_and_deadlines_may_meet)
{
    svc_app *app = make(10, answer_about_now);
    for (int round = 0; round < 100; round++) {
        svc_reply *reply = ask(app, "/later/tea");
        int status = svc_reply_status(reply);
        cr_expect(status == 201 || status == 504, "%d", status);
        cr_expect_eq(last_error, status == 201 ? 0 : SVC_ELATE);
        svc_reply_free(reply);
    }
    svc_app_free(app);
    cr_expect_eq(ends, 100);
}

static int defer_and_fail(svc_request *req, svc_response *res)
{
    (void)res;
    kept = svc_request_defer(req, NULL, NULL);
    cr_expect_not_null(kept);
    cr_expect_null(svc_request_defer(req, NULL, NULL), "deferred twice");
    return SVC_ENOMEM;
}

Test(pending, a_handler_that_fails_after_all_is_answered_at_once)
{
    svc_app *app = svc_app_new("test");
    svc_app_get(app, "/", defer_and_fail, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 500);
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "late");
    cr_expect_eq(svc_pending_complete(kept, res), SVC_ELATE);
    svc_pending_unref(kept);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int defer_and_answer(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    if (!pending)
        return SVC_ENOMEM;
    answer_problem(pending);
    return 0;
}

Test(pending, the_answer_may_come_before_the_handler_returns)
{
    svc_app *app = svc_app_new("test");
    svc_app_get(app, "/", defer_and_answer, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 409);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int defer_body(svc_request *req, svc_response *res)
{
    (void)res;
    kept = svc_request_defer(req, NULL, NULL);
    return kept && !pthread_create(&thread, NULL, later, kept) ? 0 : SVC_ENOMEM;
}

static void *echo(void *pending)
{
    size_t len;
    const char *body = svc_request_body(svc_pending_request(pending), &len);
    svc_response *res = svc_response_new();
    svc_response_copy(res, 200, "text/plain", body, len);
    return give(pending, res);
}

Test(pending, the_body_stays_readable)
{
    svc_app *app = svc_app_new("test");
    svc_app_post(app, "/", defer_body, NULL);
    later = echo;
    svc_reply *reply = svc_app_test_json(app, "POST", "/", "[1, 2, 3]");
    pthread_join(thread, NULL);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "[1, 2, 3]");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(pending, responses_can_be_freed_unused)
{
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "for nobody");
    svc_response_free(res);
    svc_response_free(NULL);
    svc_pending_unref(NULL);
}
