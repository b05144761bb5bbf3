/* Log lines of the library itself: one JSON object a line, into the sink of the thread. */
#ifndef SVC_CORE_LOG_H
#define SVC_CORE_LOG_H

#include <svc/config.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/sink.h"

/* Where a thread logs: by its own ring, or, where `ring` is NULL, by the sink's shared one. */
struct log {
    struct sink *sink; /* NULL: nothing is logged */
    struct sink_ring *ring;
    int level; /* least urgent level that is logged */
    const char *app;
};

/* A member of a line beside time, level and message: text when `text.data` is not NULL, else
 * number. */
struct log_item {
    const char *key;
    struct bytes text;
    uint64_t number;
};

#define LOG_TEXT(key, z) ((struct log_item){(key), svc__bytes_z(z), 0})
#define LOG_BYTES(key, b) ((struct log_item){(key), (b), 0})
#define LOG_NUMBER(key, n) ((struct log_item){(key), {NULL, 0}, (uint64_t)(n)})

/* The name of a level: "error", "warn", "info", "debug". */
const char *svc__log_level_name(int level);

/* Writes a line at `level`. Never blocks; a line that finds no room is counted as dropped. */
void svc__log_write(const struct log *log, int level, const char *message,
                    const struct log_item *items, size_t count);

/* Hands a finished line, without its line feed, to the sink; one that could not be rendered whole
 * (its error is not 0) is counted as dropped. */
void svc__log_line(const struct log *log, const struct buf *line);

#define svc__log(log, level, message, ...)                                                         \
    svc__log_write((log), (level), (message), (const struct log_item[]){__VA_ARGS__},              \
                   sizeof((const struct log_item[]){__VA_ARGS__}) / sizeof(struct log_item))

#endif
