/* Exchanges that others have: what is copied before, who is woken, and which hold ends by what. */
#include "libsvc/exchange/away.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/metrics/metric.h"
#include "libsvc/run/workers.h"
#include "tests/support/hand.h"

static struct exchange *x;
static char method[] = "PUT", names[2][8] = {"Host", "X-A"}, values[2][8] = {"a.b", ""};

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    x->request.method = svc__bytes_z(method);
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_away, .init = open_exchange, .fini = close_exchange);

/* ---- Leaving */

static void set_fields(struct field *fields)
{
    for (size_t i = 0; i < 2; i++)
        fields[i] = (struct field){svc__bytes_z(names[i]), svc__bytes_z(values[i])};
    svc__fields_read(&x->request.fields, fields, 2);
}

Test(exchange_away, takes_along_the_head_that_lies_in_the_host_s_memory)
{
    struct field fields[2];
    set_fields(fields);
    cr_assert_eq(svc__away_prepare(x, 3), 0);
    memset(fields, 0, sizeof fields);
    memset(method, 'z', 3);
    memset(names, 'z', sizeof names);
    memset(values, 'z', sizeof values);
    cr_expect(svc__bytes_eq_z(x->request.method, "PUT"));
    cr_expect_str_eq(x->request.method.data, "PUT");
    cr_expect_str_eq(svc_request_header(&x->request, "Host"), "a.b");
    cr_expect_str_eq(svc_request_header(&x->request, "x-a"), "", "an empty value is there");
    cr_expect_str_eq(svc__fields_value(&x->request.fields, FIELD_HOST).data, "a.b");
    cr_expect_eq(x->away.lent.from, 3);
}

Test(exchange_away, is_prepared_once_and_lent_anew_each_time)
{
    struct field fields[2];
    static const svc_key key = {"key"};
    static char value;
    set_fields(fields);
    cr_assert_eq(svc__away_prepare(x, 3), 0);
    const struct field *list = x->request.fields.list;
    cr_expect_eq(x->away.lent.values, NULL);
    cr_assert_eq(svc_request_set(&x->request, &key, &value), 0);
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__away_prepare(x, 1), 0, "it needs no more memory");
    cr_expect_eq(x->request.fields.list, list);
    cr_expect_eq(x->away.lent.from, 1);
    cr_expect_eq(x->away.lent.values, x->request.values);
}

Test(exchange_away, without_memory_nothing_is_lent)
{
    struct field fields[2];
    set_fields(fields);
    x->away.lent.from = 9;
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__away_prepare(x, 3), SVC_ENOMEM);
    cr_expect_eq(x->away.lent.from, 9);
    cr_expect_eq(x->request.method.data, method);
    cr_expect_eq(x->request.fields.list, fields);
    x->away.parked = NEWS_LAYER;
    cr_expect_not(svc__away_replaceable(x), "whoever has it may be reading the head");
    x->away.out = true;
    cr_expect(svc__away_replaceable(x));
    x->away.out = false;
    x->away.parked = 0;
    cr_expect(svc__away_replaceable(x));
}

Test(exchange_away, the_worker_of_one_that_waits_again_leaves_what_the_home_has_lent_alone)
{
    struct exchange_host worker = {.worker = (struct app_worker *)(void *)method};
    cr_assert_eq(svc__away_prepare(x, 3), 0);
    x->host = &worker;
    cr_assert_eq(svc__away_prepare(x, 5), 0);
    cr_expect_eq(x->away.lent.from, 3);
    cr_expect_eq(x->away.lent_on.from, 5);
    x->away.out = true;
    svc__away_hold(x);
    x->away.parked = NEWS_ANSWER;
    svc__away_report(x, NEWS_WORK);
    svc__away_news(x);
    cr_expect_eq(x->away.lent.from, 5, "the home takes it over when the worker has returned");
    cr_expect_eq(x->host, x->home);
    cr_expect_not(x->away.out);
    cr_expect_eq(hand.news, 0, "it waits still");
    cr_expect(svc__away_is(x));
}

/* ---- Coming back */

/* Waits for one kind of news, with a hold for it. */
static void park(unsigned news)
{
    x->away.parked = news;
    svc__away_hold(x);
}

Test(exchange_away, a_hold_keeps_it_and_counts_at_its_home)
{
    svc__away_hold(x);
    svc__away_hold(x);
    cr_expect_eq(hand.home.away, 2);
    cr_expect_eq(x->refs, 3);
    svc__away_drop(x);
    svc__exchange_unref(x);
    cr_expect_eq(hand.home.away, 1);
    cr_expect_eq(x->refs, 1, "that hold is the last");
    atomic_fetch_add(&x->refs, 1);
    svc__away_drop(x);
    cr_expect_eq(hand.home.away, 0);
}

