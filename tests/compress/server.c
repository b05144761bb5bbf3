/* A service for tests/compress/curl.sh: bodies of each form, under all codings. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>
#include <svc/zstd_brotli.h>

enum { PAGE = 60000, LARGE = 3000000 };

static char large[LARGE];

static void fill_large(void)
{
    unsigned state = 1;
    for (size_t i = 0; i < LARGE; i++) {
        state = state * 1103515245 + 12345;
        large[i] = i % 16 < 12 ? "{\"name\":\"a\" "[i % 16] : (char)('0' + (state >> 16) % 40);
    }
}

static int send_page(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "application/json", large, PAGE);
}

static int send_large(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/plain", large, LARGE);
}

static int write_large(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, large, LARGE);
}

static int stream_large(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_large, NULL);
}

/* ---- Events, each of which waits for a request to /next */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned asked;

static int write_events(svc_pipe *pipe, void *arg)
{
    char event[32];
    int error = 0;
    (void)arg;
    for (unsigned i = 0; i < 3 && !error; i++) {
        snprintf(event, sizeof event, "data: event %u\n\n", i);
        error = svc_pipe_write(pipe, event, strlen(event));
        pthread_mutex_lock(&lock);
        while (asked == 0)
            pthread_cond_wait(&changed, &lock);
        asked--;
        pthread_mutex_unlock(&lock);
    }
    return error;
}

static int send_events(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/event-stream", write_events, NULL);
}

static int next_event(svc_request *req, svc_response *res)
{
    (void)req;
    pthread_mutex_lock(&lock);
    asked++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return svc_response_empty(res, 204);
}

int main(int argc, char **argv)
{
    svc_app *app = svc_app_new("compress");
    fill_large();
    svc_zstd_use(app);
    svc_brotli_use(app);
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_get(app, "/page", send_page, NULL);
    svc_app_get(app, "/large", send_large, NULL);
    svc_app_get(app, "/stream", stream_large, NULL);
    svc_app_get(app, "/events", send_events, NULL);
    svc_app_post(app, "/next", next_event, NULL);
    return svc_app_main(app, argc, argv);
}
