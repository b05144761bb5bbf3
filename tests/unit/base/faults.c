#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/faults.h"

Test(base_faults, each_error_is_a_line_behind_its_place)
{
    struct faults faults;
    svc__faults_init(&faults);
    cr_expect_not(svc__faults_any(&faults));
    cr_expect_str_eq(svc__faults_text(&faults), "");
    svc__faults_add(&faults, "main.c", 7, "the path \"%s\" is bad", "/x");
    svc__faults_add(&faults, NULL, 0, "a hook failed");
    cr_expect_eq(svc__faults_refuse(&faults, SVC_EINVAL, "svc_app_use"), SVC_EINVAL);
    cr_expect(svc__faults_any(&faults));
    const char *text = svc__faults_text(&faults), *last = "a hook failed\nsvc_app_use: ";
    cr_expect(strstr(text, "main.c:7: the path \"/x\" is bad\n") == text, "%s", text);
    cr_expect(strstr(text, last) && strstr(text, svc_error_text(SVC_EINVAL)), "%s", text);
    svc__faults_free(&faults);
}

/* Every error counts as one, whether there was room for it or not. */
Test(base_faults, errors_without_room_are_counted_and_later_short_ones_kept)
{
    enum { LONG = 300000, COUNT = 5 };
    char *filler = malloc(LONG + 1);
    cr_assert_not_null(filler);
    memset(filler, 'x', LONG);
    filler[LONG] = '\0';
    struct faults faults;
    svc__faults_init(&faults);
    for (int i = 0; i < COUNT; i++)
        svc__faults_add(&faults, NULL, 0, "%s", filler);
    svc__faults_add(&faults, NULL, 0, "short");
    const char *end = "\nshort\nerrors for which there was no room: 2\n";
    for (int read = 0; read < 2; read++) {
        const char *text = svc__faults_text(&faults);
        size_t len = strlen(text);
        cr_assert_eq(len, 3 * (LONG + 1) + strlen(end) - 1);
        cr_expect_str_eq(text + len - strlen(end), end);
    }
    svc__faults_free(&faults);
    free(filler);
}

Test(base_faults, what_is_joined_moves_and_later_errors_go_to_the_outermost)
{
    struct faults outer, middle, inner;
    svc__faults_init(&outer);
    svc__faults_init(&middle);
    svc__faults_init(&inner);
    svc__faults_add(&inner, NULL, 0, "first");
    svc__faults_join(&inner, &middle, "users");
    svc__faults_join(&middle, &outer, "all");
    svc__faults_add(&inner, NULL, 0, "second");
    cr_expect_not(svc__faults_any(&inner));
    cr_expect_not(svc__faults_any(&middle));
    cr_expect_str_eq(svc__faults_text(&outer), "app \"all\":\napp \"users\":\nfirst\nsecond\n");
    svc__faults_free(&inner);
    svc__faults_free(&middle);
    svc__faults_free(&outer);
}
