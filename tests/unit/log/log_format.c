#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/log/log_format.h"

#define TIME "2026-11-24T02:44:46.123456Z"

static svc_log_record record_of(const char *message, const svc_kv *items)
{
    return (svc_log_record){.size = sizeof(svc_log_record),
                            .time_us = UINT64_C(1795488286123456),
                            .level = SVC_LEVEL_WARN,
                            .app = "notes",
                            .module = "store",
                            .message = message,
                            .file = "",
                            .request_id = "",
                            .trace_id = "",
                            .span_id = "",
                            .route = "",
                            .items = items};
}

static void expect_line(enum svc_log_format format, const svc_log_record *record,
                        const char *expected)
{
    struct buf line;
    svc__buf_init(&line, 65536);
    svc__log_format_line(format, &line, record);
    svc__buf_terminate(&line);
    cr_assert_eq(svc__buf_error(&line), 0);
    cr_expect_str_eq(line.data, expected);
    svc__buf_free(&line);
}

static void expect_item(svc_kv item, const char *json, const char *pair)
{
    char expected[256];
    const svc_kv items[] = {item, SVC_KV_END};
    svc_log_record record = record_of("m", items);
    snprintf(expected, sizeof expected,
             "{\"time\":\"" TIME "\",\"level\":\"warn\",\"app\":\"notes\",\"msg\":\"m\",%s,"
             "\"module\":\"store\"}",
             json);
    expect_line(SVC_LOG_JSON, &record, expected);
    snprintf(expected, sizeof expected, "time=" TIME " level=warn app=notes msg=m module=store %s",
             pair);
    expect_line(SVC_LOG_LOGFMT, &record, expected);
    snprintf(expected, sizeof expected, TIME " WARN  store: m %s", pair);
    expect_line(SVC_LOG_TEXT, &record, expected);
}

Test(log_format, items_of_every_kind)
{
    expect_item(svc_kv_str("k", "v"), "\"k\":\"v\"", "k=v");
    expect_item(svc_kv_str("k", "a b"), "\"k\":\"a b\"", "k=\"a b\"");
    expect_item(svc_kv_str("k", ""), "\"k\":\"\"", "k=\"\"");
    expect_item(svc_kv_str("k", NULL), "\"k\":null", "k=null");
    expect_item(svc_kv_bytes("k", "a\0b", 3), "\"k\":\"a\\u0000b\"", "k=\"a\\u0000b\"");
    expect_item(svc_kv_bytes("k", NULL, 7), "\"k\":null", "k=null");
    expect_item(svc_kv_int("k", -5), "\"k\":-5", "k=-5");
    expect_item(svc_kv_int("k", INT64_MIN), "\"k\":-9223372036854775808", "k=-9223372036854775808");
    expect_item(svc_kv_uint("k", UINT64_MAX), "\"k\":18446744073709551615",
                "k=18446744073709551615");
    expect_item(svc_kv_bool("k", true), "\"k\":true", "k=true");
    expect_item(svc_kv_bool("k", false), "\"k\":false", "k=false");
    expect_item(svc_kv_err("k", SVC_ENOMEM), "\"k\":\"out of memory\"", "k=\"out of memory\"");
}

Test(log_format, doubles_read_back_as_the_same)
{
    expect_item(svc_kv_double("k", 0.1), "\"k\":0.1", "k=0.1");
    expect_item(svc_kv_double("k", 3), "\"k\":3", "k=3");
    expect_item(svc_kv_double("k", 1e-7), "\"k\":1e-7", "k=1e-7");
    expect_item(svc_kv_double("k", 1e20), "\"k\":100000000000000000000", "k=100000000000000000000");
    expect_item(svc_kv_double("k", 9.5), "\"k\":9.5", "k=9.5");
    expect_item(svc_kv_double("k", 0.1 + 0.2), "\"k\":0.30000000000000004",
                "k=0.30000000000000004");
    expect_item(svc_kv_double("k", -1e300), "\"k\":-1e+300", "k=-1e+300");
    expect_item(svc_kv_double("k", NAN), "\"k\":null", "k=null");
    expect_item(svc_kv_double("k", -INFINITY), "\"k\":null", "k=null");
}

/* Where the system has none with a comma, this shows only that the first one works. */
Test(log_format, a_locale_changes_no_number)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++)
        if (setlocale(LC_ALL, locales[i]))
            expect_item(svc_kv_double("k", 1234.5), "\"k\":1234.5", "k=1234.5");
}

