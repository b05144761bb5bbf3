/* The server of a wire test: one at a time, since each test is a separate process. */
#ifndef TESTS_E2E_SERVED_H
#define TESTS_E2E_SERVED_H

struct client;
struct process;

extern struct process *server;

/* Starts a program of this folder with further settings, or NULL. The test fails if it does not
 * start. */
void serve(const char *program, const char *const *settings);

/* Stops the server; its exit status must be 0. */
void serve_no_more(void);

/* Waits for the end of a server that is stopping, with this exit status. */
void await_exit(int status);

/* A new connection to its first address. */
struct client *connect_client(void);

#endif