Test(exchange_away, its_home_is_woken_once_for_all_that_is_told_until_it_looks)
{
    park(NEWS_LAYER);
    svc__away_hold(x);
    svc__away_report(x, NEWS_LAYER);
    svc__away_report(x, NEWS_WRITER);
    svc__away_report(x, NEWS_ANSWER);
    cr_expect_eq(hand.wakes, 1);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0, "the answer has no hold");
    cr_expect_eq(hand.news, 1);
    svc__away_hold(x);
    svc__away_report(x, NEWS_WRITER);
    cr_expect_eq(hand.wakes, 2);
    svc__away_news(x);
    cr_expect_eq(hand.news, 1, "nobody waits for that");
}

Test(exchange_away, each_wake_of_a_stream_ends_its_own_hold)
{
    for (int i = 0; i < 3; i++) {
        svc__away_hold(x);
        svc__away_report(x, NEWS_STREAM);
    }
    cr_expect_eq(hand.wakes, 1);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(x->refs, 1);
    cr_expect_eq(hand.news, 1, "it may have made room, or something to send");
}

Test(exchange_away, only_what_it_waits_for_has_it_go_on)
{
    park(NEWS_ANSWER | NEWS_DROPPED);
    svc__away_hold(x);
    svc__away_report(x, NEWS_STREAM);
    svc__away_news(x);
    cr_expect_eq(x->away.parked, NEWS_ANSWER | NEWS_DROPPED);
    svc__away_report(x, NEWS_DROPPED);
    svc__away_news(x);
    cr_expect_eq(x->away.parked, 0);
    cr_expect_not(svc__away_is(x));
    cr_expect_eq(hand.news, 2);
}

/* The answer may be there before the worker has returned that has deferred it. */
Test(exchange_away, news_that_come_too_early_are_kept)
{
    x->away.out = true;
    svc__away_hold(x);
    x->away.parked = NEWS_ANSWER | NEWS_DROPPED;
    svc__away_report(x, NEWS_ANSWER);
    svc__away_news(x);
    cr_expect(svc__away_is(x));
    cr_expect_eq(hand.news, 0, "a worker has it");
    svc__away_report(x, NEWS_WORK);
    svc__away_news(x);
    cr_expect_not(svc__away_is(x));
    cr_expect_eq(hand.news, 1);
    cr_expect_eq(x->away.arrived, 0, "what has arrived counts once");
    x->away.parked = NEWS_ANSWER;
    svc__away_hold(x);
    svc__away_report(x, NEWS_WRITER);
    svc__away_news(x);
    cr_expect(svc__away_is(x));
}

static void note_end(struct exchange *ended)
{
    cr_expect_eq(ended, x);
    hand.logged++;
}

Test(exchange_away, one_that_is_given_up_ends_with_its_last_hold_and_is_nobody_s)
{
    park(NEWS_LAYER);
    x->away.given_up = SVC_TIMED_OUT;
    x->away.end = note_end;
    svc__exchange_unref(x);
    cr_expect_eq(hand.logged, 0);
    svc__away_report(x, NEWS_LAYER);
    svc__away_news(x);
    cr_expect_eq(hand.logged, 1);
    cr_expect_eq(hand.news, 0);
    x = NULL;
}

static void expect_lent(struct exchange *ended)
{
    cr_expect_eq(ended->away.lent.from, 1, "the layers that stand with the other have ended there");
    hand.logged++;
}

/* The layers from `lent` on are its own to end, whatever its worker has lent on since. */
Test(exchange_away, one_that_is_given_up_keeps_what_its_home_had_lent)
{
    cr_assert_eq(svc__away_prepare(x, 1), 0);
    x->away.out = true;
    svc__away_hold(x);
    x->away.lent_on.from = 5;
    x->away.parked = NEWS_ANSWER;
    x->away.given_up = SVC_TIMED_OUT;
    x->away.end = expect_lent;
    svc__exchange_unref(x);
    svc__away_report(x, NEWS_WORK);
    svc__away_news(x);
    cr_expect_eq(hand.logged, 1);
    x = NULL;
}

/* ---- A layer that waits */

Test(exchange_away, is_resumed_once_and_only_while_a_layer_waits)
{
    cr_expect_eq(svc_request_resume(&x->request), SVC_ESTATE);
    cr_expect_eq(hand.wakes, 0);
    x->away.wait = WAIT_PENDING;
    park(NEWS_LAYER);
    cr_expect_eq(svc_request_resume(&x->request), 0);
    cr_expect_eq(svc_request_resume(&x->request), SVC_ESTATE, "it was resumed already");
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(hand.news, 1);
}

Test(exchange_away, is_resumed_too_late_once)
{
    x->away.wait = WAIT_ABANDONED;
    svc__away_hold(x);
    cr_expect_eq(svc_request_resume(&x->request), SVC_ELATE);
    cr_expect_eq(svc_request_resume(&x->request), SVC_ESTATE);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0, "its hold ended all the same");
}

/* ---- Workers */

static sem_t may_end, has_run; /* of work that keeps the worker busy */
static void await(sem_t *sem)
{
    while (sem_wait(sem))
        continue;
}

static const struct exchange_host *ran_at;

static enum exchange_step run_at_worker(struct exchange *taken)
{
    ran_at = taken->host;
    return EXCHANGE_WAIT;
}

static enum exchange_step run_otherwise(struct exchange *taken)
{
    ran_at = taken->host;
    return EXCHANGE_REPLY;
}