/* A terminal must not be steered, a line not be broken, a reader not be misled. */
Test(log_format, no_text_gets_out_of_its_place)
{
    expect_item(svc_kv_str("k", "a\nb"), "\"k\":\"a\\nb\"", "k=\"a\\nb\"");
    expect_item(svc_kv_str("k", "\033[2J"), "\"k\":\"\\u001b[2J\"", "k=\"\\u001b[2J\"");
    expect_item(svc_kv_str("k", "\x7f"), "\"k\":\"\\u007f\"", "k=\"\\u007f\"");
    expect_item(svc_kv_str("k", "\xc2\x9b"), "\"k\":\"\\u009b\"", "k=\"\\u009b\"");
    expect_item(svc_kv_str("k", "a\xff"), "\"k\":\"a\xef\xbf\xbd\"", "k=\"a\xef\xbf\xbd\"");
    expect_item(svc_kv_str("k", "x=1"), "\"k\":\"x=1\"", "k=\"x=1\"");
    expect_item(svc_kv_str("k", "\"q\""), "\"k\":\"\\\"q\\\"\"", "k=\"\\\"q\\\"\"");
    expect_item(svc_kv_str("k", "\\"), "\"k\":\"\\\\\"", "k=\"\\\\\"");
    expect_item(svc_kv_str("k", "\xc3\xa9"), "\"k\":\"\xc3\xa9\"", "k=\"\xc3\xa9\"");
    expect_item(svc_kv_str("a b=\"\n", "v"), "\"a b=\\\"\\n\":\"v\"", "a_b___=v");
    expect_item(svc_kv_str("", "v"), "\"\":\"v\"", "_=v");
}

Test(log_format, a_key_of_the_librarys_own_is_told_apart)
{
    static const char *const own[] = {"time", "level",    "app",     "msg",  "module",
                                      "id",   "trace_id", "span_id", "route"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        char json[32], pair[32];
        snprintf(json, sizeof json, "\"%s_\":1", own[i]);
        snprintf(pair, sizeof pair, "%s_=1", own[i]);
        expect_item(svc_kv_int(own[i], 1), json, pair);
    }
}

Test(log_format, a_message_may_be_any_text)
{
    svc_log_record record = record_of("it \"is\" a=b", NULL);
    expect_line(SVC_LOG_TEXT, &record, TIME " WARN  store: it \"is\" a=b");
    expect_line(SVC_LOG_LOGFMT, &record,
                "time=" TIME " level=warn app=notes msg=\"it \\\"is\\\" a=b\" module=store");
    record = record_of("a\033[1m\n", NULL);
    expect_line(SVC_LOG_TEXT, &record, TIME " WARN  store: \"a\\u001b[1m\\n\"");
    record = record_of("", NULL);
    record.module = "";
    expect_line(SVC_LOG_TEXT, &record, TIME " WARN  ");
    expect_line(SVC_LOG_JSON, &record,
                "{\"time\":\"" TIME "\",\"level\":\"warn\",\"app\":\"notes\",\"msg\":\"\"}");
}

Test(log_format, a_requests_ids_stand_in_its_lines)
{
    const svc_kv items[] = {svc_kv_int("n", 1), SVC_KV_END};
    svc_log_record record = record_of("m", items);
    record.level = SVC_LEVEL_ERROR;
    record.request_id = "r-1";
    record.trace_id = "4bf9";
    record.span_id = "00f0";
    record.route = "GET /a";
    expect_line(SVC_LOG_JSON, &record,
                "{\"time\":\"" TIME "\",\"level\":\"error\",\"app\":\"notes\",\"msg\":\"m\","
                "\"route\":\"GET /a\",\"n\":1,\"id\":\"r-1\",\"trace_id\":\"4bf9\","
                "\"span_id\":\"00f0\",\"module\":\"store\"}");
    expect_line(SVC_LOG_LOGFMT, &record,
                "time=" TIME " level=error app=notes msg=m module=store id=r-1 trace_id=4bf9 "
                "span_id=00f0 route=\"GET /a\" n=1");
    expect_line(SVC_LOG_TEXT, &record,
                TIME " ERROR store: m n=1 id=r-1 trace_id=4bf9 span_id=00f0 route=\"GET /a\"");
}

Test(log_format, auto_is_json_where_nobody_reads_along)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_expect_eq(svc__log_format_for(SVC_LOG_AUTO, ends[1]), SVC_LOG_JSON);
    cr_expect_eq(svc__log_format_for(SVC_LOG_TEXT, ends[1]), SVC_LOG_TEXT);
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    cr_expect_eq(svc__log_format_for(SVC_LOG_AUTO, terminal), SVC_LOG_TEXT);
    cr_expect_eq(svc__log_format_for(SVC_LOG_JSON, terminal), SVC_LOG_JSON);
}

Test(log_format, the_sinks_own_lines_have_room)
{
    for (int format = SVC_LOG_JSON; format <= SVC_LOG_TEXT; format++) {
        const struct sink_report *report = svc__log_format_report((enum svc_log_format)format);
        cr_expect_leq(strlen(report->head), SINK_REPORT_MAX);
        cr_expect_leq(strlen(report->middle), SINK_REPORT_MAX);
        cr_expect_leq(strlen(report->tail), SINK_REPORT_MAX);
    }
}
