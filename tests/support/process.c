/* A server under test as a process of its own. */
#include "tests/support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ADDRESSES = 16, MAX_ADDRESS = 160, MAX_ENVIRONMENT = 512, BLOCK = 65536 };

struct process {
    pid_t pid;
    int pid_fd, input_fd, output_fd;
    int status; /* -1 until it has ended */
    int asked;  /* the signal by which it was asked to stop, and which may have been lost; or 0 */
    pthread_t reader;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *log; /* guarded by `lock`, as all below */
    size_t len, space;
    bool closed; /* the output has ended */
    char addresses[MAX_ADDRESSES][MAX_ADDRESS];
    size_t address_count;
    char admin[MAX_ADDRESS];
};

const char *process_front(void)
{
    const char *front = getenv("SVC_HTTP1");
    return front ? front : "libmicrohttpd";
}

bool process_front_is_native(void)
{
    return !strcmp(process_front(), "native");
}

/* ---- Finding and starting the program */

static const char *found(const char *path)
{
    return access(path, X_OK) ? NULL : path;
}

const char *process_program(const char *name)
{
    static char path[PATH_MAX];
    const char *build = getenv("top_builddir");
    if (build) {
        snprintf(path, sizeof path, "%s/tests/e2e/%s", build, name);
        if (found(path))
            return path;
    }
    char own[PATH_MAX / 2];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    own[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash)
        *slash = '\0';
    /* libtool keeps the program itself in a folder below its wrapper's. */
    snprintf(path, sizeof path, "%s/../%s", own, name);
    if (slash && !strcmp(slash - (slash - own >= 6 ? 6 : 0), "/.libs") && found(path))
        return path;
    snprintf(path, sizeof path, "%s/%s", own, name);
    return path;
}

static bool names_same(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return !strncmp(a, b, len + 1);
}

static void add_setting(const char **list, size_t *count, const char *setting)
{
    for (size_t i = 0; i < *count; i++)
        if (names_same(list[i], setting))
            return;
    if (*count < MAX_ENVIRONMENT - 1)
        list[(*count)++] = setting;
}

/* First the test's settings, then defaults, then the inherited environment: the first value of a
 * name wins. The defaults let requests wait long for a worker or a readiness check, so that a busy
 * machine refuses none. */
static void make_environment(const char **list, const char *const *settings)
{
    static const char *const defaults[] = {
        "SVC_LISTEN=127.0.0.1:0",     "SVC_ADMIN_LISTEN=127.0.0.1:0", "SVC_DRAIN_DELAY_MS=0",
        "SVC_WORKER_QUEUE_MS=600000", "SVC_CHECK_TIMEOUT_MS=600000",
    };
    size_t count = 0;
    for (; settings && *settings; settings++)
        add_setting(list, &count, *settings);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        add_setting(list, &count, defaults[i]);
    for (char **inherited = environ; *inherited; inherited++)
        if (strncmp(*inherited, "SVC_", 4) != 0 || names_same(*inherited, "SVC_HTTP1="))
            add_setting(list, &count, *inherited);
    add_setting(list, &count, "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1");
    list[count] = NULL;
}

/* The standard descriptors of a process. */
struct ends {
    int input, output;
};

/* In the child, between fork and exec. */
static void execute(const char *program, const char **arguments, const char **environment,
                    struct ends ends, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL); /* a shell ignores it for commands in the background */
    signal(SIGHUP, SIG_DFL); /* nohup ignores it */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(ends.input, 0) < 0 || dup2(ends.output, 1) < 0 ||
        dup2(ends.output, 2) < 0)
        _exit(126);
    execve(program, (char **)(uintptr_t)arguments, (char **)(uintptr_t)environment);
    dprintf(2, "cannot run %s: %s\n", program, strerror(errno));
    _exit(127);
}

static pid_t launch(const char *program, const char *const *settings, const char *const *arguments,
                    struct ends ends)
{
    const char *environment[MAX_ENVIRONMENT], *list[64] = {program};
    make_environment(environment, settings);
    for (size_t i = 1; i < 63 && arguments && arguments[i - 1]; i++)
        list[i] = arguments[i - 1];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        execute(program, list, environment, ends, parent);
    return pid;
}

/* ---- Collecting its output */

