/*
 * memcached servers under test, as processes of their own, on unix sockets in a folder of their
 * own. None outlives the program that has started it.
 */
#ifndef TESTS_SUPPORT_MEMCACHED_SERVERS_H
#define TESTS_SUPPORT_MEMCACHED_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

enum { MEMCACHED_SERVERS_MOST = 3 };

/* Whether the program is installed. */
bool memcached_servers_exist(void);

/* Makes the folder. False, with a line on stderr, if that fails. */
bool memcached_servers_begin(void);

/* Ends all servers and removes the folder. */
void memcached_servers_end(void);

/* The path of a server's socket, whether it runs or not. Static memory. */
const char *memcached_servers_path(size_t index);

/* Writes "memcached://" and the paths of the first `count` servers, with `params` behind, such as
 * "?failover=0", to static memory of which there are two by turns. */
const char *memcached_servers_url(size_t count, const char *params);

/* Starts a server and waits until it listens; `option` and `value`, such as "-m" and "8", may be
 * NULL. */
bool memcached_servers_start(size_t index, const char *option, const char *value);

/* Sends a signal to it; SIGKILL also waits for its end. */
void memcached_servers_signal(size_t index, int signal);

#endif
