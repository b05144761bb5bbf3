/*
 * A request that the readers of HTTP/1 accept means the same to libmicrohttpd 0.9.75: method,
 * target, fields, body and trailers, and where it ends. What that refuses all the same is listed;
 * other versions refuse more.
 */
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/head_raw.h"
#include "libsvc/proto/http1_chunks.h"
#include "libsvc/proto/http1_head.h"

enum { MAX_FIELDS = 16, POOL = 65536, MAX_INPUT = 8192, RUNS = 64 };

static const struct head_limits limits = {1000, 4000, MAX_FIELDS};

/* ---- A request as the library reads it */

struct request {
    struct head head;
    struct framing framing;
    struct field fields[MAX_FIELDS], trailers[MAX_FIELDS];
    size_t trailer_count;
    char body[MAX_INPUT];
    size_t body_len;
    size_t line, fields_end, end; /* where the request line begins, the fields end, and all ends */
};

static bool read_trailers(char *data, size_t len, struct request *out)
{
    struct http1_reading r = {0};
    const char *reason;
    if (svc__http1_head_trailers(&r, data, len, &limits, out->trailers, &out->trailer_count,
                                 &reason))
        return false;
    out->end += r.line;
    return true;
}

static bool read_chunks(char *data, size_t len, struct request *out)
{
    struct http1_chunks c = {0};
    struct bytes rest = {data, len}, piece;
    const char *reason;
    for (;;) {
        if (svc__http1_chunks_next(&c, &rest, &piece, &reason))
            return false;
        if (!piece.len)
            break;
        memcpy(out->body + out->body_len, piece.data, piece.len);
        out->body_len += piece.len;
    }
    out->end += len - rest.len;
    return read_trailers(data + (len - rest.len), rest.len, out);
}

static bool read_body(char *data, size_t len, struct request *out)
{
    if (out->framing.kind == BODY_CHUNKED)
        return read_chunks(data, len, out);
    if (out->framing.length > len)
        return false;
    out->body_len = (size_t)out->framing.length;
    memcpy(out->body, data, out->body_len);
    out->end += out->body_len;
    return true;
}

/* Whether it is a whole request that is not refused. */
static bool read_request(char *data, size_t len, struct request *out)
{
    struct http1_reading r = {0};
    struct fields fields;
    const char *reason;
    if (svc__http1_head_read(&r, data, len, &limits, out->fields, &out->head, &reason))
        return false;
    svc__fields_read(&fields, out->head.fields, out->head.count);
    if (svc__head_check(&out->head, &fields, &limits, &out->framing, &reason))
        return false;
    out->line = r.begin;
    out->end = out->fields_end = r.line;
    return read_body(data + r.line, len - r.line, out);
}

/* ---- What libmicrohttpd makes of it */

struct heard {
    char method[MAX_INPUT], target[MAX_INPUT], body[MAX_INPUT];
    size_t body_len, field_count, trailer_count;
    const struct request *wanted; /* NULL for the request behind it */
    bool as_wanted, done;
};

static struct heard heard[2];
static size_t answered; /* of these */
static bool closed;

static void *note_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)cls, (void)connection;
    REQUIRE(answered < 2);
    REQUIRE(strlen(uri) < MAX_INPUT);
    strcpy(heard[answered].target, uri);
    return NULL;
}

static bool is_field(const struct field *field, struct bytes name, struct bytes value)
{
    return svc__bytes_eq(field->name, name) && svc__bytes_eq(field->value, svc__bytes_trim(value));
}

static enum MHD_Result compare_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                     size_t name_len, const char *value, size_t value_len)
{
    struct heard *now = cls;
    const struct request *wanted = now->wanted;
    bool head = kind == MHD_HEADER_KIND;
    size_t *count = head ? &now->field_count : &now->trailer_count;
    const struct field *list = head ? wanted->fields : wanted->trailers;
    REQUIRE(*count < (head ? wanted->head.count : wanted->trailer_count));
    now->as_wanted = now->as_wanted && is_field(&list[*count], svc__bytes(name, name_len),
                                                svc__bytes(value ? value : "", value_len));
    ++*count;
    return MHD_YES;
}

static enum MHD_Result answer(struct MHD_Connection *connection)
{
    static char nothing[1];
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **context)
{
    (void)cls, (void)url, (void)version;
    struct heard *now = *context;
    if (!now) {
        *context = now = &heard[answered];
        strcpy(now->method, method);
        if (now->wanted)
            MHD_get_connection_values_n(connection, MHD_HEADER_KIND, compare_field, now);
        return MHD_YES;
    }
    if (*len) {
        REQUIRE(*len < MAX_INPUT - now->body_len);
        memcpy(now->body + now->body_len, data, *len);
        now->body_len += *len;
        *len = 0;
        return MHD_YES;
    }
    if (now->wanted)
        MHD_get_connection_values_n(connection, MHD_FOOTER_KIND, compare_field, now);
    now->done = true;
    answered++;
    return answer(connection);
}

