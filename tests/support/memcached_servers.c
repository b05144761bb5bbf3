/* memcached as a child. */
#include "tests/support/memcached_servers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_WAIT_MS = 60000, STEP_MS = 5, PATH_BYTES = 64 };

static const char program[] = "/usr/bin/memcached";

static char folder[] = "/tmp/svc-memcached-XXXXXX";
static char paths[MEMCACHED_SERVERS_MOST][PATH_BYTES];
static pid_t pids[MEMCACHED_SERVERS_MOST];

bool memcached_servers_exist(void)
{
    return access(program, X_OK) == 0;
}

bool memcached_servers_begin(void)
{
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder)) {
        perror("mkdtemp");
        return false;
    }
    for (size_t i = 0; i < MEMCACHED_SERVERS_MOST; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%zu", folder, i);
        pids[i] = 0;
    }
    return true;
}

void memcached_servers_end(void)
{
    for (size_t i = 0; i < MEMCACHED_SERVERS_MOST; i++) {
        memcached_servers_signal(i, SIGKILL);
        unlink(paths[i]);
    }
    rmdir(folder);
}

const char *memcached_servers_path(size_t index)
{
    return paths[index];
}

const char *memcached_servers_url(size_t count, const char *params)
{
    static char urls[2][512];
    static unsigned turn;
    char *url = urls[turn++ % 2];
    size_t len = (size_t)snprintf(url, sizeof urls[0], "memcached://");
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(url + len, sizeof urls[0] - len, "%s%s", i ? "," : "", paths[i]);
    snprintf(url + len, sizeof urls[0] - len, "%s", params);
    return url;
}

/* memcached gives up root's rights for those of another user, who cannot write into the folder. */
static void run_server(size_t index, const char *option, const char *value, pid_t parent)
{
    const char *arguments[] = {program, "-s",   paths[index], "-t",  "2",
                               "-u",    "root", option,       value, NULL};
    sigset_t none;
    int null = open("/dev/null", O_RDWR);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
        _exit(126);
    execv(program, (char **)(uintptr_t)arguments);
    _exit(127);
}

static bool listens(size_t index)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, paths[index], sizeof paths[index]);
    bool connected = !connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return connected;
}

bool memcached_servers_start(size_t index, const char *option, const char *value)
{
    const struct timespec step = {0, STEP_MS * 1000000};
    pid_t parent = getpid();
    pids[index] = fork();
    if (pids[index] == 0)
        run_server(index, option, value, parent);
    for (int waited = 0; pids[index] > 0 && waited < START_WAIT_MS; waited += STEP_MS) {
        if (listens(index))
            return true;
        if (waitpid(pids[index], NULL, WNOHANG) != 0)
            pids[index] = 0;
        nanosleep(&step, NULL);
    }
    fprintf(stderr, "memcached does not listen on %s\n", paths[index]);
    return false;
}

void memcached_servers_signal(size_t index, int signal)
{
    if (pids[index] <= 0)
        return;
    kill(pids[index], signal);
    if (signal != SIGKILL && signal != SIGSTOP)
        return;
    while (waitpid(pids[index], NULL, signal == SIGSTOP ? WUNTRACED : 0) < 0 && errno == EINTR)
        continue;
    if (signal == SIGKILL)
        pids[index] = 0;
}
