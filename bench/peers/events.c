/*
 * A server whose listeners at /events get each event that a request to /publish makes, by a topic;
 * or, with the argument "bare", by a loop of sends of the same bytes, without a library: an HTTP
 * server only as far as the benchmark's client needs one.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc.h>

enum { DATA = 100, MOST = 20000 };

static char data[DATA + 1];
static svc_topic *topic;

/* ---- By libsvc */

static int listen_to_topic(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    int error = svc_topic_listen(topic, events, NULL);
    svc_events_unref(events);
    return error;
}

static int publish(svc_request *req, svc_response *res)
{
    (void)req;
    int error = svc_topic_publish(topic, NULL, NULL, data);
    return error ? error : svc_response_text(res, 200, "published");
}

static int say_ok(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static int serve_topic(void)
{
    svc_app *app = svc_app_new("events");
    topic = svc_topic_new(app, "events", NULL);
    svc_app_get(app, "/events", listen_to_topic, NULL);
    svc_app_get(app, "/publish", publish, NULL);
    svc_app_get(app, "/", say_ok, NULL);
    return svc_app_run(app);
}

/* ---- Bare */

static int listeners[MOST], listener_count;

static void send_all(int fd, const char *text, size_t len)
{
    if (send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
        abort();
}

static void send_text(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

static void answer(int fd)
{
    char request[4096], event[DATA + 64];
    ssize_t n = recv(fd, request, sizeof request - 1, 0);
    if (n <= 0) {
        close(fd);
        return;
    }
    request[n] = '\0';
    if (strstr(request, "GET /events ")) {
        send_text(fd,
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nretry: 3000\n\n\r\n");
        listeners[listener_count++] = fd;
        return;
    }
    int len = snprintf(event, sizeof event, "%x\r\ndata: %s\n\n\r\n", DATA + 8, data);
    if (strstr(request, "GET /publish "))
        for (int i = 0; i < listener_count; i++)
            send_all(listeners[i], event, (size_t)len);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static int serve_bare(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, own = socket(AF_INET, SOCK_STREAM, 0), poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = own};
    setsockopt(own, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(own, (struct sockaddr *)&address, sizeof address) || listen(own, 1024))
        return 1;
    epoll_ctl(poller, EPOLL_CTL_ADD, own, &event);
    while (epoll_wait(poller, &event, 1, -1) >= 0)
        if (event.data.fd == own) {
            event.data.fd = accept(own, NULL, NULL);
            setsockopt(event.data.fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
            epoll_ctl(poller, EPOLL_CTL_ADD, event.data.fd, &event);
        } else {
            answer(event.data.fd);
        }
    return 1;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    memset(data, 'x', DATA);
    return argc == 3 && !strcmp(argv[1], "bare") ? serve_bare(atoi(argv[2])) : serve_topic();
}