static void note_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    (void)cls, (void)connection, (void)context;
    closed = code == MHD_CONNECTION_NOTIFY_CLOSED;
}

static void ignore_log(void *cls, const char *format, va_list args)
{
    (void)cls, (void)format, (void)args;
}

static struct MHD_Daemon *start_daemon(void)
{
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, NULL,
                         MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL, MHD_OPTION_URI_LOG_CALLBACK,
                         note_target, NULL, MHD_OPTION_NOTIFY_CONNECTION, note_connection, NULL,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL,
                         MHD_OPTION_STRICT_FOR_CLIENT, -1, MHD_OPTION_END);
    REQUIRE(daemon);
    return daemon;
}

static void send_all(int fd, const char *data, size_t len)
{
    REQUIRE(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static const char next_request[] = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/* Sends a request and another one behind it. */
static void ask_daemon(const char *text, size_t len, const struct request *wanted)
{
    static struct MHD_Daemon *daemon;
    static const struct sockaddr address = {.sa_family = AF_UNIX};
    int ends[2];
    if (!daemon)
        daemon = start_daemon();
    memset(heard, 0, sizeof heard);
    heard[0].wanted = wanted;
    heard[0].as_wanted = true;
    answered = 0;
    closed = false;
    REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    send_all(ends[1], text, len);
    send_all(ends[1], next_request, sizeof next_request - 1);
    REQUIRE(MHD_add_connection(daemon, ends[0], &address, sizeof address));
    /* All bytes are there, so a few runs are enough for both requests. If it waits for more, it
     * sees the end instead. */
    for (int runs = 0; !closed && answered < 2 && runs < RUNS; runs++)
        REQUIRE(MHD_run(daemon));
    shutdown(ends[1], SHUT_WR);
    while (!closed)
        REQUIRE(MHD_run(daemon));
    close(ends[1]);
}

/* ---- The comparison */

/* White space that a chunk's size and its extension may have between them (RFC 9110 5.6.3):
 * libmicrohttpd refuses it. */
static bool has_blank_behind_size(const char *chunks, size_t len)
{
    struct bytes rest = {chunks, len};
    for (;;) {
        struct bytes line = svc__bytes_cut(&rest, '\n');
        char *end; /* the line's end is no digit */
        size_t size = strtoul(line.data, &end, 16);
        if (*end == ' ' || *end == '\t')
            return true;
        if (!size)
            return false;
        rest = svc__bytes(rest.data + size + 2, rest.len - size - 2);
    }
}

/* An expectation without a body is the client's fault (RFC 9110 10.1.1); libmicrohttpd closes the
 * connection if another request has come by then. */
static bool may_close(const struct request *request)
{
    return request->framing.close ||
           (request->framing.expect_continue && request->framing.kind == BODY_NONE);
}

static void compare(const struct request *request, const char *text)
{
    const struct heard *now = &heard[0];
    if (!now->done) {
        size_t left = request->end - request->fields_end;
        REQUIRE(request->framing.kind == BODY_CHUNKED &&
                has_blank_behind_size(text + request->fields_end, left));
        return;
    }
    REQUIRE(svc__bytes_eq_z(request->head.method, now->method));
    REQUIRE(svc__bytes_eq_z(request->head.target_raw, now->target));
    REQUIRE(now->as_wanted && now->field_count == request->head.count &&
            now->trailer_count == request->trailer_count);
    REQUIRE(svc__bytes_eq(svc__bytes(request->body, request->body_len),
                          svc__bytes(now->body, now->body_len)));
    REQUIRE(may_close(request) || (heard[1].done && !strcmp(heard[1].target, "/next")));
}

/* Moves white space from behind values, as the front of libmicrohttpd does. */
static void move_space(char *text, const struct request *request)
{
    const char *fields = memchr(text + request->line, '\n', request->fields_end - request->line);
    size_t begin = (size_t)(fields - text) + 1, end;
    const char *reason;
    REQUIRE(!svc__head_raw_fields(text + begin, request->fields_end - begin, MAX_FIELDS, &end,
                                  &reason));
    REQUIRE(begin + end == request->fields_end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct request request;
    static char read[MAX_INPUT], sent[MAX_INPUT];
    if (size > MAX_INPUT || strcmp(MHD_get_version(), "0.9.75") != 0)
        return 0;
    memset(&request, 0, sizeof request);
    memcpy(read, data, size);
    memcpy(sent, data, size);
    if (!read_request(read, size, &request))
        return 0;
    move_space(sent, &request);
    ask_daemon(sent, request.end, &request);
    compare(&request, sent);
    return 0;
}
