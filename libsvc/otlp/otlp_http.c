/* Requests by libcurl. */
#include "libsvc/otlp/otlp_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <svc/version.h>

enum {
    LOOK_MS = 1000,
    CLOSE_IDLE_S = 60,
    RETRY_AFTER_MOST_S = 3600,
    HEAD_MOST = 64 << 10 /* of all heads of an answer, interim ones included */
};

struct otlp_http {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *fields;
    size_t head_len; /* of the answer that comes */
};

uint64_t svc__otlp_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}

static bool add_field(struct otlp_http *http, const char *line)
{
    struct curl_slist *longer = curl_slist_append(http->fields, line);
    if (longer)
        http->fields = longer;
    return longer != NULL;
}

static bool add_fields(struct otlp_http *http, const struct otlp_config *config)
{
    bool added = add_field(http, "Content-Type: application/json") && add_field(http, "Expect:");
    if (config->gzip)
        added = added && add_field(http, "Content-Encoding: gzip");
    for (size_t i = 0; i < config->header_count; i++)
        added = added && add_field(http, config->headers[i]);
    return added;
}

/* One byte more than is kept shows that there is more. */
static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct otlp_text *body = arg;
    (void)size;
    svc__otlp_text_add(body, data, count);
    return body->failed ? 0 : count;
}

/* libcurl keeps heads, so it is not given more than an answer needs. */
static size_t take_head(char *data, size_t size, size_t count, void *arg)
{
    struct otlp_http *http = arg;
    (void)data, (void)size;
    http->head_len += count;
    return http->head_len > HEAD_MOST ? 0 : count;
}

/* Set only where they are wanted, since a libcurl without TLS knows none of them. The file of
 * authorities stands in place of all that libcurl would trust. */
static CURLcode set_files(CURL *easy, const struct otlp_config *config)
{
    CURLcode error = CURLE_OK;
    if (config->authorities)
        error = curl_easy_setopt(easy, CURLOPT_CAINFO, config->authorities);
    if (config->authorities)
        error = error ? error : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (config->client_certificate)
        error = error ? error : curl_easy_setopt(easy, CURLOPT_SSLCERT, config->client_certificate);
    if (config->client_key)
        error = error ? error : curl_easy_setopt(easy, CURLOPT_SSLKEY, config->client_key);
    return error;
}

static CURLcode set_user_agent(CURL *easy)
{
    char agent[64];
    snprintf(agent, sizeof agent, "libsvc-otlp-c/%s", svc_version());
    return curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
}

static bool set_options(struct otlp_http *http, const struct otlp_config *config)
{
    CURL *easy = http->easy;
    CURLcode error = curl_easy_setopt(easy, CURLOPT_URL, config->url);
    error = error ? error : curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->fields);
    error = error ? error : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    error = error ? error : set_user_agent(easy);
    error = error ? error : set_files(easy, config);
    error = error ? error : curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
    error = error ? error : curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
    error = error ? error : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    error = error ? error : curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CLOSE_IDLE_S);
#if LIBCURL_VERSION_NUM >= 0x075700 /* a stop does not wait for a name server that is silent */
    error = error ? error : curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
#if LIBCURL_VERSION_NUM >= 0x075500
    error = error ? error : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    error =
        error ? error : curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    return !error;
}

struct otlp_http *svc__otlp_http_new(const struct otlp_config *config)
{
    struct otlp_http *http = calloc(1, sizeof *http);
    if (!http || curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(http);
        return NULL;
    }
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    if (!http->multi || !http->easy || !add_fields(http, config) || !set_options(http, config)) {
        svc__otlp_http_free(http);
        return NULL;
    }
    return http;
}

void svc__otlp_http_free(struct otlp_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->fields);
    curl_global_cleanup();
    free(http);
}

void svc__otlp_http_sleep(struct otlp_http *http, uint64_t ms)
{
    curl_multi_poll(http->multi, NULL, 0, ms < INT32_MAX ? (int)ms : INT32_MAX, NULL);
}

void svc__otlp_http_wake(struct otlp_http *http)
{
    curl_multi_wakeup(http->multi);
}

static bool is_over(const _Atomic uint64_t *deadline_ms)
{
    uint64_t deadline = atomic_load(deadline_ms);
    return deadline && svc__otlp_clock_ms() >= deadline;
}

/* The result of the transfer; -1 when it was given up at the deadline. */
static int transfer(struct otlp_http *http, const _Atomic uint64_t *deadline_ms)
{
    for (;;) {
        int running = 0, left;
        CURLMcode error = curl_multi_perform(http->multi, &running);
        CURLMsg *message = running ? NULL : curl_multi_info_read(http->multi, &left);
        if (message)
            return (int)message->data.result;
        if (error || !running)
            return CURLE_FAILED_INIT;
        if (is_over(deadline_ms))
            return -1;
        curl_multi_poll(http->multi, NULL, 0, LOOK_MS, NULL);
    }
}

/* libcurl takes some lines for the beginning of an answer that have no status, or none of three
 * digits, such as "HTTP/200". */
static void read_answer(CURL *easy, int result, struct otlp_answer *answer)
{
    long status = 0;
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    answer->status = status >= 100 && status <= 999 ? (int)status : 0;
    answer->is_whole = result == CURLE_OK && answer->status >= 200;
    if (seconds > 0)
        answer->retry_after_ms =
            (uint64_t)(seconds < RETRY_AFTER_MOST_S ? seconds : RETRY_AFTER_MOST_S) * 1000;
    if (!answer->is_whole)
        snprintf(answer->error, sizeof answer->error, "%s",
                 result < 0           ? "the time for it is over"
                 : result == CURLE_OK ? "the answer has no status"
                                      : curl_easy_strerror((CURLcode)result));
}

void svc__otlp_http_post(struct otlp_http *http, const struct otlp_text *body, uint64_t timeout_ms,
                         const _Atomic uint64_t *deadline_ms, struct otlp_answer *answer)
{
    CURL *easy = http->easy;
    *answer = (struct otlp_answer){.body = {.ceiling = OTLP_ANSWER_MOST}};
    http->head_len = 0;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->data);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer->body);
    int result = curl_multi_add_handle(http->multi, easy) ? CURLE_OUT_OF_MEMORY
                                                          : transfer(http, deadline_ms);
    read_answer(easy, result, answer);
    curl_multi_remove_handle(http->multi, easy);
}
