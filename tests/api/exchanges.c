/* The table of exchanges without sockets: each has the status that it should. */
#include <criterion/criterion.h>

#include "tests/support/exchanges.h"

Test(exchanges, each_has_its_status)
{
    svc_app *app = exchanges_app();
    cr_assert_geq(exchange_count, 60);
    for (size_t i = 0; i < exchange_count; i++) {
        const struct exchange_row *row = &exchange_rows[i];
        svc_test test = SVC_TEST_INIT;
        test.method = row->method;
        test.target = row->target;
        test.headers = row->headers;
        test.body = row->body;
        test.body_len = row->body ? strlen(row->body) : 0;
        svc_reply *reply = svc_app_test(app, &test);
        cr_expect_eq(svc_reply_status(reply), row->status, "%s %s: %d %s", row->method, row->target,
                     svc_reply_status(reply), svc_reply_body(reply, NULL));
        svc_reply_free(reply);
    }
    svc_app_free(app);
}
