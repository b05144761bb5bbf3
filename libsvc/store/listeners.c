/* One lock for all: messages are rare, and each is for all listeners of its key. */
#include "libsvc/store/listeners.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/base/list.h"
#include "libsvc/base/wait.h"

struct listener {
    struct listeners *in;
    struct listener *next;
    struct bytes key;
    int event_fd;               /* readable while there is something to hear */
    struct heard *first, *last; /* guarded by the lock, as are the next two */
    size_t bytes;
    bool lost;
    struct heard *borrowed; /* by the last call of svc__listeners_hear */
};

void svc__listeners_init(struct listeners *listeners)
{
    pthread_mutex_init(&listeners->lock, NULL);
    listeners->first = NULL;
}

void svc__listeners_free(struct listeners *listeners)
{
    pthread_mutex_destroy(&listeners->lock);
}

int svc__listeners_add(struct listeners *listeners, struct bytes key, struct listener **out)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return SVC_ENOMEM;
    listener->in = listeners;
    listener->key = key;
    listener->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->event_fd < 0) {
        free(listener);
        return SVC_ESYSTEM;
    }
    pthread_mutex_lock(&listeners->lock);
    listener->next = listeners->first;
    listeners->first = listener;
    pthread_mutex_unlock(&listeners->lock);
    *out = listener;
    return 0;
}

static void drop_queue(struct listener *listener)
{
    while (listener->first) {
        struct heard *heard = listener->first;
        listener->first = heard->next;
        free(heard);
    }
    listener->last = NULL;
    listener->bytes = 0;
}

void svc__listeners_remove(struct listener *listener)
{
    struct listeners *listeners = listener->in;
    pthread_mutex_lock(&listeners->lock);
    struct listener **at = &listeners->first;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    pthread_mutex_unlock(&listeners->lock);
    drop_queue(listener);
    free(listener->borrowed);
    close(listener->event_fd);
    free(listener);
}

void svc__listeners_begin(struct listeners *listeners)
{
    pthread_mutex_lock(&listeners->lock);
}

void svc__listeners_end(struct listeners *listeners)
{
    pthread_mutex_unlock(&listeners->lock);
}

static void queue_message(struct listener *listener, uint64_t number, struct bytes data)
{
    size_t size = sizeof(struct heard) + data.len;
    bool fits = listener->bytes + size <= LISTENER_QUEUE_BYTES;
    struct heard *heard = fits && !listener->lost ? malloc(size) : NULL;
    if (!heard) {
        drop_queue(listener);
        listener->lost = true;
        return;
    }
    *heard = (struct heard){.number = number, .len = data.len};
    if (data.len > 0)
        memcpy(heard->data, data.data, data.len);
    LIST_APPEND(listener->first, listener->last, heard, heard);
    listener->bytes += size;
}

void svc__listeners_send(struct listeners *listeners, struct bytes key, uint64_t number,
                         struct bytes data)
{
    const uint64_t one = 1;
    for (struct listener *each = listeners->first; each; each = each->next) {
        if (!svc__bytes_eq(each->key, key))
            continue;
        queue_message(each, number, data);
        if (write(each->event_fd, &one, sizeof one) < 0)
            continue; /* it is full, so that it is readable */
    }
}

/* Takes what there is: 0, SVC_ECLOSED, or SVC_EAGAIN for nothing. */
static int take_message(struct listener *listener, const struct heard **out)
{
    free(listener->borrowed);
    pthread_mutex_lock(&listener->in->lock);
    struct heard *heard = listener->borrowed = listener->first;
    if (heard) {
        listener->first = heard->next;
        listener->last = heard->next ? listener->last : NULL;
        listener->bytes -= sizeof *heard + heard->len;
    }
    int error = heard ? 0 : listener->lost ? SVC_ECLOSED : SVC_EAGAIN;
    pthread_mutex_unlock(&listener->in->lock);
    if (!error)
        *out = heard;
    return error;
}

int svc__listeners_hear(struct listener *listener, int wake_fd, uint64_t wait_ms,
                        const struct heard **out)
{
    uint64_t end_ms = svc__clock_ms() + wait_ms, seen;
    for (;;) {
        int error = take_message(listener, out);
        uint64_t now_ms = svc__clock_ms();
        if (error != SVC_EAGAIN)
            return error;
        if (now_ms >= end_ms)
            return SVC_ETIMEDOUT;
        struct pollfd fds[] = {{.fd = listener->event_fd, .events = POLLIN},
                               {.fd = wake_fd, .events = POLLIN}};
        (void)poll(fds, 2, (int)svc__least_u64(end_ms - now_ms, WAIT_LOOK_MS));
        if (fds[1].revents)
            return SVC_ETIMEDOUT;
        if (fds[0].revents && read(listener->event_fd, &seen, sizeof seen) < 0)
            continue; /* there was nothing */
    }
}
