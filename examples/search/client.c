/* A handle of libcurl keeps its connection, so handles are used again. */
#define SVC_LOG_MODULE "client"
#include "client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BODY = 4 << 20 };

struct handle {
    struct handle *next;
    CURL *curl;
};

struct client {
    pthread_mutex_t lock; /* of the list */
    struct handle *idle;
};

struct client *client_new(void)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client || curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(client);
        return NULL;
    }
    pthread_mutex_init(&client->lock, NULL);
    return client;
}

static void free_handle(struct handle *handle)
{
    curl_easy_cleanup(handle->curl);
    free(handle);
}

void client_free(struct client *client)
{
    if (!client)
        return;
    while (client->idle) {
        struct handle *handle = client->idle;
        client->idle = handle->next;
        free_handle(handle);
    }
    pthread_mutex_destroy(&client->lock);
    free(client);
    curl_global_cleanup();
}

static struct handle *make_handle(void)
{
    struct handle *handle = calloc(1, sizeof *handle);
    if (handle)
        handle->curl = curl_easy_init();
    if (handle && handle->curl)
        return handle;
    free(handle);
    return NULL;
}

static struct handle *take_handle(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    struct handle *handle = client->idle;
    if (handle)
        client->idle = handle->next;
    pthread_mutex_unlock(&client->lock);
    return handle ? handle : make_handle();
}

static void give_back(struct client *client, struct handle *handle)
{
    curl_easy_reset(handle->curl); /* which leaves the connection */
    pthread_mutex_lock(&client->lock);
    handle->next = client->idle;
    client->idle = handle;
    pthread_mutex_unlock(&client->lock);
}

/* ---- One call */

struct call {
    svc_request *req;
    struct answer *answer;
    int error; /* why the body was not kept */
};

static size_t keep_body(char *data, size_t size, size_t count, void *arg)
{
    struct call *call = arg;
    struct answer *answer = call->answer;
    size_t len = size * count;
    if (len > MAX_BODY - answer->len) {
        call->error = SVC_ETOOBIG;
        return 0;
    }
    char *grown = realloc(answer->body, answer->len + len + 1);
    if (!grown) {
        call->error = SVC_ENOMEM;
        return 0;
    }
    answer->body = grown;
    memcpy(grown + answer->len, data, len);
    answer->len += len;
    grown[answer->len] = '\0';
    return len;
}

static int is_cancelled(void *arg, curl_off_t total, curl_off_t now, curl_off_t to_send,
                        curl_off_t sent)
{
    const struct call *call = arg;
    (void)total, (void)now, (void)to_send, (void)sent;
    return svc_request_cancelled(call->req);
}

/* A field that is empty is not sent. */
static bool add_field(struct curl_slist **fields, const char *name, const char *value)
{
    char line[700]; /* a tracestate has 512 bytes at most */
    if (!*value)
        return true;
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*fields, line);
    if (longer)
        *fields = longer;
    return longer;
}

/* What the called service needs to go on with: the trace, the time that is left and the id in log
 * lines. */
static bool add_fields(struct curl_slist **fields, svc_request *req, const svc_span *span)
{
    return add_field(fields, "traceparent", svc_span_traceparent(req, span)) &&
           add_field(fields, "tracestate", svc_request_tracestate(req)) &&
           add_field(fields, "X-Request-Timeout", svc_request_timeout_text(req)) &&
           add_field(fields, "X-Request-Id", svc_request_id(req));
}

static CURLcode perform(CURL *curl, struct call *call, const char *url,
                        const struct curl_slist *fields)
{
    uint64_t left_ms = svc_request_remaining_ms(call->req);
    long status = 0;
    if (!left_ms) /* for libcurl, 0 is no limit */
        return CURLE_OPERATION_TIMEDOUT;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    call->answer->status = (int)status;
    return code;
}

/* As OpenTelemetry's conventions for HTTP clients have it: also a status that blames the client is
 * the call's failure. */
static void describe_end(svc_span *span, CURLcode code, int status)
{
    char text[12];
    if (status)
        svc_span_set(span, svc_kv_int("http.response.status_code", status));
    snprintf(text, sizeof text, "%d", status);
    if (code)
        svc_span_fail(span,
                      code == CURLE_OPERATION_TIMEDOUT     ? "timeout"
                      : code == CURLE_ABORTED_BY_CALLBACK  ? "cancelled"
                      : code == CURLE_COULDNT_CONNECT      ? "unreachable"
                      : code == CURLE_COULDNT_RESOLVE_HOST ? "unreachable"
                                                           : "_OTHER",
                      curl_easy_strerror(code));
    else if (status >= 400)
        svc_span_fail(span, text, NULL);
}

static int find_error(const struct call *call, CURLcode code)
{
    if (call->error)
        return call->error;
    if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK)
        return SVC_ECANCELLED;
    return code ? SVC_ESYSTEM : 0;
}

int client_get(struct client *client, svc_request *req, const char *name, const char *url,
               struct answer *answer)
{
    struct call call = {.req = req, .answer = answer};
    struct curl_slist *fields = NULL;
    *answer = (struct answer){.status = 0};
    struct handle *handle = take_handle(client);
    if (!handle)
        return SVC_ENOMEM;
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, name);
    svc_span_set(span, svc_kv_str("http.request.method", "GET"), svc_kv_str("url.full", url));
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (add_fields(&fields, req, span))
        code = perform(handle->curl, &call, url, fields);
    describe_end(span, code, answer->status);
    svc_span_end(span);
    if (code)
        svc_log_warn(req, "call failed", svc_kv_str("url", url),
                     svc_kv_str("reason", curl_easy_strerror(code)));
    curl_slist_free_all(fields);
    give_back(client, handle);
    return find_error(&call, code);
}

void answer_clear(struct answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}
