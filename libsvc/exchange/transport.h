/* The link of an exchange to a connection, a stream of a connection, or a test's client. */
#ifndef SVC_EXCHANGE_TRANSPORT_H
#define SVC_EXCHANGE_TRANSPORT_H

struct peer;

struct transport {
    /* Reports that the exchange goes on, or that its holder has made room for more of its body or
     * has bytes to send. On the thread of its home. */
    void (*news)(struct transport *transport);
    const char *scheme;      /* "http", "https"; static */
    const struct peer *peer; /* the other end */
};

#endif
