/* hiredis' reader with functions of our own for what it finds. */
#include "libsvc/redis/redis_reply.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

/* hiredis 1.0 has changed the type of a list's length. */
#if HIREDIS_MAJOR < 1
typedef int list_count;
#else
typedef size_t list_count;
#endif

/* ["message", its channel, the message] */
enum { MESSAGE_ITEM = 2 };

struct redis_reader {
    redisReader *reader;
    size_t most;
    struct redis_reply *reply; /* within svc__redis_reply_next */
    redis_take *take;
    void *arg;
    size_t count; /* of the items of the list that is being read */
    int64_t numbers[REDIS_NUMBERS];
    bool taken;
    bool expects_keys;
    bool refused; /* by one of the functions below */
};

static void *refuse_reply(struct redis_reader *reader)
{
    reader->refused = true;
    return NULL;
}

static void take_text(struct redis_reader *reader, const char *data, size_t len)
{
    reader->take(reader->arg, data, len);
    reader->taken = true;
}

/* Whether an item belongs to the list of keys within an announcement. */
static bool is_of_keys(const redisReadTask *task)
{
    return task->parent && task->parent->parent;
}

static void *keep_text(const redisReadTask *task, char *data, size_t len)
{
    struct redis_reader *reader = task->privdata;
    struct redis_reply *reply = reader->reply;
    if (task->parent) {
        if ((task->idx == MESSAGE_ITEM || is_of_keys(task)) && reader->take)
            take_text(reader, data, len);
        return reader;
    }
    reply->kind = task->type == REDIS_REPLY_ERROR    ? REDIS_ERROR
                  : task->type == REDIS_REPLY_STATUS ? REDIS_STATUS
                                                     : REDIS_TEXT;
    if (reply->kind == REDIS_TEXT && reader->take) {
        take_text(reader, data, len);
        return reader;
    }
    reply->len = len < REDIS_TEXT_BYTES ? len : REDIS_TEXT_BYTES;
    memcpy(reply->text, data, reply->len);
    reply->text[reply->len] = '\0';
    return reader;
}

static void *keep_list(const redisReadTask *task, list_count count)
{
    struct redis_reader *reader = task->privdata;
    if (task->parent && reader->expects_keys && task->idx == MESSAGE_ITEM && !is_of_keys(task))
        return reader;
    if (task->parent || count > REDIS_NUMBERS)
        return refuse_reply(reader);
    reader->reply->kind = REDIS_LIST;
    reader->taken = false;
    reader->count = (size_t)count;
    memset(reader->numbers, 0, sizeof reader->numbers);
    return reader;
}

static void *keep_number(const redisReadTask *task, long long number)
{
    struct redis_reader *reader = task->privdata;
    if (is_of_keys(task))
        return refuse_reply(reader);
    if (task->parent) {
        reader->numbers[task->idx] = number;
    } else {
        reader->reply->kind = REDIS_NUMBER;
        reader->reply->number = number;
    }
    return reader;
}

static void *keep_nil(const redisReadTask *task)
{
    struct redis_reader *reader = task->privdata;
    if (!task->parent)
        reader->reply->kind = REDIS_NIL;
    return reader;
}

/* Nothing was made. */
static void free_object(void *object)
{
    (void)object;
}

static redisReplyObjectFunctions functions = {.createString = keep_text,
                                              .createArray = keep_list,
                                              .createInteger = keep_number,
                                              .createNil = keep_nil,
                                              .freeObject = free_object};

struct redis_reader *svc__redis_reply_new(size_t most)
{
    struct redis_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->most = most;
    reader->reader = redisReaderCreateWithFunctions(&functions);
    if (!reader->reader) {
        free(reader);
        return NULL;
    }
    reader->reader->privdata = reader;
    return reader;
}

void svc__redis_reply_free(struct redis_reader *reader)
{
    if (!reader)
        return;
    redisReaderFree(reader->reader);
    free(reader);
}

int svc__redis_reply_feed(struct redis_reader *reader, const char *data, size_t len)
{
    return redisReaderFeed(reader->reader, data, len) == REDIS_OK ? 0 : SVC_ENOMEM;
}

int svc__redis_reply_next(struct redis_reader *reader, struct redis_reply *reply, redis_take *take,
                          void *arg)
{
    void *whole = NULL;
    redisReader *own = reader->reader;
    reply->len = 0;
    reply->text[0] = '\0';
    reader->reply = reply;
    reader->take = take;
    reader->arg = arg;
    int status = redisReaderGetReply(own, &whole);
    if (status != REDIS_OK)
        return own->err == REDIS_ERR_OOM && !reader->refused ? SVC_ENOMEM : SVC_ESYNTAX;
    if (!whole)
        return own->len - own->pos > reader->most ? SVC_ESYNTAX : 0;
    reply->taken = reader->taken;
    reader->taken = false;
    if (reply->kind == REDIS_LIST) {
        reply->count = reader->count;
        memcpy(reply->numbers, reader->numbers, sizeof reply->numbers);
    }
    return 1;
}

void svc__redis_reply_expect_keys(struct redis_reader *reader)
{
    reader->expects_keys = true;
}

bool svc__redis_reply_is_empty(const struct redis_reader *reader)
{
    return reader->reader->pos == reader->reader->len;
}
