/* The level by the lateness of the loop, whose turn begins when the test says. */
#include "libsvc/coding/compress.h"

#include <criterion/criterion.h>

#include "libsvc/exchange/exchange.h"
#include "tests/support/hand.h"
#include "tests/support/test_clock.h"

enum { LEVEL = 9, LEVEL_BUSY = 1, BUSY_MS = 100 };

static const uint64_t ms = 1000000;
static int last_level;

static int make_encoder(const svc_sys_coding_aim *aim, void **encoder)
{
    last_level = aim->level;
    *encoder = &last_level;
    return 0;
}

static int reset_encoder(void *encoder, const svc_sys_coding_aim *aim)
{
    (void)encoder;
    last_level = aim->level;
    return 0;
}

static int encode_nothing(void *encoder, svc_sys_coding_step *step, int until)
{
    (void)encoder, (void)until;
    step->input += step->input_len;
    step->input_len = 0;
    return 0;
}

static void free_encoder(void *encoder)
{
    (void)encoder;
}

static const svc_sys_coding coding = {.size = sizeof coding,
                                      .name = "nothing",
                                      .level_least = LEVEL_BUSY,
                                      .level_most = LEVEL,
                                      .level = LEVEL,
                                      .level_busy = LEVEL_BUSY,
                                      .encoder_new = make_encoder,
                                      .encoder_reset = reset_encoder,
                                      .encode = encode_nothing,
                                      .encoder_free = free_encoder};

static int send_text(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "text");
}

/* The level at which a reply is compressed when the turn has begun so long before. */
static int find_level(unsigned busy_ms, uint64_t late_ns, bool known)
{
    static const char *const fields[] = {"Accept-Encoding", "nothing", NULL};
    struct compress_layer layer = {.options = SVC_COMPRESS_INIT, .coder_count = 1};
    layer.options.min_bytes = 0;
    layer.options.busy_ms = busy_ms;
    svc__coder_init(&layer.coders[0], &coding, 0);
    svc__compress_prepare(&layer);
    struct exchange *x = hand_begin(hand.plan, "GET", "/", fields);
    svc_layer given = {.arg = &layer};
    cr_assert_eq(svc_response_text(&x->response, 200, "text"), 0);
    hand.home.turn_ns = known ? test_clock_ns - late_ns : 0;
    cr_assert_eq(layer.middleware.on_response(&x->request, &x->response, &given), 0);
    hand_end(x);
    svc__coder_free(&layer.coders[0]);
    return last_level;
}

Test(coding_compress, the_level_falls_with_the_lateness, .init = hand_open, .fini = hand_close)
{
    hand_route(hand.plan, hand.plan->apps, "GET /", send_text);
    hand_plant(hand.plan);
    test_clock_stop();
    cr_expect_eq(find_level(BUSY_MS, 0, true), LEVEL);
    cr_expect_eq(find_level(BUSY_MS, 50 * ms, true), 5);
    cr_expect_eq(find_level(BUSY_MS, 100 * ms, true), LEVEL_BUSY);
    cr_expect_eq(find_level(BUSY_MS, 10000 * ms, true), LEVEL_BUSY);
    cr_expect_eq(find_level(BUSY_MS, 100 * ms, false), LEVEL, "the lateness is not known");
    cr_expect_eq(find_level(0, 100 * ms, true), LEVEL, "nobody has asked for it");
}
