/*
 * A server under test as a separate process: it listens on ports that the system chooses, its
 * output is collected, signals end it, and it is killed when its test ends.
 */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The limit of each wait for a process. Only tests that fail reach it, so it may be long. */
enum { PROCESS_WAIT_MS = 60000 };

struct process;

/*
 * The path of a test server: $top_builddir/tests/e2e/<name>, or <name> in the folder of the test
 * program itself. Static memory, overwritten by the next call.
 */
const char *process_program(const char *name);

/*
 * Starts `program` (a path, as process_program gives) and waits until it has logged that it
 * listens. `settings` are "NAME=value", NULL-terminated, or NULL. They override the defaults
 * SVC_LISTEN=127.0.0.1:0, SVC_ADMIN_LISTEN=127.0.0.1:0, SVC_DRAIN_DELAY_MS=0. Of other SVC_
 * variables only SVC_HTTP1 is inherited. `arguments` follow the program's name, NULL-terminated, or NULL. NULL,
 * with the program's output on stderr, if it ends or does not log that it listens.
 */
struct process *process_start(const char *program, const char *const *settings,
                              const char *const *arguments);

/* The front of HTTP/1 that servers under test have by default: SVC_HTTP1, which they inherit. */
const char *process_front(void);
bool process_front_is_native(void);

/* The same without waiting, for programs that must fail: see process_await_exit. */
struct process *process_spawn(const char *program, const char *const *settings,
                              const char *const *arguments);

/* The address of listener `index`, as logged: "127.0.0.1:41234", "unix:/path". NULL past the last
 * one. Borrowed. */
const char *process_address(const struct process *process, size_t index);

/* The address of the admin pages; NULL without them. Borrowed. */
const char *process_admin(const struct process *process);

pid_t process_pid(const struct process *process);

/* Sends a signal. */
bool process_signal(struct process *process, int signal);

/* Writes to its standard input, which process_free closes. */
bool process_tell(struct process *process, const char *text);

/* Milliseconds of CPU that all of its threads have used, in steps of the system's clock tick. */
uint64_t process_cpu_ms(const struct process *process);

/* Waits until a line of the output (stdout and stderr) contains `text`. */
bool process_await_log(struct process *process, const char *text, unsigned wait_ms);

/* Waits until at least `count` lines of the output contain `text`. */
bool process_await_lines(struct process *process, const char *text, size_t count, unsigned wait_ms);

/* The number of lines of the output so far that contain `text`. */
size_t process_count_log(struct process *process, const char *text);

/* A copy of the output so far, NUL-terminated; to be freed by the caller. */
char *process_copy_log(struct process *process);

/* Waits for the end of the process and its output. Its exit status, 128 + signal, or -1 if it is
 * still running. May be called again. */
int process_await_exit(struct process *process, unsigned wait_ms);

/* SIGTERM, then process_await_exit. */
int process_stop(struct process *process);

/* Kills the process if it still runs, and frees everything. Accepts NULL. */
void process_free(struct process *process);

#endif
