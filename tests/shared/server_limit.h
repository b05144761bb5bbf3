/* The limit of server_limit.c. The first request of a test has the field "Cost: SHARED_FIRST": so
 * much is used then that the burst does not become whole, and stop to grow, however late the others
 * come. */
#ifndef TESTS_SHARED_SERVER_LIMIT_H
#define TESTS_SHARED_SERVER_LIMIT_H

enum { SHARED_RATE = 200, SHARED_BURST = 2000, SHARED_FIRST = 1000 };

#endif
