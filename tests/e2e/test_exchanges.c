/*
 * Each exchange of the table over TCP and without a socket: status, fields in their order, and body
 * are the same, except Date and Connection.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/exchanges.h"
#include "tests/support/process.h"

enum { MAX_HEAD = 8192 };

static bool has_field(const struct exchange_row *row, const char *name)
{
    for (size_t i = 0; row->headers[i]; i += 2)
        if (!strcasecmp(row->headers[i], name))
            return true;
    return false;
}

/* The fields of a row and those that any client would add, the same over TCP and without a socket.
 */
static size_t all_headers(const struct exchange_row *row, bool closes, const char **out)
{
    static char length[24];
    size_t n = 0;
    for (; row->headers[n]; n++)
        out[n] = row->headers[n];
    if (!has_field(row, "Host")) {
        out[n++] = "Host";
        out[n++] = "test";
    }
    if (!has_field(row, "X-Request-Id")) {
        out[n++] = "X-Request-Id";
        out[n++] = "id-of-the-test";
    }
    if (row->trailers[0] && !has_field(row, "Transfer-Encoding")) {
        out[n++] = "Transfer-Encoding";
        out[n++] = "chunked";
    } else if (row->body && !has_field(row, "Content-Length") &&
               !has_field(row, "Transfer-Encoding")) {
        snprintf(length, sizeof length, "%zu", strlen(row->body));
        out[n++] = "Content-Length";
        out[n++] = length;
    }
    if (closes) {
        out[n++] = "Connection";
        out[n++] = "close";
    }
    out[n] = NULL;
    return n;
}

/* Only the wire has the fields of a body's framing. */
static bool compared(const char *name, size_t len)
{
    return !(len == 17 && !strncasecmp(name, "Transfer-Encoding", 17)) &&
           !(len == 4 && !strncasecmp(name, "Date", 4)) &&
           !(len == 10 && !strncasecmp(name, "Connection", 10));
}

/* The fields of a head as received, without those that may differ. */
static void wire_fields(const char *head, char out[MAX_HEAD])
{
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line && strncmp(line, "\r\n\r\n", 4);) {
        line += 2;
        const char *end = strstr(line, "\r\n"), *colon = strchr(line, ':');
        if (!end || !colon || colon > end)
            break;
        if (compared(line, (size_t)(colon - line)))
            strncat(out, line, (size_t)(end - line) + 2);
        line = end;
    }
}

static void reply_fields(const svc_reply *reply, char out[MAX_HEAD])
{
    const char *name, *value;
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; !svc_reply_header_at(reply, i, &name, &value); i++)
        len += (size_t)snprintf(out + len, MAX_HEAD - len, "%s: %s\r\n", name, value);
}

static void reply_trailers(const svc_reply *reply, char out[MAX_HEAD])
{
    const char *name, *value;
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; !svc_reply_trailer_at(reply, i, &name, &value); i++)
        len += (size_t)snprintf(out + len, MAX_HEAD - len, "%s: %s\r\n", name, value);
}

/* An id that the server has made differs from that of svc_app_test. */
static void hide_made_id(char *fields)
{
    char *at = strstr(fields, "X-Request-Id: ");
    if (at && strncmp(at, "X-Request-Id: id-of-the-test", 28))
        memset(at + 14, 'x', strcspn(at + 14, "\r"));
}

static void send_chunked(struct client *client, const struct exchange_row *row)
{
    if (*row->body)
        client_printf(client, "%zx\r\n%s\r\n", strlen(row->body), row->body);
    client_send_text(client, "0\r\n");
    for (size_t i = 0; row->trailers[i]; i += 2)
        client_printf(client, "%s: %s\r\n", row->trailers[i], row->trailers[i + 1]);
    client_send_text(client, "\r\n");
}

static struct client_reply over_tcp(const char *address, const struct exchange_row *row,
                                    const char *const *headers)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    char request[MAX_HEAD];
    size_t len =
        (size_t)snprintf(request, sizeof request, "%s %s HTTP/1.1\r\n", row->method, row->target);
    for (size_t i = 0; headers[i]; i += 2)
        len += (size_t)snprintf(request + len, sizeof request - len, "%s: %s\r\n", headers[i],
                                headers[i + 1]);
    client_printf(client, "%s\r\n", request);
    if (row->trailers[0])
        send_chunked(client, row);
    else
        client_send_text(client, row->body ? row->body : "");
    struct client_reply reply = client_read(client, !strcmp(row->method, "HEAD"));
    client_close(client);
    return reply;
}

static svc_reply *without_socket(svc_app *app, const struct exchange_row *row,
                                 const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = row->method;
    test.target = row->target;
    test.headers = headers;
    test.body = row->body;
    test.body_len = row->body ? strlen(row->body) : 0;
    test.trailers = row->trailers;
    return svc_app_test(app, &test);
}

static void compare(const struct exchange_row *row, const struct client_reply *wire,
                    const svc_reply *reply)
{
    static char wire_text[MAX_HEAD], reply_text[MAX_HEAD];
    size_t len;
    const char *body = svc_reply_body(reply, &len);
    wire_fields(wire->head ? wire->head : "", wire_text);
    reply_fields(reply, reply_text);
    hide_made_id(wire_text);
    hide_made_id(reply_text);
    static char trailers[MAX_HEAD];
    reply_trailers(reply, trailers);
    cr_expect_str_eq(wire->trailers, row->trailer ? row->trailer : "", "%s %s", row->method,
                     row->target);
    cr_expect_str_eq(wire->trailers, trailers, "%s %s", row->method, row->target);
    cr_expect_eq(wire->status, svc_reply_status(reply), "%s %s: %d over TCP", row->method,
                 row->target, wire->status);
    cr_expect_str_eq(wire_text, reply_text, "%s %s", row->method, row->target);
    cr_expect(wire->body_len == len && !memcmp(wire->body, body, len), "%s %s: %s", row->method,
              row->target, wire->body);
}

/* Fields that differ between TCP and svc_app_test, and the field that the row checks. */
static void expect_fields(const struct exchange_row *row, const struct client_reply *wire,
                          bool closes)
{
    char value[256] = "";
    cr_expect_eq(client_reply_count(wire, "Date"), 1, "%s %s: %u Dates", row->method, row->target,
                 client_reply_count(wire, "Date"));
    cr_expect(!closes || wire->closes, "%s %s: stays", row->method, row->target);
    if (!row->field)
        return;
    cr_expect_eq(client_reply_count(wire, row->field), 1, "%s %s", row->method, row->target);
    client_reply_field(wire, row->field, value, sizeof value);
    cr_expect_str_eq(value, row->value, "%s %s: %s", row->method, row->target, value);
}

static void expect_same(bool closes)
{
    struct process *server = process_start(process_program("server_exchanges"), NULL, NULL);
    cr_assert(server);
    svc_app *app = exchanges_app();
    for (size_t i = 0; i < exchange_count; i++) {
        const struct exchange_row *row = &exchange_rows[i];
        const char *headers[20];
        all_headers(row, closes, headers);
        struct client_reply wire = over_tcp(process_address(server, 0), row, headers);
        svc_reply *reply = without_socket(app, row, headers);
        cr_expect_eq(wire.status, row->status, "%s %s: %d", row->method, row->target, wire.status);
        expect_fields(row, &wire, closes);
        compare(row, &wire, reply);
        client_reply_free(&wire);
        svc_reply_free(reply);
    }
    svc_app_free(app);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}

Test(exchanges, are_the_same_through_both_doors)
{
    expect_same(false);
}

Test(exchanges, are_the_same_when_the_connection_is_closed)
{
    expect_same(true);
}