static void block_worker(struct work *work, void *state)
{
    (void)work, (void)state;
    sem_post(&has_run);
    await(&may_end);
}

/* Has the only worker busy until `may_end`. */
static void occupy(struct work *work)
{
    sem_init(&may_end, 0, 0);
    sem_init(&has_run, 0, 0);
    *work = (struct work){.run = block_worker};
    cr_assert_eq(svc__workers_submit(hand.plan->workers, work), 0);
    await(&has_run);
}

Test(exchange_away, a_worker_runs_it_at_its_own_home_and_gives_it_back)
{
    hand_open_workers(1);
    x->away.parked = NEWS_STREAM; /* that is over now */
    cr_assert_eq(svc__away_work(x, run_at_worker, run_otherwise, 2), 0);
    cr_expect(x->away.out);
    cr_expect(svc__away_is(x));
    cr_expect_eq(x->away.lent.from, 2);
    hand_await_wakes(1);
    cr_expect_not(svc__away_withdraw(x), "a worker has begun");
    svc__away_news(x);
    cr_expect_eq(ran_at, &hand.worker);
    cr_expect_eq(x->host, &hand.home);
    cr_expect_not(svc__away_is(x));
    cr_expect_eq(hand.news, 1);
    hand_close_workers();
}

Test(exchange_away, what_no_worker_has_begun_with_is_taken_back)
{
    struct work busy;
    hand_open_workers(1);
    occupy(&busy);
    cr_assert_eq(svc__away_work(x, run_at_worker, run_otherwise, 0), 0);
    cr_expect_eq(x->refs, 2);
    cr_expect(svc__away_withdraw(x));
    cr_expect_not(x->away.out);
    cr_expect_eq(x->refs, 1);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_not(svc__away_withdraw(x), "it is not in there any more");
    sem_post(&may_end);
    hand_close_workers();
    cr_expect_eq(ran_at, NULL);
}

Test(exchange_away, a_full_queue_leaves_it_at_home)
{
    struct work busy, queued = {.run = block_worker};
    hand_open_workers(1);
    occupy(&busy);
    cr_assert_eq(svc__workers_submit(hand.plan->workers, &queued), 0);
    cr_expect_eq(svc__away_work(x, run_at_worker, run_otherwise, 0), SVC_EAGAIN);
    cr_expect_not(svc__away_is(x));
    cr_expect_eq(x->refs, 1);
    cr_expect_eq(hand.home.away, 0);
    sem_post(&may_end);
    sem_post(&may_end);
    hand_close_workers();
}

Test(exchange_away, without_memory_it_does_not_go_to_a_worker)
{
    struct field fields[2];
    hand_open_workers(1);
    set_fields(fields);
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__away_work(x, run_at_worker, run_otherwise, 0), SVC_ENOMEM);
    cr_expect_not(x->away.out);
    cr_expect_eq(x->refs, 1);
    hand_close_workers();
}

/* The queue has taken it, and the thread that is to do it cannot begin. */
Test(exchange_away, where_no_worker_can_be_had_its_home_does_the_other_thing)
{
    x->next = run_at_worker;
    x->away.otherwise = run_otherwise;
    hand_open_workers(1);
    struct work busy;
    occupy(&busy);
    cr_assert_eq(svc__away_work(x, run_at_worker, run_otherwise, 0), 0);
    cr_assert(svc__workers_withdraw(hand.plan->workers, &x->away.work));
    x->away.work.run(&x->away.work, NULL); /* as the pool does then */
    cr_expect_eq(x->next, run_otherwise);
    cr_expect_eq(x->host, &hand.home);
    svc__away_news(x);
    cr_expect_not(svc__away_is(x));
    cr_expect_eq(hand.news, 1);
    sem_post(&may_end);
    hand_close_workers();
    cr_expect_eq(ran_at, NULL);
}

/* Layers count on the worker, for which it needs cells of its own. */
Test(exchange_away, a_worker_without_cells_for_layers_that_count_does_not_begin)
{
    struct metrics *metrics = svc__metrics_new();
    struct metric_cells *all[METRIC_BLOCKS_MAX];
    hand.plan->metrics = metrics;
    for (size_t i = 0; i < METRIC_BLOCKS_MAX; i++)
        all[i] = svc__metric_cells_new(metrics);
    cr_assert(all[METRIC_BLOCKS_MAX - 1]);
    hand.plan->apps->fallback.chain.blocks = true;
    hand_open_workers(1);
    cr_assert_eq(svc__away_work(x, run_at_worker, run_otherwise, 0), 0);
    hand_await_wakes(1);
    svc__away_news(x);
    cr_expect_eq(x->next, run_otherwise);
    svc__metric_cells_release(metrics, all[0]);
    cr_assert_eq(svc__away_work(x, run_at_worker, run_otherwise, 0), 0);
    hand_await_wakes(2);
    svc__away_news(x);
    cr_expect_eq(ran_at, &hand.worker);
    cr_expect(hand.worker.cells, "and keeps them");
    hand_close_workers();
    svc__metrics_free(metrics);
}
