#include "libsvc/coding/codings.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/app.h>

#include "libsvc/coding/coding_zlib.h"

static int make_decoder(void **decoder)
{
    *decoder = NULL;
    return 0;
}

static int reset_decoder(void *decoder)
{
    (void)decoder;
    return 0;
}

static int decode_nothing(void *decoder, svc_sys_coding_step *step)
{
    (void)decoder, (void)step;
    return 0;
}

static void free_decoder(void *decoder)
{
    (void)decoder;
}

static svc_sys_coding make_coding(const char *name, int rank)
{
    svc_sys_coding coding = SVC_SYS_CODING_INIT;
    coding.name = name;
    coding.rank = rank;
    coding.decoder_new = make_decoder;
    coding.decoder_reset = reset_decoder;
    coding.decode = decode_nothing;
    coding.decoder_free = free_decoder;
    return coding;
}

static void add(svc_app *app, const char *name, int rank)
{
    svc_sys_coding coding = make_coding(name, rank);
    cr_assert_eq(svc_sys_app_add_coding(app, &coding), 0);
}

static void expect_refused(svc_app *app, svc_sys_coding coding, int error)
{
    cr_expect_eq(svc_sys_app_add_coding(app, &coding), error);
}

Test(coding_codings, lists_those_of_the_app_and_around_it_by_rank)
{
    const svc_sys_coding *list[CODINGS_MAX];
    svc_app *app = svc_app_new("outer"), *inner = svc_app_new("inner");
    char name[] = "low";
    add(app, name, -5);
    memset(name, 'x', 3); /* It was copied. */
    add(app, "high", 500);
    add(inner, "high", 400);
    add(inner, "own", 450);
    cr_assert_eq(svc_app_mount(app, "/inner", inner), 0);
    size_t own = svc__coding_zlib_count;
    cr_assert_eq(svc__codings_list(app, list), 2 + own);
    cr_expect_str_eq(list[0]->name, "high");
    cr_expect_str_eq(list[own + 1]->name, "low");
    cr_assert_eq(svc__codings_list(inner, list), 3 + own);
    cr_expect_str_eq(list[0]->name, "own");
    cr_expect_eq(list[1]->rank, 400);
    cr_expect_eq(svc__codings_find(inner, svc__bytes_z("HIGH")), list[1]);
    cr_expect_str_eq(svc__codings_find(inner, svc__bytes_z("low"))->name, "low");
    cr_expect_null(svc__codings_find(app, svc__bytes_z("own")));
    cr_expect_null(svc__codings_find(app, svc__bytes_z("")));
    cr_expect_null(svc__codings_find(app, svc__bytes_z("identity")));
#ifdef HAVE_ZLIB
    cr_expect_eq(svc__codings_find(app, svc__bytes_z("X-Gzip")), &svc__coding_zlib[0]);
    cr_expect_eq(svc__codings_find(inner, svc__bytes_z("Deflate")), &svc__coding_zlib[1]);
    cr_expect_str_eq(list[2]->name, "gzip");
#endif
    svc_app_free(app);
}

Test(coding_codings, a_coding_must_be_whole)
{
    svc_app *app = svc_app_new("app");
    static const char *const bad[] = {NULL,    "", "identity", "Gzip", "a b", "abcdefghijklmnop",
                                      "x-gzip"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(app, make_coding(bad[i], 1), SVC_EINVAL);
    svc_sys_coding half = make_coding("half", 1);
    half.decoder_reset = NULL;
    expect_refused(app, half, SVC_EINVAL);
    half = make_coding("half", 1);
    half.encoder_free = free_decoder;
    expect_refused(app, half, SVC_EINVAL);
    svc_sys_coding levels = make_coding("levels", 1);
    levels.level = 1;
    expect_refused(app, levels, SVC_EINVAL);
    svc_sys_coding none = SVC_SYS_CODING_INIT;
    none.name = "none";
    expect_refused(app, none, SVC_EINVAL);
    none.size = 8;
    expect_refused(app, none, SVC_EINVAL);
    cr_expect_eq(svc_sys_app_add_coding(app, NULL), SVC_EINVAL);
    cr_expect_eq(svc_sys_app_add_coding(NULL, &none), SVC_ENOMEM);
    svc_app_free(app);
}

Test(coding_codings, a_name_is_taken_once_and_eight_are_enough)
{
    svc_app *app = svc_app_new("app");
    static const char *const names[CODINGS_OWN] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (size_t i = 0; i < CODINGS_OWN; i++)
        add(app, names[i], 1);
    expect_refused(app, make_coding("a", 1), SVC_ESTATE);
    expect_refused(app, make_coding("i", 1), SVC_ETOOBIG);
    svc_app_free(app);
}
