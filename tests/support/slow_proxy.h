/*
 * A server made slow: a proxy between two unix sockets that passes requests on at once, and each
 * piece of a reply after a delay, while further requests go on. A thread of the test's process.
 */
#ifndef TESTS_SUPPORT_SLOW_PROXY_H
#define TESTS_SUPPORT_SLOW_PROXY_H

struct slow_proxy;

/* Starts it, at `path`, before the server at `server_path`, which must serve by then. Ends the test
 * if it fails. */
struct slow_proxy *slow_proxy_start(const char *path, const char *server_path, unsigned delay_ms);

/* Changes the delay, also of the pieces that wait. */
void slow_proxy_set_delay(struct slow_proxy *proxy, unsigned delay_ms);

/* How many pieces of requests it has passed on, and of replies. */
unsigned slow_proxy_asked(const struct slow_proxy *proxy);
unsigned slow_proxy_replied(const struct slow_proxy *proxy);

/* Closes all connections, and ends it. Accepts NULL. */
void slow_proxy_end(struct slow_proxy *proxy);

#endif
