/* A receiver of spans. */
#include "tests/support/receiver.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MOST = 16384, AWAIT_MS = 60000 };

struct kept_request {
    char *head, *body;
    size_t len;
    unsigned long long time_ms;
};

struct receiver {
    const char *const *answers;
    int listener, end_fd;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    size_t count;
    struct kept_request requests[RECEIVER_REQUESTS];
};

/* Whether the descriptor is ready; false at the end of the receiver. */
static bool await_fd(const struct receiver *receiver, int fd, short events)
{
    struct pollfd fds[] = {{.fd = receiver->end_fd, .events = POLLIN},
                           {.fd = fd, .events = events}};
    return poll(fds, 2, -1) > 0 && !fds[0].revents;
}

static bool send_all(const struct receiver *receiver, int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = await_fd(receiver, fd, POLLOUT) ? send(fd, data, len, MSG_NOSIGNAL) : -1;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static size_t read_length(const char *head)
{
    const char *field = strcasestr(head, "\r\nContent-Length:");
    return field ? strtoul(field + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

static bool receive_all(const struct receiver *receiver, int fd, char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = await_fd(receiver, fd, POLLIN) ? recv(fd, data, len, 0) : -1;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The head byte by byte: whatever is behind it is the body. */
static bool receive_request(const struct receiver *receiver, int fd, struct kept_request *request)
{
    size_t len = 0;
    request->head = calloc(1, HEAD_MOST);
    while (len < 4 || memcmp(request->head + len - 4, "\r\n\r\n", 4) != 0)
        if (len == HEAD_MOST - 1 || !receive_all(receiver, fd, request->head + len++, 1))
            return false;
    request->len = read_length(request->head);
    request->body = calloc(1, request->len + 1);
    return receive_all(receiver, fd, request->body, request->len);
}

static unsigned long long clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

static void free_request(struct kept_request *request)
{
    free(request->head);
    free(request->body);
}

static const char *keep_request(struct receiver *receiver, struct kept_request *request)
{
    const char *const *answer = receiver->answers;
    request->time_ms = clock_ms();
    pthread_mutex_lock(&receiver->lock);
    for (size_t i = 0; i < receiver->count && answer[1]; i++)
        answer++;
    if (receiver->count < RECEIVER_REQUESTS)
        receiver->requests[receiver->count] = *request;
    else
        free_request(request);
    receiver->count++;
    pthread_cond_broadcast(&receiver->news);
    pthread_mutex_unlock(&receiver->lock);
    return *answer;
}

static void send_endlessly(const struct receiver *receiver, int fd, const char *start,
                           const char *piece)
{
    bool sent = send_all(receiver, fd, start, strlen(start));
    while (sent)
        sent = send_all(receiver, fd, piece, strlen(piece));
}

/* Whether the connection goes on. */
static bool answer_request(const struct receiver *receiver, int fd, const char *answer)
{
    if (!strcmp(answer, RECEIVER_RESET)) {
        const struct linger at_once = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return false;
    }
    if (!strcmp(answer, RECEIVER_SILENT))
        return await_fd(receiver, -1, 0);
    if (!strcmp(answer, RECEIVER_ENDLESS)) {
        send_endlessly(receiver, fd, "HTTP/1.1 200 OK\r\n\r\n", "{\"partialSuccess\":");
        return false;
    }
    if (!strcmp(answer, RECEIVER_ENDLESS_HEAD)) {
        send_endlessly(receiver, fd, "HTTP/1.1 200 OK\r\n", "Set-Cookie: a=b\r\n");
        return false;
    }
    return send_all(receiver, fd, answer, strlen(answer)) && strncmp(answer, "HTTP/", 5) == 0;
}

static void serve_connection(struct receiver *receiver, int fd)
{
    struct kept_request request;
    do {
        request = (struct kept_request){.head = NULL};
        if (!receive_request(receiver, fd, &request)) {
            free_request(&request);
            return;
        }
    } while (answer_request(receiver, fd, keep_request(receiver, &request)));
}

static void *serve(void *arg)
{
    struct receiver *receiver = arg;
    while (await_fd(receiver, receiver->listener, POLLIN)) {
        int fd = accept4(receiver->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        serve_connection(receiver, fd);
        close(fd);
    }
    return NULL;
}

static bool listen_here(struct receiver *receiver)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(receiver->listener, (struct sockaddr *)&address, sizeof address) ||
        listen(receiver->listener, 16) ||
        getsockname(receiver->listener, (struct sockaddr *)&address, &len))
        return false;
    snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return true;
}

struct receiver *receiver_start(const char *const *answers)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (!receiver)
        return NULL;
    receiver->answers = answers;
    receiver->end_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&receiver->lock, NULL);
    pthread_cond_init(&receiver->news, NULL);
    if (listen_here(receiver) && !pthread_create(&receiver->thread, NULL, serve, receiver))
        return receiver;
    perror("receiver");
    free(receiver);
    return NULL;
}

const char *receiver_url(const struct receiver *receiver)
{
    return receiver->url;
}

bool receiver_await(struct receiver *receiver, size_t count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += AWAIT_MS / 1000;
    int error = 0;
    pthread_mutex_lock(&receiver->lock);
    while (receiver->count < count && !error)
        error = pthread_cond_timedwait(&receiver->news, &receiver->lock, &until);
    pthread_mutex_unlock(&receiver->lock);
    return !error;
}

size_t receiver_count(struct receiver *receiver)
{
    pthread_mutex_lock(&receiver->lock);
    size_t count = receiver->count;
    pthread_mutex_unlock(&receiver->lock);
    return count;
}

static struct kept_request find_request(struct receiver *receiver, size_t index)
{
    static char none[1];
    struct kept_request request = {none, none, 0, 0};
    pthread_mutex_lock(&receiver->lock);
    if (index < receiver->count && index < RECEIVER_REQUESTS)
        request = receiver->requests[index];
    pthread_mutex_unlock(&receiver->lock);
    return request;
}

const char *receiver_head(struct receiver *receiver, size_t index)
{
    return find_request(receiver, index).head;
}

const char *receiver_body(struct receiver *receiver, size_t index, size_t *len)
{
    struct kept_request request = find_request(receiver, index);
    *len = request.len;
    return request.body;
}

unsigned long long receiver_time_ms(struct receiver *receiver, size_t index)
{
    return find_request(receiver, index).time_ms;
}

void receiver_stop(struct receiver *receiver)
{
    if (!receiver)
        return;
    (void)!write(receiver->end_fd, &(uint64_t){1}, sizeof(uint64_t));
    pthread_join(receiver->thread, NULL);
    for (size_t i = 0; i < receiver->count && i < RECEIVER_REQUESTS; i++)
        free_request(&receiver->requests[i]);
    close(receiver->listener);
    close(receiver->end_fd);
    free(receiver);
}
