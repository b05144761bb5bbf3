/* The layers of a chain as they run: in which order, which of them see what, and where they stop.
 */
#include "libsvc/exchange/layers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/exchange/body_stream.h"
#include "tests/support/hand.h"

/* What a layer is to do in each phase, and what it is called in `calls`. */
struct script {
    const char *name;
    int on_request, on_body, on_response; /* results */
    const char *text;                     /* what a piece becomes; NULL: it stays */
    size_t len;                           /* of that; of a piece that stays, if it is less */
    bool asks;                            /* whether its on_response may wait */
};

static char calls[256];
static struct exchange *x;
static struct chain *chain;
static struct app_worker *const some_worker = (struct app_worker *)(void *)calls;

static void note_call(const svc_layer *layer, const char *phase)
{
    const struct script *script = layer->arg;
    strcat(strcat(calls, script->name), phase);
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    cr_expect_eq(req, &x->request);
    cr_expect_eq(res, &x->response);
    note_call(layer, "> ");
    return ((const struct script *)layer->arg)->on_request;
}

static int on_body(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)res;
    const struct script *script = layer->arg;
    note_call(layer, "=");
    strncat(calls, piece->data, piece->len);
    strcat(calls, " ");
    if (script->text)
        piece->data = script->text;
    if (script->text || script->len < piece->len)
        piece->len = script->len;
    return script->on_body;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res;
    const struct script *script = layer->arg;
    note_call(layer, "< ");
    if (script->asks)
        cr_expect_eq(svc_request_allow_wait(req), x->hurried ? SVC_ESTATE : 0);
    return script->on_response;
}

static const svc_done done = {.size = sizeof done, .bytes_in = 7};

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *given)
{
    (void)req, (void)res;
    cr_expect_eq(given, &done);
    note_call(layer, "! ");
}

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    chain = &hand.plan->apps->fallback.chain;
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_layers, .init = open_exchange, .fini = close_exchange);

/* A layer with all phases. */
static struct script *add_layer(const char *name, unsigned flags)
{
    struct script *script = svc__arena_zalloc(&hand.plan->memory, sizeof *script);
    svc_middleware *middleware = svc__arena_zalloc(&hand.plan->memory, sizeof *middleware);
    script->name = name;
    script->len = SIZE_MAX;
    *middleware = (svc_middleware){.size = sizeof *middleware,
                                   .name = name,
                                   .flags = flags,
                                   .arg = script,
                                   .on_request = on_request,
                                   .on_body = on_body,
                                   .on_response = on_response,
                                   .on_done = on_done};
    hand_layer(hand.plan, chain, middleware);
    return script;
}

/* One without any phase, which changes nothing for the others. */
static void add_nothing(void)
{
    static const svc_middleware nothing = SVC_MIDDLEWARE_INIT;
    hand_layer(hand.plan, chain, &nothing);
}

static void expect_calls(const char *text)
{
    cr_expect_str_eq(calls, text);
    *calls = '\0';
}

/* ---- The way in */

Test(exchange_layers, run_inwards_once_each)
{
    add_layer("a", 0);
    add_nothing();
    add_layer("b", 0);
    cr_expect_eq(svc__layers_request(x), LAYERS_PASSED);
    expect_calls("a> b> ");
    cr_expect_eq(x->passed, 3);
    cr_expect_eq(svc__layers_request(x), LAYERS_PASSED);
    expect_calls("");
}

Test(exchange_layers, one_that_waits_runs_again_and_those_before_do_not)
{
    add_layer("a", 0);
    struct script *waits = add_layer("b", 0);
    add_layer("c", 0);
    waits->on_request = SVC_WAIT;
    cr_expect_eq(svc__layers_request(x), LAYERS_WAIT);
    cr_expect_eq(svc__layers_request(x), LAYERS_WAIT);
    cr_expect_eq(x->passed, 1, "it has not passed");
    cr_expect_eq(x->verdict, SVC_PASS, "nothing is decided");
    waits->on_request = SVC_PASS;
    cr_expect_eq(svc__layers_request(x), LAYERS_PASSED);
    expect_calls("a> b> b> b> c> ");
}

/* Also by what is no verdict at all, which is for the caller to judge. */
Test(exchange_layers, any_verdict_but_these_ends_the_way_in)
{
    static const int verdicts[] = {SVC_ANSWERED, SVC_ENOMEM, 3, 1000, -100000};
    add_layer("a", 0);
    struct script *ends = add_layer("b", 0);
    add_layer("c", 0);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        x->passed = 0;
        ends->on_request = verdicts[i];
        cr_expect_eq(svc__layers_request(x), LAYERS_ENDED);
        cr_expect_eq(x->verdict, verdicts[i]);
        cr_expect_eq(x->passed, 1, "it sees neither the way out nor the end");
        expect_calls("a> b> ");
    }
}

