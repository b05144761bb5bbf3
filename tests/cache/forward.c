/* A service for peer.sh: the response cache in front of a handler that passes each request on to
 * the origin of the environment variable ORIGIN, by libcurl. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <svc.h>

enum { URL = 8192, BODY_MAX = 1 << 20 };

struct reply {
    svc_response *res;
    char *body;
    size_t len;
    char connection[256]; /* the names of further fields of the connection */
};

/* Fields of one connection, and Date, which has a call of its own. */
static bool passes_on(const char *name)
{
    static const char *const names[] = {
        "Host",   "Connection",     "Keep-Alive", "Transfer-Encoding", "Upgrade",
        "Expect", "Content-Length", "Date",       "Proxy-Connection"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(names[i], name))
            return false;
    return true;
}

static size_t take_field(char *data, size_t size, size_t count, void *arg)
{
    struct reply *reply = arg;
    char line[16384];
    size_t len = size * count;
    if (len >= sizeof line)
        return 0;
    memcpy(line, data, len);
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    char *value = strchr(line, ':');
    if (!value)
        return len;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (!strcasecmp(line, "Connection"))
        snprintf(reply->connection, sizeof reply->connection, "%s", value);
    if (!strcasecmp(line, "Date"))
        svc_response_set_date(reply->res, (int64_t)curl_getdate(value, NULL));
    else if (passes_on(line) && *value)
        svc_response_add_header(reply->res, line, value);
    return len;
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct reply *reply = arg;
    size_t len = size * count;
    char *body = reply->len + len <= BODY_MAX ? realloc(reply->body, reply->len + len + 1) : NULL;
    if (!body)
        return 0;
    memcpy(body + reply->len, data, len);
    reply->body = body;
    reply->len += len;
    return len;
}

static struct curl_slist *list_fields(const svc_request *req)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < svc_request_header_count(req); i++) {
        char line[16384];
        const char *name, *value;
        if (!svc_request_header_at(req, i, &name, &value) && passes_on(name) &&
            snprintf(line, sizeof line, *value ? "%s: %s" : "%s;", name, value) < (int)sizeof line)
            list = curl_slist_append(list, line);
    }
    return list;
}

static int send_request(svc_request *req, struct reply *reply, long *status)
{
    char url[URL];
    size_t len;
    const char *body = svc_request_body(req, &len);
    CURL *curl = curl_easy_init();
    struct curl_slist *fields = list_fields(req);
    snprintf(url, sizeof url, "%s%s", getenv("ORIGIN"), svc_request_target(req));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    if (!strcmp(svc_request_method(req), "HEAD"))
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, svc_request_method(req));
    if (len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? 0 : SVC_EUNAVAILABLE;
}

/* RFC 9110 7.6.1 */
static void remove_named(struct reply *reply)
{
    char *rest = reply->connection, *name;
    while ((name = strsep(&rest, ", \t")))
        if (*name)
            svc_response_remove_header(reply->res, name);
}

static int forward(svc_request *req, svc_response *res)
{
    struct reply reply = {.res = res};
    long status = 0;
    int error = send_request(req, &reply, &status);
    remove_named(&reply);
    if (!error && status == 304)
        error = svc_response_empty(res, 304);
    else if (!error)
        error = svc_response_take(res, (int)status, NULL, reply.body ? reply.body : strdup(""),
                                  reply.len, free);
    else
        free(reply.body);
    return error;
}

static svc_app *make(void)
{
    svc_app *app = svc_app_new("forward");
    svc_response_cache *cache = svc_response_cache_new(app, NULL);
    svc_app_use(app, svc_response_cache_layer(cache));
    static const char *const patterns[] = {"/{rest...}", "M-SEARCH /{rest...}"};
    for (size_t i = 0; i < 2; i++) {
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = patterns[i];
        route.handler = forward;
        route.flags = SVC_BLOCKING | SVC_ANY_BYTES;
        svc_app_route(app, &route);
    }
    return app;
}

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_ALL);
    return svc_app_main(make(), argc, argv);
}
