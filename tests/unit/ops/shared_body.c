#include <criterion/criterion.h>

#include <svc.h>

#include "libsvc/ops/shared_body.h"
#include "tests/unit/base/support.h"

static _Atomic size_t held;

Test(ops_shared_body, is_freed_with_the_last_reply_that_has_it)
{
    struct buf buf;
    svc__shared_body_begin(&buf, 100);
    svc__buf_puts(&buf, "a page");
    cr_expect(svc__bytes_eq_z(svc__shared_body_view(&buf), "a page"));
    struct shared_body *body = svc__shared_body_make(&buf, &held);
    cr_assert(body);
    cr_expect_null(buf.data);
    cr_expect_eq(atomic_load(&held), 6);
    svc_response *first = svc_response_new(), *second = svc_response_new();
    cr_expect_eq(svc__shared_body_answer(body, first, 200, "text/plain"), 0);
    cr_expect_eq(svc__shared_body_answer(body, second, 200, "text/plain"), 0);
    svc__shared_body_unref(body);
    svc_response_free(first);
    cr_expect_eq(atomic_load(&held), 6);
    size_t len;
    const char *data = svc_response_body(second, &len);
    cr_expect(svc__bytes_eq_z(svc__bytes(data, len), "a page"));
    svc_response_free(second);
    cr_expect_eq(atomic_load(&held), 0);
    svc__shared_body_unref(NULL);
}

Test(ops_shared_body, an_answer_that_fails_gives_its_reference_back)
{
    struct buf buf;
    svc__shared_body_begin(&buf, 100);
    struct shared_body *body = svc__shared_body_make(&buf, &held);
    cr_assert(body);
    cr_expect_eq(svc__shared_body_answer(body, NULL, 200, "text/plain"), SVC_ENOMEM);
    svc__shared_body_unref(body);
    cr_expect_eq(atomic_load(&held), 0);
}

Test(ops_shared_body, none_is_made_of_a_buffer_with_an_error)
{
    struct buf buf;
    svc__shared_body_begin(&buf, 3);
    svc__buf_puts(&buf, "abc");
    cr_expect_eq(svc__buf_error(&buf), 0);
    svc__buf_puts(&buf, "d");
    cr_expect_eq(svc__buf_error(&buf), SVC_ETOOBIG);
    cr_expect_null(svc__shared_body_make(&buf, &held));
    cr_expect_null(buf.data);
    cr_expect_eq(atomic_load(&held), 0);
}
