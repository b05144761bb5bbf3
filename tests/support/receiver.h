/*
 * A receiver of spans for tests, on a port of this machine that the system chooses: it keeps each
 * request, and answers as it was told to, which need not make sense. One connection at a time, in a
 * thread of its own.
 */
#ifndef TESTS_SUPPORT_RECEIVER_H
#define TESTS_SUPPORT_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

/* What stands in the place of an answer. */
#define RECEIVER_RESET "reset"               /* the connection is reset */
#define RECEIVER_SILENT "silent"             /* no answer comes until the receiver ends */
#define RECEIVER_ENDLESS "endless"           /* a 200 whose body has no end */
#define RECEIVER_ENDLESS_HEAD "endless head" /* a 200 whose fields have no end */

#define RECEIVER_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

enum { RECEIVER_REQUESTS = 64 /* that are kept; more are counted */ };

struct receiver;

/* Starts one that answers its requests with `answers`, in order, and the last one again and again;
 * NULL ends them. The array is borrowed. NULL when that fails. */
struct receiver *receiver_start(const char *const *answers);

/* "http://127.0.0.1:<port>". Borrowed. */
const char *receiver_url(const struct receiver *receiver);

/* Waits until so many requests have come. False in the end of time. */
bool receiver_await(struct receiver *receiver, size_t count);

/* How many requests have come. */
size_t receiver_count(struct receiver *receiver);

/* The head and the body of a request, which were received; NUL-terminated, and borrowed. */
const char *receiver_head(struct receiver *receiver, size_t index);
const char *receiver_body(struct receiver *receiver, size_t index, size_t *len);

/* When it came, by client_clock_ms's clock. */
unsigned long long receiver_time_ms(struct receiver *receiver, size_t index);

/* Ends it, and frees everything. Accepts NULL. */
void receiver_stop(struct receiver *receiver);

#endif
