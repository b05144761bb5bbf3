/* The service without sockets. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

#define CSV "name,price\napple,1.5\npear,2\n"

static void tear_down(void)
{
    svc_app_free(app);
    remove_folder();
}

TestSuite(reports, .init = make_app, .fini = tear_down);

static svc_reply *send(const char *method, const char *target, const char *const *headers,
                       const char *body, size_t len)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = len;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static const char *field(const svc_reply *reply, const char *name)
{
    const char *value = svc_reply_header(reply, name);
    return value ? value : "";
}

/* Checks the status. The caller owns the body, as JSON; NULL if the body is not JSON. */
static json_t *take(svc_reply *reply, int status)
{
    cr_expect_eq(svc_reply_status(reply), status, "%d: %s", svc_reply_status(reply),
                 svc_reply_body(reply, NULL));
    json_t *json = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    svc_reply_free(reply);
    return json;
}

static json_t *ask(const char *target, int status)
{
    return take(svc_app_test_get(app, target), status);
}

static void expect(const char *target, int status)
{
    json_decref(ask(target, status));
}

static const char *text(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));
    return value ? value : "";
}

static long long number(const json_t *json, const char *name)
{
    return json_integer_value(json_object_get(json, name));
}

/* Uploads a text. Returns the path of its report, which is valid until the next upload. */
static const char *upload(const char *csv, int status)
{
    static char target[128];
    json_t *json = take(send("POST", "/uploads", NULL, csv, strlen(csv)), status);
    snprintf(target, sizeof target, "%s", text(json, "report"));
    json_decref(json);
    return target;
}

static const char *id_of(const char *csv)
{
    static char id[ID_SIZE];
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, csv, strlen(csv));
    sha256_text(&hash, id);
    return id;
}

/* The report of a text once it is made. */
static json_t *report_on(const char *csv)
{
    char target[160];
    snprintf(target, sizeof target, "%s/wait", upload(csv, 201));
    return ask(target, 200);
}

Test(reports, an_upload_gets_a_report)
{
    json_t *report = report_on(CSV);
    const json_t *price = json_array_get(json_object_get(report, "columns"), 1);
    cr_expect_str_eq(text(report, "state"), "ready");
    cr_expect_eq(number(report, "rows"), 2);
    cr_expect_str_eq(text(price, "name"), "price");
    cr_expect_eq(number(price, "filled"), 2);
    cr_expect_eq(number(price, "numbers"), 2);
    cr_expect_eq(json_number_value(json_object_get(price, "sum")), 3.5);
    cr_expect_eq(json_number_value(json_object_get(price, "min")), 1.5);
    cr_expect_eq(json_number_value(json_object_get(price, "max")), 2);
    json_decref(report);
}

Test(reports, the_id_is_the_hash_of_what_was_sent)
{
    svc_reply *reply = send("POST", "/uploads", NULL, "abc", 3);
    cr_expect_str_eq(field(reply, "Location"), "/reports/ba7816bf8f01cfea414140de5dae2223b00361a396"
                                               "177a9cb410ff61f20015ad");
    json_decref(take(reply, 201));
}

