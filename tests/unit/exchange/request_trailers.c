/* Fields behind a request's body: which are taken, and when who reads the body sees them. */
#include "libsvc/exchange/request_trailers.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/exchange/body_stream.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"

static struct exchange *x;
static const char *reason;

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    x->request.target.raw = svc__bytes_z("/");
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_request_trailers, .init = open_exchange, .fini = close_exchange);

/* Takes names and values in turn, up to a NULL, whose memory ends with the call. */
static int take(const char *const *texts)
{
    char copies[8][32];
    struct field fields[4];
    size_t count = 0;
    for (; texts[2 * count]; count++) {
        strcpy(copies[2 * count], texts[2 * count]);
        strcpy(copies[2 * count + 1], texts[2 * count + 1]);
        fields[count] =
            (struct field){svc__bytes_z(copies[2 * count]), svc__bytes_z(copies[2 * count + 1])};
    }
    reason = NULL;
    int status = svc__request_trailers_take(x, fields, count, &reason);
    memset(copies, 'z', sizeof copies);
    return status;
}

#define TAKE(...) take((const char *const[]){__VA_ARGS__, NULL})

Test(exchange_request_trailers, are_copies_without_those_that_may_not_be_trailers)
{
    const char *name, *value;
    cr_expect_eq(TAKE("X-A", "1", "Content-Length", "5", "x-b", "", "Host", "b"), 0);
    cr_expect_eq(svc_request_trailer_count(&x->request), 2);
    cr_expect_str_eq(svc_request_trailer(&x->request, "x-a"), "1");
    cr_expect_str_eq(svc_request_trailer(&x->request, "X-B"), "");
    cr_expect_eq(svc_request_trailer(&x->request, "Content-Length"), NULL);
    cr_expect_eq(svc_request_trailer(&x->request, NULL), NULL);
    cr_expect_eq(svc_request_trailer_at(&x->request, 1, &name, &value), 0);
    cr_expect_str_eq(name, "x-b");
    cr_expect_eq(svc_request_trailer_at(&x->request, 2, &name, &value), SVC_ENOTFOUND);
    cr_expect_str_eq(name, "x-b", "outputs stay as they were");
    cr_expect_eq(svc_request_header(&x->request, "X-A"), NULL, "they are none of the head's");
    cr_expect_not(x->close);
}

Test(exchange_request_trailers, are_taken_once)
{
    const char *const none[] = {NULL};
    cr_expect_eq(take(none), 0);
    cr_expect_eq(svc_request_trailer_count(&x->request), 0);
    cr_expect_eq(TAKE("X-A", "1"), 0);
    cr_expect_eq(TAKE("X-A", "2", "X-B", "3"), 0);
    cr_expect_eq(svc_request_trailer_count(&x->request), 1);
    cr_expect_str_eq(svc_request_trailer(&x->request, "X-A"), "1");
}

Test(exchange_request_trailers, what_is_malformed_refuses_the_request_and_its_connection)
{
    cr_expect_eq(TAKE("X A", "1"), 400);
    cr_expect(reason);
    cr_expect(x->close);
    cr_expect_eq(svc_request_trailer_count(&x->request), 0);
    x->close = false;
    cr_expect_eq(TAKE("X-A", "1\n"), 400);
    cr_expect(x->close);
}

Test(exchange_request_trailers, are_within_the_head_s_limits_together_with_it)
{
    hand.config.max_fields = 3;
    cr_expect_eq(TAKE("X-A", "1", "X-A", "2", "X-A", "3"), 0);
    free(atomic_exchange(&x->body.trailers, NULL));
    struct field fields[] = {{svc__bytes_z("Host"), svc__bytes_z("a")}};
    svc__fields_read(&x->request.fields, fields, 1);
    cr_expect_eq(TAKE("X-A", "1", "X-A", "2", "X-A", "3"), 431);
    cr_expect(x->close);
}

Test(exchange_request_trailers, without_memory_the_request_is_refused)
{
    starve_after(0);
    int status = TAKE("X-A", "1");
    cr_expect(starve_end());
    cr_expect_eq(status, 503);
    cr_expect_str_eq(reason, "out of memory");
    cr_expect(x->close);
}

Test(exchange_request_trailers, who_reads_the_body_sees_them_behind_its_end)
{
    struct body_stream stream = {.at_end = false};
    cr_expect_eq(TAKE("X-A", "1"), 0);
    x->body.stream = &stream;
    cr_expect_eq(svc_request_trailer_count(&x->request), 0);
    cr_expect_eq(svc_request_trailer(&x->request, "X-A"), NULL);
    stream.at_end = true;
    cr_expect_str_eq(svc_request_trailer(&x->request, "X-A"), "1");
    x->body.stream = NULL;
}
