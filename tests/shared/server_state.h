/* What the instances of server_state.c and their tests agree on. */
#ifndef TESTS_SHARED_SERVER_STATE_H
#define TESTS_SHARED_SERVER_STATE_H

/* The time of a payment that dies, and for how long its key stays taken behind that. */
enum { STATE_TIMEOUT_MS = 2000, STATE_GRACE_MS = 1000 };

#endif
