/* One thread serves all connections. */
#include "tests/redis/redis_fake.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void write_all(int fd, const char *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t written = sendto(fd, data + at, len - at, MSG_NOSIGNAL, NULL, 0);
        if (written <= 0)
            return;
        at += (size_t)written;
    }
}

/* Whether the connection goes on. */
static bool serve(const struct redis_fake *fake, int fd)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    char data[65536];
    ssize_t got = recv(fd, data, sizeof data, 0);
    if (got <= 0)
        return false;
    if ((size_t)got == sizeof ping - 1 && !memcmp(data, ping, sizeof ping - 1)) {
        write_all(fd, fake->greeting, strlen(fake->greeting));
        return true;
    }
    write_all(fd, fake->reply, fake->len);
    return !fake->closes;
}

static void *serve_all(void *arg)
{
    struct redis_fake *fake = arg;
    for (;;) {
        struct pollfd fds[FAKE_CLIENTS + 2] = {{fake->stop[0], POLLIN, 0},
                                               {fake->listener, POLLIN, 0}};
        for (int i = 0; i < fake->count; i++)
            fds[i + 2] = (struct pollfd){fake->clients[i], POLLIN, 0};
        int count = fake->count;
        if (poll(fds, (nfds_t)count + 2, -1) < 0 || fds[0].revents)
            return NULL;
        for (int i = count - 1; i >= 0; i--)
            if (fds[i + 2].revents && !serve(fake, fake->clients[i])) {
                close(fake->clients[i]);
                fake->clients[i] = fake->clients[--fake->count];
            }
        if (fds[1].revents && fake->count < FAKE_CLIENTS) {
            fake->clients[fake->count] = accept(fake->listener, NULL, NULL);
            fake->count += fake->clients[fake->count] >= 0;
            fake->connections++;
        }
    }
}

void redis_fake_start(struct redis_fake *fake, const char *params)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(fake->folder, sizeof fake->folder, "/tmp/libsvc-redis-fake-XXXXXX");
    if (!mkdtemp(fake->folder))
        abort();
    snprintf(fake->path, sizeof fake->path, "%s/sock", fake->folder);
    snprintf(fake->url, sizeof fake->url, "redis+unix:%s?%s", fake->path, params);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", fake->path);
    fake->count = 0;
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fake->listener < 0 || pipe(fake->stop) ||
        bind(fake->listener, (struct sockaddr *)&address, sizeof address) ||
        listen(fake->listener, FAKE_CLIENTS) ||
        pthread_create(&fake->thread, NULL, serve_all, fake))
        abort();
}

void redis_fake_stop(struct redis_fake *fake)
{
    close(fake->stop[1]);
    pthread_join(fake->thread, NULL);
    for (int i = 0; i < fake->count; i++)
        close(fake->clients[i]);
    close(fake->stop[0]);
    close(fake->listener);
    unlink(fake->path);
    rmdir(fake->folder);
}
