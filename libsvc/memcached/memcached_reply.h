/*
 * The replies of memcached's meta protocol, read from bytes as they come, without a socket. A reply
 * is a line, and, behind "VA", a value. Everything that a server sends is hostile: lines have a
 * ceiling, and a value's bytes go where the caller says, or nowhere.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_REPLY_H
#define SVC_MEMCACHED_MEMCACHED_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MEMCACHED_LINE_BYTES = 2048,        /* the longest line, its end included */
    MEMCACHED_SKIPPED_BYTES = 128 << 20 /* the longest value that is read and thrown away */
};

/* What a line says. */
enum memcached_code {
    MEMCACHED_HD, /* done */
    MEMCACHED_VA, /* a value follows */
    MEMCACHED_EN, /* a miss of mg */
    MEMCACHED_NF, /* a miss of the others */
    MEMCACHED_NS, /* not stored: there is a value */
    MEMCACHED_EX, /* the value has changed */
    MEMCACHED_MN, /* the answer to mn */
    MEMCACHED_STAT,
    MEMCACHED_END,
    MEMCACHED_TOO_LARGE,  /* an error: the value is over the server's maximum */
    MEMCACHED_NO_ROOM,    /* an error: the server has no memory for it */
    MEMCACHED_NO_NUMBER,  /* an error: the value is no number */
    MEMCACHED_OTHER_ERROR /* an error after which it is unknown where the next reply begins */
};

struct memcached_reply {
    enum memcached_code code;
    uint64_t len;             /* VA: of the value */
    uint64_t cas;             /* flag c, or 0 */
    uint64_t flags;           /* flag f, or 0 */
    uint64_t opaque;          /* flag O, or UINT64_MAX without one */
    bool won, lost;           /* flags W and Z: this client, or another, shall make the value */
    const char *name, *value; /* STAT: borrowed from the line, not terminated */
    size_t name_len, value_len;
};

/* Reads a line without its end. 0, or SVC_ESYNTAX for what no server sends. Pure. */
int svc__memcached_reply_line(const char *line, size_t len, struct memcached_reply *reply);

/* Reads a number in decimal digits, of `len` bytes exactly, without a sign or a leading zero. */
bool svc__memcached_reply_number(const char *text, size_t len, uint64_t *number);

/* Reads replies one after another. All zero at first. */
struct memcached_reader {
    struct memcached_reply reply; /* the one under way; its texts are never set in it */
    bool in_value;
    size_t skip;   /* bytes of the value that are thrown away before the rest */
    uint64_t left; /* bytes of the value and its end that have not come */
    char *into;    /* for the rest of the value; NULL: it is thrown away */
};

/* What the reader asks for, and reports to. */
struct memcached_sink {
    /* A value follows: memory for its bytes but the first `*skip`, which is 0 before the call and
     * at most `reply->len` then; or NULL, to throw all of it away. */
    char *(*place)(void *arg, const struct memcached_reply *reply, size_t *skip);
    /* A reply is whole. 0, or an error at which the reader stops. */
    int (*take)(void *arg, const struct memcached_reply *reply);
    void *arg;
};

/*
 * Reads as much of `data` as it can. The number of bytes that are used up: the rest is a line's
 * beginning, to be handed again with more behind it; or an error: SVC_ESYNTAX, or that of `take`.
 */
long svc__memcached_reply_feed(struct memcached_reader *reader, const char *data, size_t len,
                               const struct memcached_sink *sink);

#endif
