/* A trace through several services: those of examples/search, each a process with a receiver of its
 * own. The test is the first service: its span is the parent of the first process's. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define SAMPLED "traceparent: 00-" ID "-" PARENT "-01\r\ntracestate: a=b,c=d\r\n"
#define UNSAMPLED "traceparent: 00-" ID "-" PARENT "-00\r\n"

enum {
    NOTES = 25 /* two pages of them are read */,
    SERVER = 2,
    CLIENT = 3,
    ERROR = 2,
    IS_REMOTE = 512
};

/* ---- Processes */

struct service {
    struct process *process;
    struct receiver *receiver; /* of its spans */
    char *log;                 /* once it has ended */
    json_t *spans;             /* those of the trace, once it has ended */
};

static struct service notes, search;
static struct receiver *imposter; /* in the place of notes */

static void start(struct service *service, const char *program, const char *setting)
{
    static const char *const well[] = {RECEIVER_OK, NULL};
    char endpoint[128];
    service->receiver = receiver_start(well);
    cr_assert(service->receiver);
    snprintf(endpoint, sizeof endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT=%s",
             receiver_url(service->receiver));
    const char *const settings[] = {
        endpoint, "OTEL_BSP_SCHEDULE_DELAY=600000", "NO_PROXY=*", "no_proxy=*", setting, NULL};
    service->process = process_start(process_program(program), settings, NULL);
    cr_assert(service->process);
}

static void start_search(const char *scheme, const char *address)
{
    char setting[128];
    snprintf(setting, sizeof setting, "SVC_NOTES_URL=%s%s", scheme, address);
    start(&search, "../../examples/search/search", setting);
}

/* The spans of the trace in all that a receiver has got, each with its service's name. */
static json_t *read_spans(struct receiver *receiver)
{
    json_t *found = json_array();
    for (size_t i = 0; i < receiver_count(receiver); i++) {
        size_t len, j;
        json_t *spans = NULL, *span;
        const char *body = receiver_body(receiver, i, &len);
        json_t *document = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_eq(json_unpack(document, "{s:[{s:[{s:o}]}]}", "resourceSpans", "scopeSpans",
                                 "spans", &spans),
                     0, "%s", body);
        json_array_foreach(
            spans, j, span) if (!strcmp(json_string_value(json_object_get(span, "traceId")), ID))
            json_array_append(found, span);
        json_decref(document);
    }
    return found;
}

/* Ends a service, which sends its spans then: the delay between two batches is longer. */
static void stop(struct service *service)
{
    cr_expect_eq(process_stop(service->process), 0);
    service->log = process_copy_log(service->process);
    service->spans = read_spans(service->receiver);
}

static void free_service(struct service *service)
{
    process_free(service->process);
    receiver_stop(service->receiver);
    free(service->log);
    json_decref(service->spans);
}

static void end(void)
{
    free_service(&search);
    free_service(&notes);
    receiver_stop(imposter);
}

TestSuite(services, .fini = end);

static int ask(const struct service *service, const char *request)
{
    struct client *client = client_connect(process_address(service->process, 0));
    cr_assert(client);
    struct client_reply reply = client_exchange(client, request);
    int status = reply.status;
    cr_assert_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    return status;
}

static int ask_search(const char *fields)
{
    char request[1024];
    snprintf(request, sizeof request, "GET /search?q=pear&limit=100 HTTP/1.1\r\nHost: a\r\n%s\r\n",
             fields);
    return ask(&search, request);
}

static void add_notes(void)
{
    static const char note[] =
        "POST /notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Content-Length: 30\r\n\r\n{\"title\":\"pears\",\"text\":\"two\"}";
    for (int i = 0; i < NOTES; i++)
        cr_assert_eq(ask(&notes, note), 201);
}

/* ---- Spans */

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static const char *attribute_of(const json_t *span, const char *key)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(span, "attributes"), i, item)
    {
        const json_t *value = json_object_get(item, "value");
        if (!strcmp(text_of(item, "key"), key))
            return *text_of(value, "stringValue") ? text_of(value, "stringValue")
                                                  : text_of(value, "intValue");
    }
    return "";
}

static json_int_t number_of(const json_t *span, const char *key)
{
    return json_integer_value(json_object_get(span, key));
}

static bool has_failed(const json_t *span)
{
    return number_of(json_object_get(span, "status"), "code") == ERROR;
}

static size_t count_kind(const struct service *service, int kind)
{
    size_t i, count = 0;
    const json_t *span;
    json_array_foreach(service->spans, i, span) count += number_of(span, "kind") == kind;
    return count;
}

/* The n-th span of a kind. */
static const json_t *find_kind(const struct service *service, int kind, size_t n)
{
    size_t i;
    const json_t *span;
    json_array_foreach(service->spans, i,
                       span) if (number_of(span, "kind") == kind && n-- == 0) return span;
    cr_assert(false, "no such span");
    return NULL;
}

static bool is_remote(const json_t *span)
{
    return number_of(span, "flags") & IS_REMOTE;
}

static void expect_parent(const json_t *span, const char *parent, bool remote, bool sampled)
{
    cr_expect_str_eq(text_of(span, "parentSpanId"), parent);
    cr_expect_eq(is_remote(span), remote);
    cr_expect_eq(number_of(span, "flags") & 1, sampled);
}

