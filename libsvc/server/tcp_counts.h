/*
 * The kernel's counts of a TCP connection. Unix sockets have none, and in older kernels and some
 * sandboxes TCP_INFO is too short for them: then each call is false and has written nothing, and
 * its caller must do without. Any thread.
 */
#ifndef SVC_SERVER_TCP_COUNTS_H
#define SVC_SERVER_TCP_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* Bytes that have arrived, read or not. */
bool svc__tcp_counts_received(const struct conn *conn, uint64_t *bytes);

/* Bytes that the peer has acknowledged. */
bool svc__tcp_counts_acknowledged(const struct conn *conn, uint64_t *bytes);

/* Milliseconds since the peer last sent data. */
bool svc__tcp_counts_silence(const struct conn *conn, uint64_t *ms);

#endif
