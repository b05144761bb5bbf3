/*
 * A raw HTTP client for tests of the wire: it sends exactly the bytes it is given, also one at a
 * time, and reads one response after another with its own framing. Every wait has a deadline.
 */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The default limit of each call's wait. Only tests that fail reach it, so it may be long. */
enum { CLIENT_WAIT_MS = 30000 };

struct client {
    int fd;
    unsigned wait_ms;    /* of each call; CLIENT_WAIT_MS at first */
    char *unread;        /* received, and not yet part of a reply */
    size_t len, space;   /* of `unread` */
    bool eof, reset;     /* how receiving ended, once it has */
    bool send_failed;    /* a send has failed */
    uint64_t sent_bytes; /* by all sends */
};

/* How reading a response ended. */
enum client_end {
    CLIENT_REPLY,   /* a whole response */
    CLIENT_CLOSED,  /* the connection was closed by a FIN, before any byte */
    CLIENT_RESET,   /* it was reset before any byte */
    CLIENT_CUT,     /* it ended inside a response */
    CLIENT_TIMEOUT, /* no bytes, or too few, came in time */
    CLIENT_GARBAGE  /* the bytes are not a response */
};

struct client_reply {
    enum client_end end;
    int status;       /* 0 without a response */
    unsigned interim; /* 1xx responses before it */
    bool has_length;  /* the reply has Content-Length */
    bool chunked;     /* the reply has Transfer-Encoding: chunked */
    bool closes;      /* the reply has Connection: close */
    uint64_t length;  /* the value of Content-Length */
    char *head;       /* status line and fields as sent, NUL-terminated; NULL without any */
    char *body;       /* with a NUL after `body_len` bytes; never NULL */
    size_t body_len;
    char *trailers; /* the lines after a chunked body, as sent; never NULL */
};

/*
 * Connects to "127.0.0.1:80", "[::1]:80" or "unix:/path". On failure NULL, and a line on stderr.
 * The caller owns the client, and ends it by client_close.
 */
struct client *client_connect(const char *address);

/* The same with a receive buffer of `bytes`, for clients that read slowly; 0: the system's. */
struct client *client_connect_slow(const char *address, int bytes);

/* Waits, without connecting, until no socket listens at the address any more, and then has a
 * connection refused. False when the time is over. For TCP on this machine. */
bool client_await_refusal(const char *address);

/* Closes the connection by a FIN. Accepts NULL. */
void client_close(struct client *client);

/* Closes with a reset. Accepts NULL. */
void client_reset(struct client *client);

/* Sends all bytes, and waits for room. False when the connection has failed or the time is over;
 * bytes that the peer has sent before can still be read. */
bool client_send(struct client *client, const char *data, size_t len);

/* The same for a text, and for a format (up to 64 KiB). */
bool client_send_text(struct client *client, const char *text);
bool client_printf(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sends byte by byte; after each one waits until the peer has read it, so that it is never read
 * together with the next. For TCP on this machine. Stops early, with false, when the peer closes.
 */
bool client_send_bytes(struct client *client, const char *data, size_t len);

/* Waits until the peer's program has read all bytes that were sent. False when the time is over, or
 * when the peer has closed. For TCP on this machine. */
bool client_await_read(struct client *client);

/* The number of bytes under way between the two programs, in either direction: in both sockets of
 * the connection. For TCP on this machine. -1 if it is not known. */
long client_count_under_way(const struct client *client);

/* Shuts the sending side: the peer reads its end (a FIN). */
void client_finish_sending(struct client *client);

/* Reads the next final response. `to_head`: the request was a HEAD, so there is no body. The reply
 * must be freed in any case. */
struct client_reply client_read(struct client *client, bool to_head);

/* Sends a text and reads the response to it. */
struct client_reply client_exchange(struct client *client, const char *text);

/* Frees the memory of a reply. */
void client_reply_free(struct client_reply *reply);

/* Copies the first field `name` (any case) into `value`. False if it is absent or too long. */
bool client_reply_field(const struct client_reply *reply, const char *name, char *value,
                        size_t size);

/* How many fields `name` the reply has. */
unsigned client_reply_count(const struct client_reply *reply, const char *name);

/*
 * Waits for the end of the connection, with nothing before it: CLIENT_CLOSED, CLIENT_RESET,
 * CLIENT_GARBAGE when bytes come first, or CLIENT_TIMEOUT.
 */
enum client_end client_await_end(struct client *client);

/* Waits for bytes or the end, for `ms` at most. Whether they have come; bytes that earlier calls
 * have read do not count. */
bool client_readable(const struct client *client, unsigned ms);

/* Receives up to `len` bytes, without regard to framing. 0 at the end, -1 on a reset or when the
 * time is over. Bytes that earlier calls have read and not taken come first. */
long client_receive(struct client *client, char *data, size_t len);

/* The value of a metric on the admin pages at `admin`; of one with labels the sum of its series,
 * and with "{part" after its name, of those with `part` in their labels. -1 if it is absent. */
long client_metric(const char *admin, const char *name);

/* Reads the metric until it has the value: servers count a request after its answer was sent. */
bool client_await_metric(const char *admin, const char *name, long value);

/* Reads the metric until it has the value or more, where something else may count in it too. */
bool client_await_count(const char *admin, const char *name, long least);

/* Milliseconds of the monotonic clock. */
uint64_t client_clock_ms(void);

/* The name of an end, for messages. */
const char *client_end_name(enum client_end end);

#endif