Test(exchange_layers, one_that_blocks_is_left_to_a_worker)
{
    add_layer("a", 0);
    add_layer("b", SVC_BLOCKING);
    add_layer("c", 0);
    cr_expect_eq(svc__layers_request(x), LAYERS_BLOCKED);
    expect_calls("a> ");
    cr_expect_eq(x->passed, 1);
    struct exchange_host worker = {.worker = some_worker};
    x->host = &worker;
    cr_expect_eq(svc__layers_request(x), LAYERS_PASSED);
    expect_calls("b> c> ");
    x->host = x->home;
}

static void *states[3];

static int keep_state(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    void **out = layer->arg;
    *out = layer->state;
    return SVC_PASS;
}

Test(exchange_layers, each_has_its_own_state_in_all_phases)
{
    static const size_t sizes[] = {8, 0, 24};
    svc_middleware middleware[3];
    char block[64];
    for (size_t i = 0; i < 3; i++) {
        middleware[i] = (svc_middleware)SVC_MIDDLEWARE_INIT;
        middleware[i].state_size = sizes[i];
        middleware[i].arg = &states[i];
        middleware[i].on_request = middleware[i].on_response = keep_state;
        hand_layer(hand.plan, chain, &middleware[i]);
    }
    x->layer_state = block;
    cr_assert_eq(svc__layers_request(x), LAYERS_PASSED);
    cr_expect_eq(states[0], block);
    cr_expect_eq(states[1], NULL);
    cr_expect_eq(states[2], block + 16);
    memset(states, 0, sizeof states);
    x->unanswered = x->passed;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    cr_expect_eq(states[0], block);
    cr_expect_eq(states[2], block + 16);
}

/* ---- The body */

static enum layers_end hand_body(const char *text, bool whole, svc_piece *piece)
{
    *piece = (svc_piece){text, strlen(text), whole};
    return svc__layers_body(x, piece, whole);
}

Test(exchange_layers, pieces_and_the_whole_go_to_those_that_want_them)
{
    svc_piece piece;
    add_layer("a", SVC_BODY_PIECES);
    add_nothing();
    add_layer("b", 0);
    add_layer("c", SVC_BODY_PIECES);
    add_layer("d", 0);
    x->passed = 4;
    cr_expect_eq(hand_body("hello", false, &piece), LAYERS_PASSED);
    expect_calls("a=hello c=hello ");
    cr_expect_eq(hand_body("hello", true, &piece), LAYERS_PASSED);
    expect_calls("b=hello ");
    cr_expect_not(x->request.body_changed);
}

Test(exchange_layers, those_further_in_see_what_a_layer_has_made_of_the_body)
{
    svc_piece piece;
    add_layer("a", 0);
    struct script *changes = add_layer("b", 0);
    add_layer("c", 0);
    x->passed = 3;
    changes->text = "other";
    changes->len = 5;
    cr_expect_eq(hand_body("hello", true, &piece), LAYERS_PASSED);
    expect_calls("a=hello b=hello c=other ");
    cr_expect(x->request.body_changed);
    cr_expect_str_eq(piece.data, "other", "and so does the caller");
}

Test(exchange_layers, a_body_that_is_only_shortened_has_changed)
{
    svc_piece piece;
    struct script *cuts = add_layer("a", SVC_BODY_PIECES);
    x->passed = 1;
    cr_expect_eq(hand_body("hello", false, &piece), LAYERS_PASSED);
    cr_expect_not(x->request.body_changed);
    cuts->len = 0;
    cr_expect_eq(hand_body("hello", false, &piece), LAYERS_PASSED);
    cr_expect_eq(piece.len, 0);
    cr_expect(x->request.body_changed);
}

Test(exchange_layers, a_layer_that_refuses_the_body_is_the_last_to_see_it)
{
    svc_piece piece;
    struct script *refuses = add_layer("a", 0);
    add_layer("b", 0);
    x->passed = 2;
    refuses->on_body = SVC_ANSWERED;
    cr_expect_eq(hand_body("hello", true, &piece), LAYERS_ENDED);
    cr_expect_eq(x->verdict, SVC_ANSWERED);
    refuses->on_body = SVC_WAIT;
    cr_expect_eq(hand_body("hello", true, &piece), LAYERS_ENDED, "none can wait here");
    cr_expect_eq(x->verdict, SVC_WAIT);
    expect_calls("a=hello a=hello ");
}

