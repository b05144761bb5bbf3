/* The table of exchanges without sockets: each has the status, and the field, that it should. */
#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

#include "tests/support/exchanges.h"

static void expect_field(const struct exchange_row *row, const svc_reply *reply)
{
    const char *name, *value;
    size_t count = 0;
    for (size_t i = 0; !svc_reply_header_at(reply, i, &name, &value); i++)
        count += !strcasecmp(name, row->field);
    cr_expect_eq(count, 1, "%s %s: %zu %s", row->method, row->target, count, row->field);
    value = svc_reply_header(reply, row->field);
    cr_expect_str_eq(value ? value : "", row->value, "%s %s: %s", row->method, row->target, value);
}

Test(exchanges, each_has_its_status_and_field)
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
        test.trailers = row->trailers;
        svc_reply *reply = svc_app_test(app, &test);
        cr_expect_eq(svc_reply_status(reply), row->status, "%s %s: %d %s", row->method, row->target,
                     svc_reply_status(reply), svc_reply_body(reply, NULL));
        if (row->field)
            expect_field(row, reply);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}
