/* The server of a wire test: one at a time, since each test is a process of its own. */
#ifndef TESTS_E2E_SERVED_H
#define TESTS_E2E_SERVED_H

struct client;
struct process;

extern struct process *server;

/* Starts a program of this folder with further settings, or none, and fails the test without it. */
void serve(const char *program, const char *const *settings);

/* Stops it, which must be clean. */
void serve_no_more(void);

/* Waits for its end, which somebody else has brought about, with this exit status. */
void await_exit(int status);

/* A new connection to its first address. */
struct client *connect_client(void);

#endif
