/* A script counts and publishes in one step, so numbers come in order. */
#include "libsvc/redis/redis_channel.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/redis/redis_time.h"

struct redis_channel {
    struct redis_server *server;
    struct redis_link *link;
    char *text; /* of the last message, with its number before it */
    size_t len;
};

/* Takes a message; without memory it is lost, which its reader then says. */
static void keep_message(void *arg, const char *data, size_t len)
{
    struct redis_channel *channel = arg;
    free(channel->text);
    channel->text = malloc(len + 1);
    channel->len = len;
    if (channel->text)
        memcpy(channel->text, data, len);
}

static int await_subscription(struct redis_channel *channel, uint64_t deadline_ms)
{
    struct redis_link *link = channel->link;
    const struct redis_reply *reply = &link->reply;
    int error = svc__redis_link_wait(link, deadline_ms, -1, NULL, NULL);
    if (error)
        return error;
    if (reply->kind == REDIS_ERROR) {
        svc__redis_server_report(channel->server, reply->text);
        return SVC_EUNAVAILABLE;
    }
    bool is_there = reply->kind == REDIS_LIST && reply->count == 3 && reply->numbers[2] == 1;
    return is_there ? 0 : SVC_ESYNTAX;
}

int svc__redis_channel_subscribe(struct redis_server *server, const char *key, size_t key_len,
                                 uint64_t wait_ms, struct redis_channel **channel)
{
    uint64_t deadline_ms = svc__redis_time_ms() + wait_ms;
    struct redis_channel *made = calloc(1, sizeof *made);
    if (!made)
        return SVC_ENOMEM;
    made->server = server;
    int error = svc__redis_server_take(server, deadline_ms, &made->link);
    if (!error) {
        svc__redis_command_subscribe(&server->commands, &made->link->out, key, key_len);
        error = await_subscription(made, deadline_ms);
        svc__redis_server_count(server, error);
    }
    if (error)
        svc__redis_channel_free(made);
    else
        *channel = made;
    return error;
}

/* Splits the number from the message. */
static int read_message(const struct redis_channel *channel, svc_sys_store_message *message)
{
    const char *text = channel->text;
    const char *space = text ? memchr(text, ' ', channel->len) : NULL;
    if (!text)
        return SVC_ENOMEM;
    if (!space ||
        !svc__redis_text_to_number(text, (size_t)(space - text), INT64_MAX, &message->number))
        return SVC_ESYNTAX;
    message->data = space + 1;
    message->len = channel->len - (size_t)(space + 1 - text);
    return 0;
}

int svc__redis_channel_receive(struct redis_channel *channel, int wake_fd, uint64_t wait_ms,
                               svc_sys_store_message *message)
{
    const struct redis_reply *reply = &channel->link->reply;
    int error = svc__redis_link_wait(channel->link, svc__redis_time_ms() + wait_ms, wake_fd,
                                     keep_message, channel);
    if (error)
        return error == SVC_ECANCELLED ? SVC_ETIMEDOUT : error;
    if (reply->kind != REDIS_LIST || reply->count != 3 || !reply->taken)
        return SVC_ESYNTAX;
    return read_message(channel, message);
}

void svc__redis_channel_free(struct redis_channel *channel)
{
    if (!channel)
        return;
    svc__redis_link_free(channel->link);
    free(channel->text);
    free(channel);
}