Test(reports, what_is_csv_is_read_as_such)
{
    static const struct {
        const char *csv;
        int rows, uneven, filled, numbers; /* the latter two of the first column */
        double sum;
    } rows[] = {
        {"a\n1\n2\n", 2, 0, 2, 2, 3},
        {"a\r\n1\r\n2", 2, 0, 2, 2, 3},
        {"a\n\n1\n\n", 1, 0, 1, 1, 1},
        {"a,b\n,\n1,\n", 2, 0, 1, 1, 1},
        {"a,b\n1\n2,3,4\n5,6\n", 3, 2, 3, 3, 8},
        {"\"a\nb\",\"c\"\n\"1\",2\n", 1, 0, 1, 1, 1},
        {"a\n\"say \"\"3\"\"\"\n", 1, 0, 1, 0, 0},
        {"a\n1e3\n-0.5\n+2\nnan\ninf\n0x10\n1 \n1,\n", 8, 1, 8, 4, 1002.5},
        {"a\n1e999\n", 1, 0, 1, 0, 0},
        {"a\n0000000000000000000000000000000000000000000000000000000000000000000000001\n", 1, 0, 1,
         0, 0},
        {"a\n", 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *report = report_on(rows[i].csv);
        const json_t *column = json_array_get(json_object_get(report, "columns"), 0);
        cr_expect_eq(number(report, "rows"), rows[i].rows, "%s", rows[i].csv);
        cr_expect_eq(number(report, "uneven"), rows[i].uneven, "%s", rows[i].csv);
        cr_expect_eq(number(column, "filled"), rows[i].filled, "%s", rows[i].csv);
        cr_expect_eq(number(column, "numbers"), rows[i].numbers, "%s", rows[i].csv);
        cr_expect_eq(json_number_value(json_object_get(column, "sum")), rows[i].sum, "%s",
                     rows[i].csv);
        json_decref(report);
    }
}

Test(reports, what_is_no_csv_has_a_report_that_says_so)
{
    char wide[200], longest[200];
    memset(wide, ',', sizeof wide);
    memset(longest, 'x', sizeof longest);
    wide[64] = '\n';
    wide[65] = '\0';
    longest[64] = '\n';
    longest[65] = '\0';
    const struct {
        const char *csv, *reason;
    } rows[] = {
        {"\n", "there is no header"},
        {"a\n\"1", "the file ends within quotes"},
        {"\xff\n1\n", "the names of columns are not UTF-8"},
        {wide, "there are more than 64 columns"},
        {longest, "the name of a column has more than 63 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *report = report_on(rows[i].csv);
        cr_expect_str_eq(text(report, "state"), "failed");
        cr_expect_str_eq(text(report, "reason"), rows[i].reason);
        json_decref(report);
    }
}

Test(reports, the_largest_of_what_fits_is_taken)
{
    char header[64 * 65], *at = header;
    for (int i = 0; i < 64; i++) {
        memset(at, 'x', 63);
        at[63] = ',';
        at += 64;
    }
    at[-1] = '\0';
    json_t *report = report_on(header);
    cr_expect_eq(json_array_size(json_object_get(report, "columns")), 64);
    json_decref(report);
}

Test(reports, a_sum_that_is_no_number_is_null)
{
    json_t *report = report_on("a\n1e308\n1e308\n");
    const json_t *column = json_array_get(json_object_get(report, "columns"), 0);
    cr_expect(json_is_null(json_object_get(column, "sum")));
    cr_expect_eq(json_number_value(json_object_get(column, "max")), 1e308);
    json_decref(report);
}

Test(reports, who_asks_early_is_told_to_come_back)
{
    hold_task();
    const char *target = upload(CSV, 201);
    await_held();
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_str_eq(field(reply, "Retry-After"), "1");
    json_t *json = take(reply, 202);
    cr_expect_str_eq(text(json, "state"), "waiting");
    json_decref(json);
    let_go();
}

Test(reports, who_waits_too_long_gets_504_and_the_report_is_made_all_the_same)
{
    static const char *const headers[] = {"X-Request-Timeout", "50ms", NULL};
    char target[160];
    hold_task();
    snprintf(target, sizeof target, "%s/wait", upload(CSV, 201));
    await_held();
    for (int i = 0; i < 3; i++)
        json_decref(take(send("GET", target, headers, NULL, 0), 504));
    let_go();
    expect(target, 200);
}

Test(reports, the_same_file_again_is_the_same_upload)
{
    char first[128];
    snprintf(first, sizeof first, "%s", upload(CSV, 201));
    cr_expect_str_eq(upload(CSV, 200), first);
    cr_expect_eq(count_files(""), 1);
}

Test(reports, a_full_queue_refuses_uploads_and_keeps_nothing_of_them)
{
    char target[128];
    reports.queue_length = 1;
    hold_task();
    upload("a\n", 201);
    await_held();
    upload("b\n", 201);
    svc_reply *reply = send("POST", "/uploads", NULL, "c\n", 2);
    cr_expect_str_eq(field(reply, "Retry-After"), "5");
    json_decref(take(reply, 503));
    upload("b\n", 200);
    cr_expect_eq(count_files(""), 2);
    snprintf(target, sizeof target, "/reports/%s", id_of("c\n"));
    expect(target, 404);
    let_go();
}

Test(reports, a_full_service_says_so)
{
    reports.max_reports = 1;
    upload("a\n", 201);
    upload("b\n", 507);
    upload("a\n", 200);
    cr_expect_eq(count_files(""), 1);
}

Test(reports, files_over_the_limit_are_refused)
{
    static const char *const chunked[] = {"Transfer-Encoding", "chunked", NULL};
    static const char data[101];
    reports.max_upload_bytes = 100;
    json_decref(take(send("POST", "/uploads", NULL, data, 101), 413));
    json_decref(take(send("POST", "/uploads", chunked, data, 101), 413));
    cr_expect_eq(count_files(""), 0);
    json_decref(take(send("POST", "/uploads", chunked, data, 100), 201));
    cr_expect_eq(count_files(""), 1);
}

/* ---- Metrics */

static void expect_uploads(const char *result, double count)
{
    char series[64];
    snprintf(series, sizeof series, "reports_uploads_total{result=\"%s\"}", result);
    cr_expect_eq(svc_test_metric(app, series), count, "%s: %g", series,
                 svc_test_metric(app, series));
}

Test(reports, uploads_are_counted_by_their_results)
{
    static const char *const chunked[] = {"Transfer-Encoding", "chunked", NULL};
    static const char data[101];
    reports.max_upload_bytes = 100;
    reports.max_reports = 1;
    upload("a\n", 201);
    upload("a\n", 200);
    upload("b\n", 507);
    json_decref(take(send("POST", "/uploads", NULL, data, 101), 413));
    json_decref(take(send("POST", "/uploads", chunked, data, 101), 413));
    expect_uploads("created", 1);
    expect_uploads("known", 1);
    expect_uploads("full", 1);
    expect_uploads("too_large", 2);
    expect_uploads("busy", 0);
    expect_uploads("broken", 0);
    expect_uploads("failed", 0);
}

Test(reports, made_reports_are_counted_and_waiting_ones_too)
{
    reports.queue_length = 1;
    hold_task();
    upload(CSV, 201);
    await_held();
    cr_expect_eq(svc_test_metric(app, "reports_waiting"), 0);
    upload("\n", 201);
    upload("c\n", 503);
    cr_expect_eq(svc_test_metric(app, "reports_waiting"), 1);
    cr_expect_eq(svc_test_metric(app, "reports_making_seconds_count"), 0);
    expect_uploads("busy", 1);
    let_go();
    char target[160];
    snprintf(target, sizeof target, "/reports/%s/wait", id_of("\n"));
    expect(target, 200);
    cr_expect_eq(svc_test_metric(app, "reports_waiting"), 0);
    cr_expect_eq(svc_test_metric(app, "reports_made_total{result=\"ready\"}"), 1);
    cr_expect_eq(svc_test_metric(app, "reports_made_total{result=\"failed\"}"), 1);
    cr_expect_eq(svc_test_metric(app, "reports_making_seconds_count"), 2);
    cr_expect_gt(svc_test_metric(app, "reports_making_seconds_sum"), 0);
}

/* The folder is gone before the file is made in it. */
Test(reports, an_upload_that_cannot_be_kept_is_counted_as_failed)
{
    expect("/reports/x", 404);
    remove_folder();
    json_decref(take(send("POST", "/uploads", NULL, "a\n", 2), 500));
    expect_uploads("failed", 1);
}

Test(reports, what_is_no_id_leads_nowhere)
{
    static const char *const ids[] = {
        "x",
        "..%2f..%2fetc%2fpasswd",
        ".part-1",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9C",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015aD",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    char target[160];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        snprintf(target, sizeof target, "/reports/%s", ids[i]);
        expect(target, 404);
        snprintf(target, sizeof target, "/reports/%s/wait", ids[i]);
        expect(target, 404);
        snprintf(target, sizeof target, "/uploads/%s", ids[i]);
        expect(target, 404);
    }
}

Test(reports, an_upload_comes_back_as_it_was)
{
    char target[128], tag[80];
    const char *headers[] = {"If-None-Match", tag, NULL};
    const char *id = strrchr(upload(CSV, 201), '/') + 1;
    snprintf(target, sizeof target, "/uploads/%s", id);
    snprintf(tag, sizeof tag, "\"%s\"", id);
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_str_eq(svc_reply_body(reply, NULL), CSV);
    cr_expect_str_eq(field(reply, "Content-Type"), "text/csv");
    cr_expect_str_eq(field(reply, "ETag"), tag);
    json_decref(take(reply, 200));
    json_decref(take(send("GET", target, headers, NULL, 0), 304));
}

Test(reports, the_export_has_a_line_for_each_column)
{
    static const char csv[] = "\"a \"\"b\"\"\",c\n1,x\n2.5,\n";
    char wanted[512];
    json_decref(report_on(csv));
    json_decref(report_on("\"unended"));
    svc_reply *reply = svc_app_test_get(app, "/export");
    snprintf(wanted, sizeof wanted,
             "report,column,filled,numbers,sum,min,max\n"
             "%s,\"a \"\"b\"\"\",2,2,3.5,1,2.5\n"
             "%s,\"c\",1,0,,,\n",
             id_of(csv), id_of(csv));
    cr_expect_str_eq(svc_reply_body(reply, NULL), wanted);
    svc_reply_free(reply);
}

Test(reports, uploads_of_an_earlier_process_are_taken_up_and_its_broken_ones_removed)
{
    static const char id[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char name[128];
    snprintf(name, sizeof name, "%s.csv", id);
    write_file(name, "a,b\n1,2\n");
    write_file(".part-7", "a,b");
    write_file("README", "not an upload");
    snprintf(name, sizeof name, "/reports/%s/wait", id);
    json_t *report = ask(name, 200);
    cr_expect_eq(number(report, "rows"), 1);
    json_decref(report);
    cr_expect_eq(count_files(".part"), 0);
    cr_expect_eq(count_files(""), 2);
}

Test(reports, two_services_do_not_share_a_folder)
{
    static struct reports others;
    expect("/reports/x", 404);
    svc_app *other = reports_new(&others);
    others.folder = folder;
    cr_expect_null(svc_app_test_get(other, "/reports/x"));
    svc_app_free(other);
}
