/*
 * Calls of stores on the event loops of a service under load, a program of its own so that the
 * thread sanitizer sees it: a backend whose thread answers at about the time at which the calls end
 * by their deadlines. Each call has one answer, whichever comes first, also those that are under
 * way when the service stops.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/sys/store.h>

#include "tests/support/client.h"

enum { CLIENTS = 4, REQUESTS = 60, CALLS = 3 };

static _Atomic int wrong;

static void expect_that(bool is_so, const char *claim, long number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%ld)\n", claim, number);
    wrong = 1;
}

/* ---- A backend with a thread that answers */

/* An operation on its way. The thread has it until it is posted to its loop; `op` is the loop's. */
struct ticket {
    struct ticket *next;
    svc_loop *loop;
    svc_sys_store_op *op; /* NULL: forgotten */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct ticket *tickets;
static bool stopping;
static int servers; /* stores that are open */
static pthread_t server;
static _Atomic int begun, ended, forgotten, done;

/* On the ticket's loop. */
static void finish_ticket(void *arg)
{
    struct ticket *ticket = arg;
    svc_sys_store_op *op = ticket->op;
    char *data = op ? svc_sys_store_alloc(op, 5) : NULL;
    free(ticket);
    if (!op)
        return;
    if (data)
        memcpy(data, "value", 5);
    atomic_fetch_add(&done, 1);
    svc_sys_store_done(op);
}

/* Waits for a while, up to twice the time that calls have. */
static void be_slow(unsigned *seed)
{
    struct timespec time = {0, rand_r(seed) % 4000000};
    if (rand_r(seed) % 3)
        nanosleep(&time, NULL);
}

static void *serve(void *arg)
{
    unsigned seed = 1;
    (void)arg;
    pthread_mutex_lock(&lock);
    while (!stopping || tickets) {
        struct ticket *list = tickets;
        tickets = NULL;
        if (!list) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        pthread_mutex_unlock(&lock);
        be_slow(&seed);
        for (struct ticket *next; list; list = next) {
            next = list->next;
            if (svc_loop_post(list->loop, finish_ticket, list))
                free(list); /* the loop has ended, and has forgotten it */
        }
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int open_slow(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                     const char **why)
{
    (void)app, (void)place, (void)arg, (void)why;
    *state = NULL;
    if (servers++ > 0) /* one thread answers for all stores */
        return 0;
    return pthread_create(&server, NULL, serve, NULL) ? SVC_ESYSTEM : 0;
}

static void close_slow(void *state)
{
    (void)state;
    if (--servers > 0)
        return;
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(server, NULL);
}

static void run_slow(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)state, (void)wait_ms;
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = SVC_EUNAVAILABLE;
}

static int begin_slow(void *state, svc_loop *loop, void **loop_state)
{
    (void)state;
    *loop_state = loop;
    atomic_fetch_add(&begun, 1);
    return 0;
}

static void end_slow(void *loop_state)
{
    (void)loop_state;
    atomic_fetch_add(&ended, 1);
}

static bool is_never_answered(const svc_sys_store_op *op)
{
    return op->key[op->space_len] == 'n'; /* "never" */
}

static void submit_slow(void *loop_state, svc_sys_store_op *first)
{
    for (svc_sys_store_op *next, *op = first; op; op = next) {
        next = op->next;
        if (is_never_answered(op))
            continue;
        struct ticket *ticket = malloc(sizeof *ticket);
        if (!ticket)
            abort();
        pthread_mutex_lock(&lock);
        *ticket = (struct ticket){tickets, loop_state, op};
        op->owned = ticket;
        tickets = ticket;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
}

static void forget_slow(void *loop_state, svc_sys_store_op *op)
{
    struct ticket *ticket = op->owned;
    (void)loop_state;
    if (ticket)
        ticket->op = NULL;
    atomic_fetch_add(&forgotten, 1);
}

/* ---- A service that asks it */

static svc_store *store, *patient; /* whose calls end soon, and late */
static _Atomic int made, answered, values, timed_out, cancelled, others;

static void count_answer(const svc_store_answer *answer)
{
    atomic_fetch_add(&answered, 1);
    atomic_fetch_add(answer->error == 0                ? &values
                     : answer->error == SVC_ETIMEDOUT  ? &timed_out
                     : answer->error == SVC_ECANCELLED ? &cancelled
                                                       : &others,
                     1);
    if (!answer->error)
        expect_that(strcmp(answer->value.data, "value") == 0, "the value is whole", 0);
}

static void count_left(const svc_store_answer *answer, void *arg)
{
    (void)arg;
    count_answer(answer);
}

struct asking {
    svc_pending *pending;
    int missing;
};

static void take_part(const svc_store_answer *answer, void *arg)
{
    struct asking *asking = arg;
    count_answer(answer);
    if (--asking->missing > 0)
        return;
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "ok");
    (void)svc_pending_complete(asking->pending, res);
    svc_pending_unref(asking->pending);
}

static int ask_store(svc_request *req, svc_response *res)
{
    struct asking *asking = svc_request_alloc(req, sizeof *asking);
    (void)res;
    if (!asking)
        return SVC_ENOMEM;
    *asking = (struct asking){svc_request_defer(req, NULL, NULL), CALLS};
    for (int i = 0; i < CALLS; i++) {
        static const char *const keys[] = {"race", "value", "never"};
        svc_store *asked = i == 1 ? patient : store;
        expect_that(svc_store_get_then(asked, req, keys[i], take_part, asking) == 0, "made", i);
        atomic_fetch_add(&made, 1);
    }
    /* Whose answer nobody awaits: some are under way at the stop. */
    expect_that(svc_store_get_then(store, NULL, "race", count_left, NULL) == 0, "made", CALLS);
    atomic_fetch_add(&made, 1);
    return 0;
}

static void *send_requests(void *arg)
{
    const char *address = arg;
    struct client *client = client_connect(address);
    if (!client)
        abort();
    for (int i = 0; i < REQUESTS; i++) {
        struct client_reply reply = client_exchange(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_that(reply.status == 200, "a request is answered", reply.status);
        client_reply_free(&reply);
    }
    client_close(client);
    return NULL;
}

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("threads");
    svc_config config = SVC_CONFIG_INIT;
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    config.threads = 3;
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    backend.scheme = "slow";
    backend.waits = 1;
    backend.open = open_slow;
    backend.close = close_slow;
    backend.run = run_slow;
    backend.begin_loop = begin_slow;
    backend.end_loop = end_slow;
    backend.submit = submit_slow;
    backend.forget = forget_slow;
    svc_sys_app_add_store(app, &backend);
    store = svc_store_open(app, "slow:?timeout_ms=2");
    patient = svc_store_open(app, "slow:?timeout_ms=60000");
    svc_app_get(app, "/", ask_store, NULL);
    return app;
}

int main(void)
{
    pthread_t clients[CLIENTS];
    svc_app *app = make_app();
    if (svc_app_start(app)) {
        printf("WRONG: %s\n", svc_app_errors(app));
        return 1;
    }
    char address[64];
    snprintf(address, sizeof address, "%s", svc_app_address(app, 0));
    for (int i = 0; i < CLIENTS; i++)
        if (pthread_create(&clients[i], NULL, send_requests, address))
            abort();
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    svc_app_stop(app);
    expect_that(svc_app_wait(app) == 0, "the service stops in order", 0);
    svc_app_free(app);
    expect_that(made == CLIENTS * REQUESTS * (CALLS + 1), "all calls are made", made);
    expect_that(answered == made, "each call has one answer", answered);
    expect_that(done + forgotten <= made, "no call is ended twice", done + forgotten);
    expect_that(values + timed_out + cancelled == answered, "there is no other error", others);
    expect_that(values >= CLIENTS * REQUESTS, "who is patient has a value", values);
    expect_that(timed_out >= CLIENTS * REQUESTS, "what is never answered ends", timed_out);
    expect_that(begun == ended && begun > 0, "each loop's part has ended", ended);
    return wrong;
}