Test(exchange_layers, the_whole_blocks_before_any_has_seen_it_and_pieces_never)
{
    svc_piece piece;
    add_layer("a", 0);
    add_layer("b", SVC_BLOCKING);
    add_layer("c", SVC_BLOCKING | SVC_BODY_PIECES);
    x->passed = 1;
    cr_expect_eq(hand_body("one", true, &piece), LAYERS_PASSED, "the one that blocks is not asked");
    x->passed = 3;
    cr_expect_eq(hand_body("two", true, &piece), LAYERS_BLOCKED);
    cr_expect_eq(hand_body("three", false, &piece), LAYERS_PASSED);
    expect_calls("a=one c=three ");
    struct exchange_host worker = {.worker = some_worker};
    x->host = &worker;
    cr_expect_eq(hand_body("four", true, &piece), LAYERS_PASSED);
    expect_calls("a=four b=four ");
    x->host = x->home;
}

Test(exchange_layers, those_from_the_first_that_sees_the_body_on_are_lent)
{
    struct body_stream stream = {.left = 0};
    add_nothing();
    add_layer("a", 0);
    add_layer("b", SVC_BODY_PIECES);
    add_nothing();
    cr_expect_eq(svc__layers_body_first(x, true), 0, "of none that have passed");
    x->passed = 4;
    cr_expect_eq(svc__layers_body_first(x, true), 1);
    cr_expect_eq(svc__layers_body_first(x, false), 2);
    cr_expect_eq(svc__layers_lent(x), 4, "no layer goes with a handler that has its body whole");
    x->body.stream = &stream;
    cr_expect_eq(svc__layers_lent(x), 2);
    x->passed = 2;
    cr_expect_eq(svc__layers_lent(x), 2, "that one has not passed");
    x->body.stream = NULL;
}

/* ---- The way out */

Test(exchange_layers, run_outwards_over_those_that_have_passed)
{
    add_layer("a", 0);
    add_nothing();
    add_layer("b", 0);
    add_layer("c", 0);
    x->passed = x->unanswered = 3;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("b< a< ");
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("");
    cr_expect_eq(x->response_error, 0);
}

Test(exchange_layers, the_first_failure_on_the_way_out_is_kept_and_the_others_still_run)
{
    add_layer("a", 0)->on_response = SVC_ENOMEM;
    add_layer("b", 0)->on_response = SVC_ETOOBIG;
    add_layer("c", 0)->on_response = 5; /* no failure */
    x->passed = x->unanswered = 3;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("c< b< a< ");
    cr_expect_eq(x->response_error, SVC_ETOOBIG);
}

Test(exchange_layers, one_that_blocks_on_the_way_out_is_still_to_run_or_passed_over)
{
    add_layer("a", 0);
    add_layer("b", SVC_BLOCKING);
    add_layer("c", 0);
    x->passed = x->unanswered = 3;
    cr_expect_eq(svc__layers_response(x), LAYERS_BLOCKED);
    expect_calls("c< ");
    cr_expect_eq(x->unanswered, 2);
    x->hurried = true;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("a< ");
    x->unanswered = 3;
    struct exchange_host worker = {.worker = some_worker};
    x->host = &worker;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("c< b< a< ");
    x->host = x->home;
}

Test(exchange_layers, one_that_waits_on_the_way_out_runs_again_and_not_in_a_hurry)
{
    add_layer("a", 0);
    struct script *waits = add_layer("b", 0);
    waits->on_response = SVC_WAIT;
    add_layer("c", 0);
    x->passed = x->unanswered = 3;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED, "it was not allowed to wait");
    expect_calls("c< b< a< ");
    waits->asks = true;
    x->unanswered = 3;
    cr_expect_eq(svc__layers_response(x), LAYERS_WAIT);
    expect_calls("c< b< ");
    cr_expect_eq(svc__layers_response(x), LAYERS_WAIT);
    expect_calls("b< ");
    x->hurried = true;
    atomic_store(&x->away.wait, WAIT_NONE); /* which a resume has ended */
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("b< a< ");
    cr_expect_eq(x->response_error, 0);
}

Test(exchange_layers, one_does_not_wait_by_what_another_was_allowed)
{
    add_layer("a", 0)->on_response = SVC_WAIT;
    add_layer("b", 0)->asks = true;
    x->passed = x->unanswered = 2;
    cr_expect_eq(svc__layers_response(x), LAYERS_PASSED);
    expect_calls("b< a< ");
    cr_expect_eq(atomic_load(&x->away.wait), WAIT_NONE);
}

Test(exchange_layers, the_end_is_told_outwards_down_to_those_that_are_with_others)
{
    add_layer("a", 0);
    add_nothing();
    add_layer("b", SVC_BLOCKING);
    add_layer("c", 0);
    add_layer("d", 0);
    x->passed = 4;
    svc__layers_done(x, &done, 2);
    expect_calls("c! b! ");
    svc__layers_done(x, &done, 0);
    expect_calls("c! b! a! ");
    svc__layers_done(x, &done, 4);
    svc__layers_done(x, &done, 5);
    expect_calls("");
}
