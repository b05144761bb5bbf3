/*
 * The server for the tests of child processes. From every kind of thread that runs a
 * program's code it starts children, and logs whether they have the signal mask and the ignored
 * signals that the program began with, and whether they end by SIGTERM.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <svc.h>

static char cat[] = "cat", status_file[] = "/proc/self/status", sleeper[] = "sleep",
            long_time[] = "600";
static char *const look[] = {cat, status_file, NULL}, *const rest[] = {sleeper, long_time, NULL};

/* ---- The signals of a process */

enum { STATUS = 8192 };

struct signals {
    unsigned long long blocked, ignored;
};

static struct signals expected;

/* A child that glibc spawns ignores the two signals that glibc has for itself. */
static unsigned long long find_set(const char *status, const char *key)
{
    static const unsigned long long internal = 3ULL << 31;
    const char *at = strstr(status, key);
    return at ? strtoull(at + strlen(key), NULL, 16) & ~internal : internal;
}

/* Reads a status file to its end. */
static struct signals read_signals(int fd)
{
    char status[STATUS] = "";
    size_t len = 0;
    ssize_t n;
    while (len < sizeof status - 1 && (n = read(fd, status + len, sizeof status - 1 - len)) > 0)
        len += (size_t)n;
    return (struct signals){find_set(status, "SigBlk:"), find_set(status, "SigIgn:")};
}

/* ---- Children, in two ways */

static pid_t spawn(char *const arguments[], int output)
{
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (posix_spawnp(&pid, *arguments, &actions, NULL, arguments, environ))
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* Returns when the child runs the other program, which closes its end of the pipe: the thread
 * sanitizer would lose a signal that comes before that. */
static pid_t fork_and_execute(char *const arguments[], int output)
{
    int ends[2];
    char nothing;
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(output, STDOUT_FILENO) >= 0)
            execvp(*arguments, arguments);
        _exit(127);
    }
    close(ends[1]);
    while (read(ends[0], &nothing, 1) < 0)
        continue;
    close(ends[0]);
    return pid;
}

typedef pid_t make_child(char *const arguments[], int output);

static bool has_signals(make_child *make)
{
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    pid_t pid = make(look, ends[1]);
    close(ends[1]);
    struct signals its = read_signals(ends[0]);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        continue;
    return its.blocked == expected.blocked && its.ignored == expected.ignored;
}

static bool ends_by_signal(make_child *make)
{
    int status = 0;
    pid_t pid = make(rest, STDERR_FILENO);
    if (pid <= 0 || kill(pid, SIGTERM))
        return false;
    while (waitpid(pid, &status, 0) < 0)
        continue;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

static void try_children(const svc_app *app, const char *where)
{
    bool same = has_signals(spawn) && has_signals(fork_and_execute);
    bool ended = ends_by_signal(spawn) && ends_by_signal(fork_and_execute);
    svc_app_log_info(app, "children", svc_kv_str("where", where), svc_kv_bool("same", same),
                     svc_kv_bool("ended", ended));
}

/* ---- The threads that make them */

static int handle(svc_request *req, svc_response *res)
{
    try_children(svc_request_app(req), svc_request_arg(req));
    return svc_response_text(res, 200, "tried");
}

static int write_answer(svc_pipe *pipe, void *arg)
{
    try_children(arg, "writer");
    return svc_pipe_write(pipe, "tried", 5);
}

static int stream(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "text/plain", write_answer, svc_request_app(req));
}

static int run_task(svc_task_context *context, void *arg)
{
    try_children(svc_task_app(context), arg);
    return 0;
}

static int begin_worker(svc_app *app, void *arg, void **state)
{
    (void)state;
    try_children(app, arg);
    return 0;
}

static int check(void *arg)
{
    try_children(arg, "check");
    return 0;
}

static int start(svc_app *app, void *arg)
{
    (void)arg;
    try_children(app, "start hook");
    return 0;
}

static void stop(svc_app *app, void *arg)
{
    (void)arg;
    try_children(app, "stop hook");
}

int main(void)
{
    static char on_loop[] = "loop", on_worker[] = "worker", in_task[] = "task",
                at_begin[] = "worker's begin";
    if (getenv("CHILDREN_IGNORE_PIPE"))
        signal(SIGPIPE, SIG_IGN);
    int fd = open(status_file, O_RDONLY | O_CLOEXEC);
    expected = read_signals(fd);
    close(fd);
    svc_app *app = svc_app_new("children");
    svc_route route = SVC_ROUTE_INIT;
    svc_task task = SVC_TASK_INIT;
    route.pattern = "/worker";
    route.handler = handle;
    route.arg = on_worker;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    svc_app_get(app, "/loop", handle, on_loop);
    svc_app_get(app, "/writer", stream, NULL);
    task.name = "task";
    task.run = run_task;
    task.arg = in_task;
    svc_app_add_task(app, &task);
    svc_app_each_worker(app, begin_worker, NULL, at_begin);
    svc_app_add_check(app, "check", check, app);
    svc_app_add_hook(app, start, stop, NULL);
    return svc_app_run(app);
}
