/* Forms: their fields as texts and bound to a struct, and the bodies that are refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

static const char form_type[] = "application/x-www-form-urlencoded";

/* ---- The app: a route lists the fields, the other binds them */

enum size { SMALL, LARGE };

struct entry {
    const char *name, *note;
    int64_t age;
    bool news, terms;
    int size;
    const char **tags;
    size_t tag_count;
    int64_t *days;
    size_t day_count;
};

static const svc_choice sizes[] = {{"small", SMALL}, {"large", LARGE}, {NULL, 0}};

static const svc_field entry_fields[] = {
    SVC_FIELD_TEXT(struct entry, name, .required = true, .min_length = 1, .max_length = 5),
    SVC_FIELD_TEXT(struct entry, note),
    SVC_FIELD_INT64(struct entry, age, .min = 1, .max = 150, .fallback = 18, .nullable = true),
    SVC_FIELD_BOOL(struct entry, news),
    SVC_FIELD_BOOL(struct entry, terms),
    SVC_FIELD_ENUM(struct entry, size, sizes, .fallback = LARGE),
    SVC_FIELD_TEXTS(struct entry, tags, tag_count, .max_count = 3, .max_length = 4),
    SVC_FIELD_INT64S(struct entry, days, day_count, .min = 1, .max = 7),
    SVC_FIELD_END};

struct nested {
    struct entry entry;
};

static const svc_field nested_fields[] = {SVC_FIELD_OBJECT(struct nested, entry, entry_fields),
                                          SVC_FIELD_END};

static svc_app *app;
static const svc_schema *schema, *lenient_schema, *nested_schema;
static svc_form_options options;

static int list_fields(svc_request *req, svc_response *res)
{
    const svc_form *form = svc_request_form(req, res, &options);
    const char *name, *value;
    char text[2000] = "";
    size_t len = 0;
    if (!form)
        return 0;
    for (size_t i = 0; svc_form_at(form, i, &name, &value) == 0; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "[%s|%s]", name, value);
    cr_expect_eq(svc_form_at(form, svc_form_count(form), &name, &value), SVC_ENOTFOUND);
    return svc_response_text(res, 200, text);
}

/* Reads the form and binds it, which both take their part of the request's memory. */
static int count_fields(svc_request *req, svc_response *res)
{
    struct entry entry;
    const svc_form *form = svc_request_form(req, res, &options);
    if (!form || !svc_form_bind(form, res, lenient_schema, &entry))
        return 0;
    char text[40];
    snprintf(text, sizeof text, "%zu fields", svc_form_count(form));
    return svc_response_text(res, 200, text);
}

static int look_up(svc_request *req, svc_response *res)
{
    const svc_form *form = svc_request_form(req, res, NULL);
    cr_assert(form);
    cr_expect_eq(svc_form_count(form), 5);
    cr_expect_str_eq(svc_form_value(form, "a"), "1");
    cr_expect_str_eq(svc_form_value_nth(form, "a", 0), "1");
    cr_expect_str_eq(svc_form_value_nth(form, "a", 1), "2");
    cr_expect_null(svc_form_value_nth(form, "a", 2));
    cr_expect_str_eq(svc_form_value(form, "b"), "", "a field without '='");
    cr_expect_str_eq(svc_form_value(form, ""), "empty", "an empty name is a name");
    cr_expect_null(svc_form_value(form, "A"), "names have a case");
    cr_expect_null(svc_form_value(form, "c[]"));
    return svc_response_text(res, 200, "looked");
}

static int bind_entry_by(svc_request *req, svc_response *res, const svc_schema *by)
{
    struct entry entry;
    memset(&entry, 0x5a, sizeof entry);
    const svc_form *form = svc_request_form(req, res, NULL);
    if (!form)
        return 0;
    if (!svc_form_bind(form, res, by, &entry)) {
        for (size_t i = 0; i < sizeof entry; i++)
            cr_assert_eq(((const char *)&entry)[i], 0x5a, "written without success");
        return 0;
    }
    char text[400];
    int len =
        snprintf(text, sizeof text, "%s|%s|%ld|%d%d|%d", entry.name, entry.note ? entry.note : "-",
                 (long)entry.age, entry.news, entry.terms, entry.size);
    for (size_t i = 0; i < entry.tag_count; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "|%s", entry.tags[i]);
    for (size_t i = 0; i < entry.day_count; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "|%ld", (long)entry.days[i]);
    return svc_response_text(res, 200, text);
}

