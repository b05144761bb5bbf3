/* What an exchange's host connects it to: a connection, a stream of one, or a test's client. */
#ifndef SVC_EXCHANGE_TRANSPORT_H
#define SVC_EXCHANGE_TRANSPORT_H

struct peer;

struct transport {
    /* There is news of the exchange: it goes on, or who has it has made room for more of its body,
     * or something to send. On the thread of its home. */
    void (*news)(struct transport *transport);
    const char *scheme;      /* "http", "https"; static */
    const struct peer *peer; /* who is at the other end */
};

#endif
