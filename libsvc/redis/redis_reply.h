/*
 * Replies of the server, by hiredis' reader. The one file that knows hiredis. Its reader makes no
 * objects here: a value goes from the reader's buffer to its place in one copy.
 *
 * A server is not trusted: a reply longer than the limit, a list of more than REDIS_NUMBERS items,
 * a list within a list, unless keys are expected, and bytes that are no reply are errors, after
 * which the connection is of no use.
 */
#ifndef SVC_REDIS_REDIS_REPLY_H
#define SVC_REDIS_REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REDIS_TEXT_BYTES = 256, /* of a status, an error or a short text; the rest is cut */
    REDIS_NUMBERS = 20      /* the most items of a list */
};

enum redis_kind { REDIS_NIL, REDIS_NUMBER, REDIS_TEXT, REDIS_STATUS, REDIS_ERROR, REDIS_LIST };

struct redis_reply {
    int kind; /* enum redis_kind */
    int64_t number;
    char text[REDIS_TEXT_BYTES + 1]; /* NUL-terminated; may have NULs */
    size_t len;                      /* of `text` */
    int64_t numbers[REDIS_NUMBERS];  /* LIST: its numbers, 0 for other items */
    size_t count;                    /* LIST */
    bool taken; /* a TEXT, or the third item of a LIST, was given to `take`; it is not in `text` */
};

struct redis_reader;

/* Takes a TEXT, of any length up to the limit; `data` is borrowed for the call. */
typedef void redis_take(void *arg, const char *data, size_t len);

/* Makes a reader of replies that have up to `most` bytes. NULL when out of memory. */
struct redis_reader *svc__redis_reply_new(size_t most);

/* Accepts NULL. */
void svc__redis_reply_free(struct redis_reader *reader);

/* Appends bytes that have arrived. 0 or SVC_ENOMEM. */
int svc__redis_reply_feed(struct redis_reader *reader, const char *data, size_t len);

/*
 * Reads the next reply: 1 and fills `*reply`; 0: it is not whole yet; SVC_ESYNTAX, or SVC_ENOMEM. A
 * TEXT that is the whole reply goes to `take`, unless that is NULL; so does a text that is the
 * third item of a list, where a message of a channel stands. As long as a reply is not whole, the
 * next call is for the same one.
 */
int svc__redis_reply_next(struct redis_reader *reader, struct redis_reply *reply, redis_take *take,
                          void *arg);

/* Lets lists have a list of texts as their third item from now on, of any number: each is given to
 * `take`. So keys are announced. */
void svc__redis_reply_expect_keys(struct redis_reader *reader);

/* Whether no bytes are left behind the last reply. */
bool svc__redis_reply_is_empty(const struct redis_reader *reader);

#endif
