#include "tests/support/http1_random.h"

#include <stdio.h>
#include <string.h>

size_t random_below(struct random_text *text, size_t end)
{
    text->seed = text->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(text->seed >> 33) % end;
}

static void put(struct random_text *text, const char *more, size_t len)
{
    if (len > RANDOM_SPACE - text->len)
        return;
    memcpy(text->data + text->len, more, len);
    text->len += len;
}

static void put_text(struct random_text *text, const char *more)
{
    put(text, more, strlen(more));
}

static const char *choose(struct random_text *text, const char *const *texts, size_t count)
{
    return texts[random_below(text, count)];
}

#define CHOOSE(text, ...)                                                                          \
    choose(text, (const char *const[]){__VA_ARGS__},                                               \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* From `least` to `most` bytes of the set. */
static void put_run(struct random_text *text, const char *set, size_t least, size_t most)
{
    size_t len = least + random_below(text, most - least + 1);
    for (size_t i = 0; i < len; i++)
        put(text, set + random_below(text, strlen(set)), 1);
}

static const char token[] = "abcXYZ0189-!#$%&'*+.^_`|~";
static const char visible[] = "abcXYZ019/?#%:@!$&'()*+,;=\"<>[]\\^`{|}~\x80\xff";
static const char value[] = "abc 019,;=\"\t\x80\xff:/()";

static void put_field(struct random_text *text)
{
    put_text(text, CHOOSE(text, "Host", "Content-Length", "x", ""));
    put_run(text, token, 1, 24);
    put_text(text, CHOOSE(text, ":", ": ", ":\t "));
    put_run(text, value, 0, 40);
    put_text(text, CHOOSE(text, "", " ", "\t"));
    put_text(text, "\r\n");
}

static void put_fields(struct random_text *text, size_t most)
{
    for (size_t left = random_below(text, most + 1); left; left--)
        put_field(text);
    put_text(text, "\r\n");
}

void random_head(struct random_text *text)
{
    text->len = 0;
    put_text(text, CHOOSE(text, "", "", "", "\r\n", "\r\n\r\n"));
    put_run(text, token, 1, 20);
    put_text(text, " ");
    put_run(text, visible, 1, 60);
    put_text(text, CHOOSE(text, " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/1.7\r\n"));
    put_fields(text, 6);
    put_text(text, CHOOSE(text, "", "GET / HTTP/1.1\r\n"));
}

static void put_extension(struct random_text *text)
{
    put_text(text, CHOOSE(text, ";", " ;", "; "));
    put_run(text, token, 1, 10);
    switch (random_below(text, 3)) {
    case 0:
        put_text(text, CHOOSE(text, "=", " =\t"));
        put_run(text, token, 1, 10);
        break;
    case 1:
        put_text(text, "=\"");
        put_run(text, "abc ;=\t\xff", 0, 10);
        put_text(text, CHOOSE(text, "\"", "\\\"\"", "\\\\\""));
        break;
    default:
        break;
    }
}

static void put_size(struct random_text *text, size_t size)
{
    char digits[32];
    snprintf(digits, sizeof digits, random_below(text, 2) ? "%zx" : "%03zX", size);
    put_text(text, digits);
    for (size_t left = random_below(text, 3); left; left--)
        put_extension(text);
    put_text(text, "\r\n");
}

void random_chunks(struct random_text *text)
{
    text->len = 0;
    for (size_t left = random_below(text, 5); left; left--) {
        size_t size = 1 + random_below(text, 40);
        put_size(text, size);
        put_run(text, "ab\r\n0;", size, size);
        put_text(text, "\r\n");
    }
    put_size(text, 0);
    put_fields(text, 3);
}

static void move_rest(struct random_text *text, size_t from, size_t to)
{
    memmove(text->data + to, text->data + from, text->len - from);
    text->len += to - from;
}

void random_mutate(struct random_text *text)
{
    static const char bytes[] = "\r\n\0 \t:;=\"\\a0/\x01\x7f\x80";
    for (size_t left = random_below(text, 4); left && text->len; left--) {
        size_t at = random_below(text, text->len);
        char byte = bytes[random_below(text, sizeof bytes - 1)];
        switch (random_below(text, 4)) {
        case 0: /* removed */
            move_rest(text, at + 1, at);
            break;
        case 1: /* inserted */
            if (text->len == RANDOM_SPACE)
                break;
            move_rest(text, at, at + 1);
            text->data[at] = byte;
            break;
        case 2: /* changed */
            text->data[at] = byte;
            break;
        default: /* cut off */
            if (random_below(text, 8) == 0)
                text->len = at;
        }
    }
}