/* Of the search service's request and of its only call. */
static void expect_failures(const char *status, const char *call_type, bool sampled)
{
    const json_t *request = find_kind(&search, SERVER, 0), *call = find_kind(&search, CLIENT, 0);
    cr_expect_eq(json_array_size(search.spans), 2);
    expect_parent(request, PARENT, true, sampled);
    expect_parent(call, text_of(request, "spanId"), false, sampled);
    cr_expect(has_failed(request));
    cr_expect_str_eq(attribute_of(request, "http.response.status_code"), status);
    cr_expect_str_eq(attribute_of(request, "error.type"), status);
    cr_expect_eq(has_failed(call), *call_type != '\0');
    cr_expect_str_eq(attribute_of(call, "error.type"), call_type);
}

/* How many lines the service has logged in the trace; each must have the id of a span in it. */
static size_t count_lines(const struct service *service)
{
    size_t count = 0;
    char *rest, *log = strdup(service->log);
    for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        cr_assert(json_is_object(json), "%s", line);
        if (!strcmp(text_of(json, "trace_id"), ID)) {
            bool known = json_array_size(service->spans) == 0;
            for (size_t i = 0; i < count_kind(service, SERVER); i++)
                known |= !strcmp(text_of(json, "span_id"),
                                 text_of(find_kind(service, SERVER, i), "spanId"));
            cr_expect(known, "%s", line);
            count++;
        }
        json_decref(json);
    }
    free(log);
    return count;
}

/* ---- All is well */

static void run_both(const char *fields)
{
    start(&notes, "../../examples/search/notes", NULL);
    add_notes();
    start_search("http://", process_address(notes.process, 0));
    cr_expect_eq(ask_search(fields), 200);
    stop(&search);
    stop(&notes);
}

Test(services, a_request_is_one_trace_through_all_of_them)
{
    run_both(SAMPLED);
    const json_t *request = find_kind(&search, SERVER, 0);
    cr_expect_eq(json_array_size(search.spans), 3);
    cr_expect_eq(json_array_size(notes.spans), 2);
    cr_expect_str_eq(text_of(request, "name"), "GET /search");
    cr_expect_str_eq(text_of(request, "traceState"), "a=b,c=d");
    cr_expect_str_eq(attribute_of(request, "search.notes"), "25");
    expect_parent(request, PARENT, true, true);
    for (size_t i = 0; i < 2; i++) { /* one page after the other */
        const json_t *call = find_kind(&search, CLIENT, i), *page = find_kind(&notes, SERVER, i);
        cr_expect_str_eq(text_of(call, "name"), "GET /notes");
        cr_expect_str_eq(attribute_of(call, "http.response.status_code"), "200");
        expect_parent(call, text_of(request, "spanId"), false, true);
        cr_expect_str_eq(text_of(page, "name"), "GET /notes");
        cr_expect_str_eq(text_of(page, "traceState"), "a=b,c=d");
        expect_parent(page, text_of(call, "spanId"), true, true);
        cr_expect(!has_failed(call) && !has_failed(page));
    }
    cr_expect_eq(count_lines(&search), 2, "one of the handler, one of the access log");
    cr_expect_eq(count_lines(&notes), 2);
}

Test(services, what_the_caller_does_not_record_nobody_records)
{
    run_both(UNSAMPLED);
    cr_expect_eq(json_array_size(search.spans), 0);
    cr_expect_eq(json_array_size(notes.spans), 0);
    cr_expect_eq(count_lines(&search), 2, "the log has the trace all the same");
    cr_expect_eq(count_lines(&notes), 2);
}

/* ---- One of them is not */

static void run_search(const char *scheme, const char *address, const char *fields, int status)
{
    start_search(scheme, address);
    cr_expect_eq(ask_search(fields), status);
    stop(&search);
}

Test(services, one_that_is_down_is_an_error_in_the_trace)
{
    run_search("http://", "127.0.0.1:1", SAMPLED, 502); /* where nobody listens */
    expect_failures("502", "unreachable", true);
    cr_expect_eq(count_lines(&search), 3);
}

Test(services, an_error_is_recorded_though_the_trace_is_not)
{
    run_search("http://", "127.0.0.1:1", UNSAMPLED, 502);
    expect_failures("502", "unreachable", false);
}

static void run_imposter(const char *const *answers, const char *fields, int status)
{
    imposter = receiver_start(answers);
    cr_assert(imposter);
    run_search("", receiver_url(imposter), fields, status);
}

Test(services, one_that_is_silent_is_given_up_in_time)
{
    static const char *const answers[] = {RECEIVER_SILENT, NULL};
    run_imposter(answers, SAMPLED "X-Request-Timeout: 1s\r\n", 504);
    expect_failures("504", "timeout", true);
}

/* What the call takes along is what the trace shows of it. */
Test(services, one_that_fails_is_an_error_of_its_call)
{
    static const char *const answers[] = {
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", NULL};
    char field[128];
    run_imposter(answers, SAMPLED, 502);
    expect_failures("502", "500", true);
    const char *head = receiver_head(imposter, 0);
    snprintf(field, sizeof field, "\r\ntraceparent: 00-" ID "-%s-01\r\n",
             text_of(find_kind(&search, CLIENT, 0), "spanId"));
    cr_expect(strstr(head, field), "%s", head);
    cr_expect(strstr(head, "\r\ntracestate: a=b,c=d\r\n"), "%s", head);
    cr_expect(strstr(head, "\r\nX-Request-Timeout: "), "%s", head);
    cr_expect(strstr(head, "\r\nX-Request-Id: "), "%s", head);
}

Test(services, one_that_answers_nonsense_is_an_error_of_the_request_alone)
{
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnonsense!",
                                          NULL};
    run_imposter(answers, SAMPLED, 502);
    expect_failures("502", "", true);
}
