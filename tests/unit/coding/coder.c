#include "libsvc/coding/coder.h"

#include <criterion/criterion.h>

#include <svc/errors.h>
#include <svc/response.h>

static int made, reset, freed, reset_error;
static svc_sys_coding_aim last;

static int make_encoder(const svc_sys_coding_aim *aim, void **encoder)
{
    last = *aim;
    *encoder = &made;
    made++;
    return 0;
}

static int reset_encoder(void *encoder, const svc_sys_coding_aim *aim)
{
    (void)encoder;
    last = *aim;
    reset++;
    return reset_error;
}

static void free_encoder(void *encoder)
{
    (void)encoder;
    freed++;
}

static const svc_sys_coding coding = {.size = sizeof coding,
                                      .name = "a",
                                      .level_least = 2,
                                      .level_most = 9,
                                      .level = 6,
                                      .level_busy = 3,
                                      .encoder_new = make_encoder,
                                      .encoder_reset = reset_encoder,
                                      .encoder_free = free_encoder};

static svc_sys_coding_aim aim_at(int level, int light)
{
    return (svc_sys_coding_aim){
        .size = sizeof(svc_sys_coding_aim), .level = level, .light = light, .length = 5};
}

Test(coding_coder, levels_stay_within_the_coding_and_fall_with_the_load)
{
    static const struct {
        int wanted, level;
        unsigned load;
    } rows[] = {{0, 6, 0},  {1, 2, 0},  {9, 9, 0},   {22, 9, 0},   {0, 6, 1},
                {0, 5, 50}, {0, 4, 99}, {0, 3, 100}, {0, 3, 1000}, {2, 2, 100}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct coder coder;
        svc__coder_init(&coder, &coding, rows[i].wanted);
        cr_expect_eq(svc__coder_level(&coder, rows[i].load), rows[i].level, "%zu", i);
    }
}

Test(coding_coder, contexts_serve_again_and_weights_do_not_mix)
{
    struct coder coder;
    void *encoder = NULL;
    svc_sys_coding_aim usual = aim_at(4, 0), light = aim_at(5, 1);
    svc__coder_init(&coder, &coding, 0);
    cr_assert_eq(svc__coder_take(&coder, &usual, &encoder), 0);
    svc__coder_give(&coder, false, encoder);
    cr_assert_eq(svc__coder_take(&coder, &light, &encoder), 0);
    cr_expect_eq(made, 2);
    cr_expect_eq(last.level, 5);
    svc__coder_give(&coder, true, encoder);
    cr_assert_eq(svc__coder_take(&coder, &light, &encoder), 0);
    cr_expect_eq(made, 2);
    cr_expect_eq(reset, 1);
    svc__coder_give(&coder, true, encoder);
    svc__coder_give(&coder, true, NULL);
    svc__coder_free(&coder);
    cr_expect_eq(freed, 2);
}

Test(coding_coder, a_context_that_cannot_be_reset_is_replaced)
{
    struct coder coder;
    void *encoder = NULL;
    svc_sys_coding_aim aim = aim_at(4, 0);
    svc__coder_init(&coder, &coding, 0);
    cr_assert_eq(svc__coder_take(&coder, &aim, &encoder), 0);
    svc__coder_give(&coder, false, encoder);
    reset_error = SVC_ENOMEM;
    cr_assert_eq(svc__coder_take(&coder, &aim, &encoder), 0);
    cr_expect_eq(made, 2);
    cr_expect_eq(freed, 1);
    svc__coder_give(&coder, false, encoder);
    svc__coder_free(&coder);
}
