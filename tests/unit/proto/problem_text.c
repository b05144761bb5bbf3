#include <criterion/criterion.h>

#include "libsvc/proto/problem_text.h"

static struct buf out;

static void open_buf(void)
{
    svc__buf_init(&out, 4096);
}

static void close_buf(void)
{
    svc__buf_free(&out);
}

TestSuite(proto_problem_text, .init = open_buf, .fini = close_buf);

static const char *text(void)
{
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    return out.data;
}

Test(proto_problem_text, a_status_alone_is_its_own_title)
{
    svc__problem_text_json(&out, 404, NULL);
    cr_expect_str_eq(text(), "{\"title\":\"Not Found\",\"status\":404}\n");
}

Test(proto_problem_text, a_status_without_words_is_an_error)
{
    svc__problem_text_json(&out, 599, NULL);
    svc__problem_text_plain(&out, 599, NULL);
    cr_expect_str_eq(text(), "{\"title\":\"Error\",\"status\":599}\nError\n");
}

Test(proto_problem_text, a_detail_is_escaped)
{
    svc__problem_text_json(&out, 400, "a \"b\"\n\xff");
    cr_expect_str_eq(text(), "{\"title\":\"Bad Request\",\"status\":400,"
                             "\"detail\":\"a \\\"b\\\"\\n\xef\xbf\xbd\"}\n");
}

Test(proto_problem_text, members_of_ones_own_follow_those_of_the_standard)
{
    const struct problem_text problem = {"https://example.com/p?a=\"b\"", "Mine", 409, "why"};
    svc__problem_text_open(&out, &problem);
    svc__buf_puts(&out, ",\"own\":1");
    svc__problem_text_close(&out);
    cr_expect_str_eq(text(), "{\"type\":\"https://example.com/p?a=\\\"b\\\"\",\"title\":\"Mine\","
                             "\"status\":409,\"detail\":\"why\",\"own\":1}\n");
}

Test(proto_problem_text, plain_text_has_title_and_detail_in_a_line)
{
    svc__problem_text_plain(&out, 503, "later \xff");
    svc__problem_text_plain(&out, 503, NULL);
    cr_expect_str_eq(text(), "Service Unavailable: later \xef\xbf\xbd\nService Unavailable\n");
}
