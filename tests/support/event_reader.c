/* A reader of event streams. */
#include "tests/support/event_reader.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    char *data, *type, *id; /* each as long as the stream at most */
    bool has_data;
    long retry_ms;
    char *out;
    size_t out_len;
};

static void dispatch(struct reader *reader)
{
    if (reader->has_data) {
        reader->data[strlen(reader->data) - 1] = '\0';
        for (char *at = reader->data; *at; at++)
            if (*at == '\n')
                *at = '/';
        reader->out_len +=
            (size_t)sprintf(reader->out + reader->out_len, "%s|%s|%s\n",
                            *reader->type ? reader->type : "message", reader->id, reader->data);
    }
    reader->has_data = false;
    reader->data[0] = reader->type[0] = '\0';
}

static void take_field(struct reader *reader, const char *name, const char *value)
{
    if (!strcmp(name, "event")) {
        strcpy(reader->type, value);
    } else if (!strcmp(name, "data")) {
        strcat(strcat(reader->data, value), "\n");
        reader->has_data = true;
    } else if (!strcmp(name, "id")) {
        strcpy(reader->id, value);
    } else if (!strcmp(name, "retry") && *value && strspn(value, "0123456789") == strlen(value)) {
        reader->retry_ms = strtol(value, NULL, 10);
    }
}

static void take_line(struct reader *reader, char *line)
{
    char *colon = strchr(line, ':');
    if (!*line) {
        dispatch(reader);
        return;
    }
    if (colon == line)
        return;
    char *value = colon ? colon + 1 : line + strlen(line);
    if (colon)
        *colon = '\0';
    take_field(reader, line, *value == ' ' ? value + 1 : value);
}

char *event_reader_all(const char *stream, size_t len, long *retry_ms)
{
    struct reader reader = {calloc(1, len + 2),
                            calloc(1, len + 2),
                            calloc(1, len + 2),
                            false,
                            -1,
                            calloc(len + 2, 16),
                            0};
    char *copy = strndup(stream, len), *at = copy;
    char *end;
    while ((end = strpbrk(at, "\r\n"))) { /* a line without an end is dropped */
        char *next = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
        *end = '\0';
        take_line(&reader, at);
        at = next;
    }
    free(copy);
    free(reader.data);
    free(reader.type);
    free(reader.id);
    *retry_ms = reader.retry_ms;
    return reader.out;
}
