/* The thread of a server under test's control. */
#include "tests/memcached/stage.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char stage_greeting[] =
    "MN\r\nSTAT pid 7\r\nSTAT uptime 5\r\nSTAT time 1800000000\r\nEND\r\n";

/* Reads until the text ends with `end`. False: the client has left. */
static bool read_until(int fd, char *text, size_t size, const char *end)
{
    size_t len = 0;
    while (len < size - 1) {
        ssize_t count = recv(fd, text + len, size - 1 - len, 0);
        if (count <= 0)
            return false;
        len += (size_t)count;
        text[len] = '\0';
        if (len >= strlen(end) && !strcmp(text + len - strlen(end), end))
            return true;
    }
    return false;
}

static bool send_text(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void *act_out(void *arg)
{
    struct stage *stage = arg;
    for (size_t i = 0; i < stage->count; i++) {
        const struct act *act = &stage->acts[i];
        int fd = accept4(stage->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && read_until(fd, stage->seen, sizeof stage->seen, "stats\r\n") &&
            send_text(fd, act->greeting) && act->reply &&
            read_until(fd, stage->seen, sizeof stage->seen, "\r\n") && send_text(fd, act->reply) &&
            !act->closes) {
            char byte;
            while (recv(fd, &byte, 1, 0) > 0)
                continue;
        }
        close(fd);
    }
    return NULL;
}

void stage_begin(struct stage *stage, const struct act *acts, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    *stage = (struct stage){.acts = acts, .count = count};
    stage->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(stage->fd >= 0 && !bind(stage->fd, (struct sockaddr *)&address, sizeof address) &&
              !listen(stage->fd, 16));
    cr_assert_eq(getsockname(stage->fd, (struct sockaddr *)&address, &len), 0);
    stage->port = ntohs(address.sin_port);
    cr_assert_eq(pthread_create(&stage->thread, NULL, act_out, stage), 0);
}

void stage_end(struct stage *stage)
{
    shutdown(stage->fd, SHUT_RDWR);
    pthread_join(stage->thread, NULL);
    close(stage->fd);
}