static int bind_entry(svc_request *req, svc_response *res)
{
    return bind_entry_by(req, res, schema);
}

static int bind_lenient(svc_request *req, svc_response *res)
{
    return bind_entry_by(req, res, lenient_schema);
}

static int bind_nested(svc_request *req, svc_response *res)
{
    return bind_entry_by(req, res, nested_schema);
}

static int bind_without_schema(svc_request *req, svc_response *res)
{
    return bind_entry_by(req, res, NULL);
}

static void open_app(void)
{
    options = (svc_form_options)SVC_FORM_OPTIONS_INIT;
    app = svc_app_new("form");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    config.max_body_bytes = 8 << 20;
    svc_app_configure(app, &config);
    svc_app_post(app, "/list", list_fields, NULL);
    svc_app_post(app, "/count", count_fields, NULL);
    svc_app_post(app, "/look", look_up, NULL);
    svc_app_post(app, "/bind", bind_entry, NULL);
    svc_app_post(app, "/lenient", bind_lenient, NULL);
    svc_app_post(app, "/nested", bind_nested, NULL);
    svc_app_post(app, "/none", bind_without_schema, NULL);
    schema = svc_schema_new(app, entry_fields, sizeof(struct entry), 0);
    lenient_schema = svc_schema_new(app, entry_fields, sizeof(struct entry), SVC_SCHEMA_LENIENT);
    nested_schema = svc_schema_new(app, nested_fields, sizeof(struct nested), 0);
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(form, .init = open_app, .fini = close_app);

static svc_reply *post_n(const char *target, const char *type, const char *body, size_t len)
{
    const char *const headers[] = {"Accept", "text/plain", type ? "Content-Type" : NULL, type,
                                   NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = len;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static svc_reply *post(const char *target, const char *type, const char *body)
{
    return post_n(target, type, body, strlen(body));
}

static void expect(const char *target, const char *body, const char *text)
{
    svc_reply *reply = post(target, form_type, body);
    cr_expect_eq(svc_reply_status(reply), 200, "%s: %d", body, svc_reply_status(reply));
    cr_expect_str_eq(svc_reply_body(reply, NULL), text, "%s: %s", body,
                     svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

static void expect_refused(const char *type, const char *body, int status, const char *reason)
{
    svc_reply *reply = post("/list", type, body);
    cr_expect_eq(svc_reply_status(reply), status, "%.40s: %d", body, svc_reply_status(reply));
    cr_expect(strstr(svc_reply_body(reply, NULL), reason), "%s", svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

/* ---- Texts */

/* The parser of the WHATWG URL standard, 5.1; the rows are those of its tests, and more. */
Test(form, fields_are_parted_and_decoded)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"test", "[test|]"},
        {"\xef\xbb\xbftest=\xef\xbb\xbf", "[\xef\xbb\xbftest|\xef\xbb\xbf]"},
        {"%EF%BB%BFtest=%EF%BB%BF", "[\xef\xbb\xbftest|\xef\xbb\xbf]"},
        {"\xe2\x80\xa0&\xe2\x80\xa0=x", "[\xe2\x80\xa0|][\xe2\x80\xa0|x]"},
        {"_charset_=windows-1252&test=%C2x", NULL},
        {"a=b&c=d", "[a|b][c|d]"},
        {"a=b&c=d&", "[a|b][c|d]"},
        {"&&&a=b&&&&c=d&", "[a|b][c|d]"},
        {"a=a&a=b&a=c", "[a|a][a|b][a|c]"},
        {"a==a", "[a|=a]"},
        {"a=a+b+c+d", "[a|a b c d]"},
        {"=&a=&b", "[|][a|][b|]"},
        {"a;b=1;2", "[a;b|1;2]"},
        {"%3d%26=%2b%25", "[=&|+%]"},
        {"id=0&value=%", NULL},
        {"b=%2sf%2a", NULL},
        {"b=%2%2af%2a", NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (rows[i][1])
            expect("/list", rows[i][0], rows[i][1]);
        else
            expect_refused(form_type, rows[i][0], 400, "");
    }
}

Test(form, a_field_is_found_by_its_name)
{
    expect("/look", "a=1&a=2&b&=empty&c=x", "looked");
}

Test(form, a_body_that_is_no_form_is_refused)
{
    static const char utf8[] = "application/x-www-form-urlencoded;charset=UTF-8";
    static const char latin[] = "application/x-www-form-urlencoded; charset=iso-8859-1";
    svc_reply *reply = post("/list", utf8, "a=b");
    cr_expect_eq(svc_reply_status(reply), 200);
    svc_reply_free(reply);
    expect_refused(latin, "a=b", 415, "UTF-8");
    expect_refused(NULL, "a=b", 415, "must be a form");
    expect_refused("application/json", "{}", 415, "must be a form");
    expect_refused("text/plain", "a=b", 415, "must be a form");
    expect_refused("application/x-www-form-urlencoded; ;=", "a=b", 415, "must be a form");
}

Test(form, bytes_that_are_no_text_are_refused)
{
    static const char nul[] = "a=b\0c";
    expect_refused(form_type, "a=%4", 400, "hexadecimal");
    expect_refused(form_type, "a=%zz", 400, "hexadecimal");
    expect_refused(form_type, "a=%ff", 400, "UTF-8");
    expect_refused(form_type, "\xff=1", 400, "UTF-8");
    expect_refused(form_type, "a=%ed%a0%80", 400, "UTF-8");
    expect_refused(form_type, "a=b%00", 400, "NUL");
    svc_reply *reply = post_n("/list", form_type, nul, sizeof nul - 1);
    cr_expect_eq(svc_reply_status(reply), 400);
    svc_reply_free(reply);
}

Test(form, a_coded_form_is_refused)
{
    static const char *const headers[] = {"Content-Type", form_type, "Content-Encoding", "gzip",
                                          NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/list";
    test.headers = headers;
    test.body = "a=b";
    test.body_len = 3;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 415);
    cr_expect_str_eq(svc_reply_header(reply, "Accept-Encoding"), "identity");
    svc_reply_free(reply);
}

/* ---- Limits */

Test(form, fields_and_bytes_have_limits)
{
    options.max_fields = 2;
    expect("/list", "a&b=%20", "[a|][b| ]");
    expect_refused(form_type, "a&b&c", 413, "more than 2 fields");
    options.max_bytes = 5;
    expect("/list", "a=123", "[a|123]");
    expect_refused(form_type, "a=1234", 413, "more than 5 bytes");
}

Test(form, the_default_limits_are_a_mebibyte_and_10000_fields)
{
    enum { MOST = 1 << 20 };
    char *body = malloc(MOST + 2);
    cr_assert(body);
    memset(body, 'a', MOST + 1);
    body[MOST + 1] = '\0';
    expect_refused(form_type, body, 413, "more than 1048576 bytes");
    for (size_t i = 0; i <= 10000; i++)
        memcpy(body + 2 * i, "a&", 3);
    expect_refused(form_type, body, 413, "more than 10000 fields");
    free(body);
}

Test(form, the_largest_form_fits_into_a_request_s_memory)
{
    enum { FIELDS = SVC_FORM_MAX_FIELDS, BYTES = SVC_FORM_MAX_BYTES };
    char *body = malloc(BYTES + 1);
    cr_assert(body);
    memset(body, 'x', BYTES);
    memcpy(body, "name=Bob&", 9);
    for (size_t i = 0; i < FIELDS - 2; i++)
        memcpy(body + 9 + 2 * i, "a&", 2);
    body[BYTES] = '\0';
    options.max_fields = FIELDS;
    options.max_bytes = BYTES;
    expect("/count", body, "20000 fields");
    free(body);
}

Test(form, wrong_options_are_the_program_s_mistake)
{
    const svc_form_options good = SVC_FORM_OPTIONS_INIT;
    options.max_fields = 0;
    expect_refused(form_type, "a=b", 500, "");
    options.max_fields = SVC_FORM_MAX_FIELDS + 1;
    expect_refused(form_type, "a=b", 500, "");
    options = good;
    options.max_bytes = 0;
    expect_refused(form_type, "a=b", 500, "");
    options.max_bytes = SVC_FORM_MAX_BYTES + 1;
    expect_refused(form_type, "a=b", 500, "");
    options = good;
    options.size = 1;
    expect_refused(form_type, "a=b", 500, "");
}

/* ---- Binding */

Test(form, a_form_fills_a_struct)
{
    expect("/bind", "name=Bob", "Bob|-|18|00|1");
    expect("/bind", "name=Z%C3%B6%C3%AB&note=a+b&age=44&news=on&terms=true&size=small",
           "Z\xc3\xb6\xc3\xab|a b|44|11|0");
    expect("/bind", "news=false&age=&note=&name=Bob", "Bob||18|00|1");
    expect("/bind", "tags=a&name=Bob&days%5B%5D=3&tags[]=%20&days[]=1&tags=c",
           "Bob|-|18|00|1|a| |c|3|1");
}

static void expect_violations(const char *target, const char *body, const char *lines)
{
    svc_reply *reply = post(target, form_type, body);
    const char *told = svc_reply_body(reply, NULL), *end = strchr(told, '\n');
    cr_expect_eq(svc_reply_status(reply), 422, "%s: %d", body, svc_reply_status(reply));
    cr_expect_str_eq(end ? end + 1 : "", lines, "%s: %s", body, told);
    svc_reply_free(reply);
}

Test(form, all_violations_are_reported_at_once)
{
    expect_violations("/bind",
                      "age=200&name=Robert&news=yes&size=huge&note=1&note=2&tags=12345&other=&=x"
                      "&days[]=8&days=x&name[]=a",
                      "age: must be a whole number from 1 to 150\n"
                      "name: must have 1 to 5 characters\n"
                      "news: must be true or false\n"
                      "size: must be one of small, large\n"
                      "note: must be there once\n"
                      "tags: must have at most 4 characters\n"
                      "other: is not known\n"
                      ": is not known\n"
                      "days: must be a whole number from 1 to 7\n"
                      "days: must be a whole number from 1 to 7\n"
                      "name[]: is not known\n");
    expect_violations("/bind", "", "name: is required\n");
    expect_violations("/bind", "name=a&tags=1&tags[]=2&tags=3&tags[]=4",
                      "tags: must have at most 3 elements\n");
}

Test(form, a_lenient_schema_ignores_other_fields)
{
    expect("/lenient", "other=1&name=Bob&name[]=2&=", "Bob|-|18|00|1");
}

Test(form, a_schema_that_no_form_can_fill_is_the_program_s_mistake)
{
    static const char *const targets[] = {"/nested", "/none"};
    for (size_t i = 0; i < ROWS(targets); i++) {
        svc_reply *reply = post(targets[i], form_type, "name=Bob");
        cr_expect_eq(svc_reply_status(reply), 500);
        svc_reply_free(reply);
    }
}

/* ---- The same as parts */

#define PART(name, value)                                                                          \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define PARTS_END "--b--\r\n"

static void expect_parts(const char *target, const char *body, int status, const char *text)
{
    svc_reply *reply = post_n(target, "multipart/form-data; boundary=b", body, strlen(body));
    const char *got = svc_reply_body(reply, NULL);
    cr_expect_eq(svc_reply_status(reply), status, "%d: %s", svc_reply_status(reply), got);
    cr_expect(strstr(got, text), "%s", got);
    svc_reply_free(reply);
}

Test(form, that_comes_as_parts_is_the_same)
{
    expect_parts("/list", PART("a", "1 + 2%20") PART("", "empty") PART("a", "") PARTS_END, 200,
                 "[a|1 + 2%20][|empty][a|]");
    expect_parts("/bind",
                 PART("name", "Zoe") PART("terms", "on") PART("tags[]", "x") PART("tags[]", "y")
                     PARTS_END,
                 200, "Zoe|-|18|01|1|x|y");
    expect_parts("/bind", PART("name", "too long") PART("age", "0") PARTS_END, 422, "age");
}

Test(form, that_comes_as_parts_has_the_limits_of_forms)
{
    options.max_fields = 2;
    expect_parts("/list", PART("a", "1") PART("a", "2") PARTS_END, 200, "[a|1][a|2]");
    expect_parts("/list", PART("a", "1") PART("a", "2") PART("a", "3") PARTS_END, 413, "parts");
    options.max_bytes = 4;
    expect_parts("/list", PART("a", "123") PARTS_END, 200, "[a|123]");
    expect_parts("/list", PART("a", "1234") PARTS_END, 413, "more text");
}

Test(form, that_comes_as_parts_has_no_files)
{
    expect_parts(
        "/list",
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n1\r\n" PARTS_END,
        400, "file");
    expect_parts("/list", PART("a", "1"), 400, "");
    expect_parts("/list", PART("a", "\xff") PARTS_END, 400, "UTF-8");
}
