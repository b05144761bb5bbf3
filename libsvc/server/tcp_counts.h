/*
 * The kernel's counts of a TCP connection. It has none for unix sockets, and TCP_INFO is too short
 * for them in older kernels and in some sandboxes: each call is false then, has written nothing,
 * and its caller must do without. Any thread.
 */
#ifndef SVC_SERVER_TCP_COUNTS_H
#define SVC_SERVER_TCP_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* Bytes that have arrived, whoever has read them. */
bool svc__tcp_counts_received(const struct conn *conn, uint64_t *bytes);

/* Bytes that the peer has acknowledged. */
bool svc__tcp_counts_acknowledged(const struct conn *conn, uint64_t *bytes);

/* Milliseconds since the peer last sent data. */
bool svc__tcp_counts_silence(const struct conn *conn, uint64_t *ms);

#endif
