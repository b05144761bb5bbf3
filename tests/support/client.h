/*
 * A raw HTTP client for tests of the wire: it sends exactly the bytes it is given, also one at a
 * time, and reads one response after another with its own framing. Every wait has a deadline.
 */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long each call waits by default: the limit of tests that fail, so that it may be long. */
enum { CLIENT_WAIT_MS = 30000 };

struct client {
    int fd;
    unsigned wait_ms;    /* of each call; CLIENT_WAIT_MS at first */
    char *unread;        /* received and not yet taken by a reply */
    size_t len, space;   /* of `unread` */
    bool eof, reset;     /* how receiving ended, once it has */
    bool send_failed;    /* a send has failed */
    uint64_t sent_bytes; /* by all sends */
};

/* How reading a response ended. */
enum client_end {
    CLIENT_REPLY,   /* a whole response */
    CLIENT_CLOSED,  /* the connection was closed in good order, before any byte */
    CLIENT_RESET,   /* it was reset before any byte */
    CLIENT_CUT,     /* it ended inside a response */
    CLIENT_TIMEOUT, /* nothing, or not enough, came in time */
    CLIENT_GARBAGE  /* what came is no response */
};

struct client_reply {
    enum client_end end;
    int status;       /* 0 without a response */
    unsigned interim; /* 1xx responses before it */
    bool has_length;  /* Content-Length was there */
    bool chunked;     /* Transfer-Encoding: chunked was there */
    bool closes;      /* Connection: close was there */
    uint64_t length;  /* the value of Content-Length */
    char *head;       /* status line and fields as sent, NUL-terminated; NULL without any */
    char *body;       /* NUL-terminated behind `body_len` bytes; never NULL */
    size_t body_len;
    char *trailers; /* the lines behind a chunked body, as sent; never NULL */
};

/*
 * Connects to "127.0.0.1:80", "[::1]:80" or "unix:/path". NULL with a line on stderr on failure.
 * The caller's, ends with client_close.
 */
struct client *client_connect(const char *address);

/* The same with a receive buffer of `bytes`, for clients that read slowly; 0: the system's. */
struct client *client_connect_slow(const char *address, int bytes);

/* Waits until nobody listens at the address any more, without connecting before, and sees a
 * connection refused. False in the end of time. For TCP on this machine. */
bool client_await_refusal(const char *address);

/* Closes in good order. Accepts NULL. */
void client_close(struct client *client);

/* Closes with a reset. Accepts NULL. */
void client_reset(struct client *client);

/* Sends all of it, waiting for room. False when the connection failed or time ran out; what the
 * peer sent before can still be read. */
bool client_send(struct client *client, const char *data, size_t len);

/* The same for a text, and for a format (up to 64 KiB). */
bool client_send_text(struct client *client, const char *text);
bool client_printf(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sends byte by byte; after each one waits until the peer has read it, so that it is never read
 * together with the next. For TCP on this machine. Stops early, with false, when the peer closes.
 */
bool client_send_bytes(struct client *client, const char *data, size_t len);

/* Waits until the peer's program has read everything that was sent. False in the end of time, or
 * when the peer has closed. For TCP on this machine. */
bool client_await_read(struct client *client);

/* Bytes that are under way between the two programs, in either direction: in both sockets of the
 * connection. For TCP on this machine. -1 when that cannot be told. */
long client_count_under_way(const struct client *client);

/* Shuts the sending side: the peer reads its end (a FIN). */
void client_finish_sending(struct client *client);

/* Reads the next final response. `to_head`: the request was a HEAD, so there is no body. The reply
 * must be freed in any case. */
struct client_reply client_read(struct client *client, bool to_head);

/* Sends a text and reads the response to it. */
struct client_reply client_exchange(struct client *client, const char *text);

/* Frees what a reply holds. */
void client_reply_free(struct client_reply *reply);

/* Copies the first field `name` (any case) into `value`. Whether it was there and fitted. */
bool client_reply_field(const struct client_reply *reply, const char *name, char *value,
                        size_t size);

/* How many fields `name` the reply has. */
unsigned client_reply_count(const struct client_reply *reply, const char *name);

/*
 * Waits for the end of the connection, with nothing before it: CLIENT_CLOSED, CLIENT_RESET,
 * CLIENT_GARBAGE when bytes come first, or CLIENT_TIMEOUT.
 */
enum client_end client_await_end(struct client *client);

/* Waits for bytes or the end to come, `ms` at most: whether they have. What earlier calls have read
 * does not count. */
bool client_readable(const struct client *client, unsigned ms);

/* Receives up to `len` bytes of whatever comes, past all framing. 0 at the end, -1 on reset or
 * when time is over. What earlier calls have read and not taken comes first. */
long client_receive(struct client *client, char *data, size_t len);

/* The value of a metric on the admin pages at `admin`, of one with labels the sum of its series; with "{part"
 * behind the name, of those series of which `part` stands in the labels. -1 when there is none. */
long client_metric(const char *admin, const char *name);

/* Asks until the metric has the value: servers count a request when its answer has gone. */
bool client_await_metric(const char *admin, const char *name, long value);

/* Milliseconds on a clock that only goes forward. */
uint64_t client_clock_ms(void);

/* The name of an end, for messages. */
const char *client_end_name(enum client_end end);

#endif
