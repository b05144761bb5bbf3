/* The parser of replies. */
#include "libsvc/memcached/memcached_reply.h"

#include <string.h>

#include <svc/errors.h>

enum { END_BYTES = 2 /* of a line, and of a value */ };

/* A part of a line. */
struct word {
    const char *at;
    size_t len;
};

static bool is_word(struct word word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

/* Takes the first word off a line: words have one space between them. */
static struct word take_word(struct word *line)
{
    struct word word = {line->at, line->len};
    const char *space = line->len > 0 ? memchr(line->at, ' ', line->len) : NULL;
    if (space) {
        word.len = (size_t)(space - line->at);
        line->at += word.len + 1;
        line->len -= word.len + 1;
    } else {
        line->at += line->len;
        line->len = 0;
    }
    return word;
}

bool svc__memcached_reply_number(const char *text, size_t len, uint64_t *number)
{
    uint64_t sum = 0;
    if (len < 1 || len > 20 || (len > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *number = sum;
    return true;
}

static int read_code(struct word word, struct memcached_reply *reply)
{
    static const struct {
        char text[5];
        enum memcached_code code;
    } codes[] = {{"HD", MEMCACHED_HD}, {"VA", MEMCACHED_VA},   {"EN", MEMCACHED_EN},
                 {"NF", MEMCACHED_NF}, {"NS", MEMCACHED_NS},   {"EX", MEMCACHED_EX},
                 {"MN", MEMCACHED_MN}, {"END", MEMCACHED_END}, {"STAT", MEMCACHED_STAT}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (is_word(word, codes[i].text)) {
            reply->code = codes[i].code;
            return 0;
        }
    return SVC_ESYNTAX;
}

/* The flags behind a code. Those that no command here asks for are passed over. */
static int read_flags(struct word line, struct memcached_reply *reply)
{
    while (line.len > 0) {
        struct word flag = take_word(&line);
        uint64_t *number = NULL;
        if (flag.len == 0)
            continue; /* the server may leave a space at the end */
        if (flag.at[0] == 'c')
            number = &reply->cas;
        else if (flag.at[0] == 'f')
            number = &reply->flags;
        else if (flag.at[0] == 'O')
            number = &reply->opaque;
        else if (is_word(flag, "W"))
            reply->won = true;
        else if (is_word(flag, "Z"))
            reply->lost = true;
        if (number && !svc__memcached_reply_number(flag.at + 1, flag.len - 1, number))
            return SVC_ESYNTAX;
    }
    return 0;
}

/*
 * Which error it is. Of some the server's next words are known to belong to the next command; an
 * error of another kind may have a second line, since the server takes a value for a command that
 * it cannot read.
 */
static bool read_error(const char *line, size_t len, struct memcached_reply *reply)
{
    static const struct {
        const char *text;
        enum memcached_code code;
    } errors[] = {
        {"SERVER_ERROR object too large for cache", MEMCACHED_TOO_LARGE},
        {"SERVER_ERROR out of memory storing object", MEMCACHED_NO_ROOM},
        {"SERVER_ERROR Out of memory during read", MEMCACHED_NO_ROOM},
        {"SERVER_ERROR out of memory", MEMCACHED_NO_ROOM},
        {"SERVER_ERROR Out of memory allocating new item", MEMCACHED_NO_ROOM},
        {"SERVER_ERROR out of memory in incr", MEMCACHED_NO_ROOM},
        {"CLIENT_ERROR cannot increment or decrement non-numeric value", MEMCACHED_NO_NUMBER},
    };
    static const char *const kinds[] = {"ERROR", "CLIENT_ERROR ", "SERVER_ERROR "};
    const struct word whole = {line, len};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (is_word(whole, errors[i].text)) {
            reply->code = errors[i].code;
            return true;
        }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (len >= strlen(kinds[i]) && memcmp(line, kinds[i], strlen(kinds[i])) == 0) {
            reply->code = MEMCACHED_OTHER_ERROR;
            return true;
        }
    return false;
}

int svc__memcached_reply_line(const char *line, size_t len, struct memcached_reply *reply)
{
    struct word rest = {line, len};
    *reply = (struct memcached_reply){.opaque = UINT64_MAX};
    if (read_error(line, len, reply))
        return 0;
    int error = read_code(take_word(&rest), reply);
    if (error)
        return error;
    if (reply->code == MEMCACHED_STAT) {
        struct word name = take_word(&rest);
        reply->name = name.at;
        reply->name_len = name.len;
        reply->value = rest.at;
        reply->value_len = rest.len;
        return 0;
    }
    if (reply->code == MEMCACHED_VA) {
        struct word number = take_word(&rest);
        if (!svc__memcached_reply_number(number.at, number.len, &reply->len))
            return SVC_ESYNTAX;
    }
    return read_flags(rest, reply);
}

/* Begins with a line that is whole. 0 or an error. */
static int begin_reply(struct memcached_reader *reader, const char *line, size_t len,
                       const struct memcached_sink *sink)
{
    struct memcached_reply reply;
    int error = svc__memcached_reply_line(line, len, &reply);
    if (error)
        return error;
    if (reply.code != MEMCACHED_VA)
        return sink->take(sink->arg, &reply);
    if (reply.len > MEMCACHED_SKIPPED_BYTES)
        return SVC_ESYNTAX;
    reader->reply = reply;
    reader->in_value = true;
    reader->left = reply.len + END_BYTES;
    reader->skip = 0;
    reader->into = sink->place(sink->arg, &reply, &reader->skip);
    return 0;
}

/* Takes the bytes of a value and its end. The number of bytes, or an error. */
static long read_value(struct memcached_reader *reader, const char *data, size_t len,
                       const struct memcached_sink *sink)
{
    size_t used = 0;
    if (reader->left > END_BYTES) {
        used = reader->left - END_BYTES < len ? (size_t)(reader->left - END_BYTES) : len;
        size_t skip = reader->skip < used ? reader->skip : used;
        if (reader->into && used > skip) {
            memcpy(reader->into, data + skip, used - skip);
            reader->into += used - skip;
        }
        reader->skip -= skip;
        reader->left -= used;
    }
    for (; reader->left > 0 && reader->left <= END_BYTES && used < len; used++, reader->left--)
        if (data[used] != (reader->left == END_BYTES ? '\r' : '\n'))
            return SVC_ESYNTAX;
    if (reader->left > 0)
        return (long)used;
    reader->in_value = false;
    reader->into = NULL;
    int error = sink->take(sink->arg, &reader->reply);
    return error ? error : (long)used;
}

long svc__memcached_reply_feed(struct memcached_reader *reader, const char *data, size_t len,
                               const struct memcached_sink *sink)
{
    size_t used = 0;
    while (used < len) {
        if (reader->in_value) {
            long taken = read_value(reader, data + used, len - used, sink);
            if (taken < 0)
                return taken;
            used += (size_t)taken;
            continue;
        }
        const char *line = data + used, *end = memchr(line, '\n', len - used);
        if (!end && len - used < MEMCACHED_LINE_BYTES)
            break;
        if (!end || end == line || end[-1] != '\r' || end - line >= MEMCACHED_LINE_BYTES)
            return SVC_ESYNTAX;
        used += (size_t)(end - line) + 1;
        int error = begin_reply(reader, line, (size_t)(end - line) - 1, sink);
        if (error)
            return error;
    }
    return (long)used;
}