/* The value of "address" in a log line with that `message`. */
static bool address_in(const char *line, const char *message, char out[static MAX_ADDRESS])
{
    static const char key[] = "\"address\":\"";
    const char *end = strchr(line, '\n');
    const char *said = strstr(line, message), *at = said ? strstr(said, key) : NULL;
    if (!end || !at || at > end)
        return false;
    at += sizeof key - 1;
    size_t len = strcspn(at, "\"");
    if (len >= MAX_ADDRESS)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

static void note_addresses(struct process *process, const char *line)
{
    char address[MAX_ADDRESS];
    if (address_in(line, "\"msg\":\"listening\"", address) &&
        process->address_count < MAX_ADDRESSES)
        strcpy(process->addresses[process->address_count++], address);
    if (address_in(line, "\"msg\":\"admin pages\"", address))
        strcpy(process->admin, address);
}

/* Appends to the log, and reads the lines that are complete now. */
static bool collect(struct process *process, const char *data, size_t len)
{
    if (process->space - process->len <= len) {
        size_t space = process->space * 2 + len + 1;
        char *log = realloc(process->log, space);
        if (!log)
            return false;
        process->log = log;
        process->space = space;
    }
    size_t line = process->len;
    while (line > 0 && process->log[line - 1] != '\n')
        line--;
    memcpy(process->log + process->len, data, len);
    process->len += len;
    process->log[process->len] = '\0';
    const char *end;
    while ((end = memchr(process->log + line, '\n', process->len - line))) {
        note_addresses(process, process->log + line);
        line = (size_t)(end - process->log) + 1;
    }
    return true;
}

static void *read_output(void *arg)
{
    struct process *process = arg;
    char block[BLOCK];
    ssize_t n;
    bool kept = true;
    while ((n = read(process->output_fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        pthread_mutex_lock(&process->lock);
        kept = kept && collect(process, block, (size_t)n);
        pthread_cond_broadcast(&process->changed);
        pthread_mutex_unlock(&process->lock);
    }
    pthread_mutex_lock(&process->lock);
    process->closed = true;
    pthread_cond_broadcast(&process->changed);
    pthread_mutex_unlock(&process->lock);
    return NULL;
}

static struct timespec time_in(unsigned ms)
{
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_sec += ms / 1000;
    due.tv_nsec += (long)(ms % 1000) * 1000000;
    due.tv_sec += due.tv_nsec / 1000000000;
    due.tv_nsec %= 1000000000;
    return due;
}

static bool await_once(struct process *process, bool (*holds)(struct process *, const void *),
                       const void *arg, unsigned wait_ms)
{
    struct timespec due = time_in(wait_ms);
    pthread_mutex_lock(&process->lock);
    bool found_it = holds(process, arg);
    while (!found_it && !process->closed &&
           !pthread_cond_timedwait(&process->changed, &process->lock, &due))
        found_it = holds(process, arg);
    found_it = found_it || holds(process, arg);
    pthread_mutex_unlock(&process->lock);
    return found_it;
}

/* ---- Signals that are lost: the thread sanitizer delivers them between a program's calls, and
 * sometimes not at all */

enum { LOST_MS = 20000 };

static void note_asked(struct process *process, int signal)
{
#ifdef SERVERS_UNDER_THREAD_SANITIZER
    if (signal == SIGTERM || signal == SIGINT)
        process->asked = signal;
#else
    (void)process, (void)signal;
#endif
}

/* The time after which a wait looks whether a stop was lost. */
static unsigned until_look(const struct process *process, unsigned wait_ms)
{
    return process->asked && wait_ms > LOST_MS ? LOST_MS : wait_ms;
}

/* Whether a wait ended by such a look, after which it goes on. */
static bool ask_again(struct process *process, unsigned wait_ms)
{
    int signal = process->asked;
    if (!signal || wait_ms <= LOST_MS)
        return false;
    process->asked = 0;
    if (!process_count_log(process, "\"draining\""))
        kill(process->pid, signal);
    return true;
}

/* Waits until `holds` returns true, with the lock held. False when the time is over. */
static bool await(struct process *process, bool (*holds)(struct process *, const void *),
                  const void *arg, unsigned wait_ms)
{
    return await_once(process, holds, arg, until_look(process, wait_ms)) ||
           (ask_again(process, wait_ms) && await_once(process, holds, arg, wait_ms));
}

struct wanted {
    const char *text;
    size_t count; /* of lines */
};

static size_t count_lines(const struct process *process, const char *text)
{
    size_t count = 0;
    const char *at = process->log;
    while (at && (at = strstr(at, text))) {
        count++;
        at = strchr(at, '\n');
    }
    return count;
}

static bool log_holds(struct process *process, const void *arg)
{
    const struct wanted *wanted = arg;
    return count_lines(process, wanted->text) >= wanted->count;
}

/* The line about the admin pages comes after those about the listeners. */
static bool is_up(struct process *process, const void *no_admin)
{
    return process->address_count > 0 && (*process->admin || no_admin);
}

/* ---- The process */

/* Its input is a socket, since a write to a pipe without a reader would cause SIGPIPE. */
static bool open_ends(struct process *process, struct ends *ends)
{
    int input[2], output[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input))
        return false;
    if (pipe2(output, O_CLOEXEC)) {
        close(input[0]);
        close(input[1]);
        return false;
    }
    process->input_fd = input[1];
    process->output_fd = output[0];
    *ends = (struct ends){input[0], output[1]};
    return true;
}

struct process *process_spawn(const char *program, const char *const *settings,
                              const char *const *arguments)
{
    struct process *process = calloc(1, sizeof *process);
    struct ends ends;
    if (!process || !open_ends(process, &ends)) {
        free(process);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&process->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&process->lock, NULL);
    process->status = -1;
    process->pid = launch(program, settings, arguments, ends);
    close(ends.input);
    close(ends.output);
    process->pid_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    pthread_create(&process->reader, NULL, read_output, process);
    return process;
}

static bool without_admin(const char *const *settings)
{
    bool without = false;
    for (; settings && *settings; settings++)
        without = without || !strcmp(*settings, "SVC_ADMIN_LISTEN=");
    return without;
}

struct process *process_start(const char *program, const char *const *settings,
                              const char *const *arguments)
{
    struct process *process = process_spawn(program, settings, arguments);
    if (!process)
        return NULL;
    const char *no_admin = without_admin(settings) ? "" : NULL;
    if (await(process, is_up, no_admin, PROCESS_WAIT_MS))
        return process;
    char *log = process_copy_log(process);
    fprintf(stderr, "%s did not start:\n%s\n", program, log ? log : "");
    free(log);
    process_free(process);
    return NULL;
}

const char *process_address(const struct process *process, size_t index)
{
    return index < process->address_count ? process->addresses[index] : NULL;
}

const char *process_admin(const struct process *process)
{
    return *process->admin ? process->admin : NULL;
}

pid_t process_pid(const struct process *process)
{
    return process->pid;
}

/* To the main thread, which always takes it soon. A signal to the process may go to a thread that
 * waits, and in which the thread sanitizer puts off the handler until the thread goes on. */
bool process_signal(struct process *process, int signal)
{
    note_asked(process, signal);
    return process->status < 0 && !syscall(SYS_tgkill, process->pid, process->pid, signal);
}

bool process_tell(struct process *process, const char *text)
{
    size_t len = strlen(text);
    return send(process->input_fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* The 14th and 15th value of /proc/PID/stat; the second, a name, may contain any character, but is
 * in brackets. */
uint64_t process_cpu_ms(const struct process *process)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)process->pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *at = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (at)
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (uint64_t)(user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

bool process_await_log(struct process *process, const char *text, unsigned wait_ms)
{
    return process_await_lines(process, text, 1, wait_ms);
}

bool process_await_lines(struct process *process, const char *text, size_t count, unsigned wait_ms)
{
    const struct wanted wanted = {text, count};
    return await(process, log_holds, &wanted, wait_ms);
}

size_t process_count_log(struct process *process, const char *text)
{
    pthread_mutex_lock(&process->lock);
    size_t count = count_lines(process, text);
    pthread_mutex_unlock(&process->lock);
    return count;
}

char *process_copy_log(struct process *process)
{
    pthread_mutex_lock(&process->lock);
    char *copy = strdup(process->log ? process->log : "");
    pthread_mutex_unlock(&process->lock);
    return copy;
}

/* After the end of the process its whole output is read, so that tests see all of it. */
static void await_output_end(struct process *process)
{
    pthread_mutex_lock(&process->lock);
    while (!process->closed)
        pthread_cond_wait(&process->changed, &process->lock);
    pthread_mutex_unlock(&process->lock);
}

static bool await_end(const struct process *process, unsigned wait_ms)
{
    struct pollfd fd = {.fd = process->pid_fd, .events = POLLIN};
    struct timespec due = time_in(wait_ms), now;
    int ready;
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
        long left = (due.tv_sec - now.tv_sec) * 1000 + (due.tv_nsec - now.tv_nsec) / 1000000;
        ready = poll(&fd, 1, left > 0 ? (int)left : 0);
    } while (ready < 0 && errno == EINTR);
    return ready == 1;
}

int process_await_exit(struct process *process, unsigned wait_ms)
{
    int status;
    if (process->status >= 0)
        return process->status;
    bool ended = await_end(process, until_look(process, wait_ms)) ||
                 (ask_again(process, wait_ms) && await_end(process, wait_ms));
    if (!ended || waitpid(process->pid, &status, 0) != process->pid)
        return -1;
    process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    await_output_end(process);
    return process->status;
}

int process_stop(struct process *process)
{
    process_signal(process, SIGTERM);
    return process_await_exit(process, PROCESS_WAIT_MS);
}

void process_free(struct process *process)
{
    if (!process)
        return;
    process_signal(process, SIGKILL);
    process_await_exit(process, PROCESS_WAIT_MS);
    pthread_join(process->reader, NULL);
    close(process->input_fd);
    close(process->output_fd);
    if (process->pid_fd >= 0)
        close(process->pid_fd);
    pthread_cond_destroy(&process->changed);
    pthread_mutex_destroy(&process->lock);
    free(process->log);
    free(process);
}
