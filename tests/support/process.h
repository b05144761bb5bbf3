/*
 * A server under test as a process of its own: started on ports that the system chooses, its log
 * collected, ended by signals, and killed when the test that started it dies.
 */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long is waited for what a process does: the limit of tests that fail, so that it may be long.
 */
enum { PROCESS_WAIT_MS = 60000 };

struct process;

/*
 * The path of a test server: $top_builddir/tests/e2e/<name>, or <name> in the folder of the test
 * program itself. Static memory, overwritten by the next call.
 */
const char *process_program(const char *name);

/*
 * Starts `program` (a path, as process_program gives) and waits until it has logged that it
 * listens. `settings` are "NAME=value", NULL-terminated, or NULL: they go over the defaults, which
 * are SVC_LISTEN=127.0.0.1:0, SVC_ADMIN_LISTEN=127.0.0.1:0, SVC_DRAIN_DELAY_MS=0. No other SVC_
 * variable is inherited. `arguments` follow the program's name, NULL-terminated, or NULL. NULL,
 * with the program's output on stderr, when it ends or says nothing.
 */
struct process *process_start(const char *program, const char *const *settings,
                              const char *const *arguments);

/* The same without waiting, for programs that are to fail: see process_await_exit. */
struct process *process_spawn(const char *program, const char *const *settings,
                              const char *const *arguments);

/* Where listener `index` listens, as logged: "127.0.0.1:41234", "unix:/path". NULL past the last
 * one. Borrowed. */
const char *process_address(const struct process *process, size_t index);

/* Where the admin pages are; NULL when there are none. Borrowed. */
const char *process_admin(const struct process *process);

pid_t process_pid(const struct process *process);

/* Sends a signal. */
bool process_signal(struct process *process, int signal);

/* Writes to its standard input, which has nothing else and ends with process_free. */
bool process_tell(struct process *process, const char *text);

/* Milliseconds of CPU that all of its threads have used, in steps of the system's clock tick. */
uint64_t process_cpu_ms(const struct process *process);

/* Waits until some line of the output (stdout and stderr) holds `text`. */
bool process_await_log(struct process *process, const char *text, unsigned wait_ms);

/* Waits until `count` lines of the output or more hold `text`. */
bool process_await_lines(struct process *process, const char *text, size_t count, unsigned wait_ms);

/* How many lines of the output so far hold `text`. */
size_t process_count_log(struct process *process, const char *text);

/* A copy of the output so far, NUL-terminated; to be freed by the caller. */
char *process_copy_log(struct process *process);

/* Waits for the process and its output to end: its exit status, 128 + signal, or -1 when it is
 * still running. May be called again. */
int process_await_exit(struct process *process, unsigned wait_ms);

/* SIGTERM, then process_await_exit. */
int process_stop(struct process *process);

/* Kills the process if it still runs, and frees everything. Accepts NULL. */
void process_free(struct process *process);

#endif
