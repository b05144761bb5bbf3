/* Takes CPU profiles by gperftools, which knows one profile at a time and writes it to a file by
 * its name. */
#include "libsvc/pprof/pprof_profile.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gperftools/profiler.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svc/pending.h>
#include <svc/response.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "libsvc/pprof/pprof_reply.h"

/* A profile may be longer than this only if the program has samples of thousands of deep stacks. */
enum { PROFILE_BYTES_MOST = 64 << 20 };

/* The name of a profile's file in memory, and how /proc shows it. */
#define FILE_NAME "svc-pprof"
#define FILE_LINK "/memfd:" FILE_NAME " "

/* A profile that runs: its thread owns it. */
struct profile {
    struct pprof_owner *owner;
    svc_pending *pending;
    unsigned seconds;
    pthread_cond_t changed;
    bool ended; /* before its time; guarded by `lock` */
};

/* Of the process, as gperftools' profile is. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct profile *running; /* guarded by `lock` */

static void end_profile(svc_pending *pending, void *arg)
{
    struct profile *profile = arg;
    (void)pending;
    pthread_mutex_lock(&lock);
    profile->ended = true;
    pthread_cond_signal(&profile->changed);
    pthread_mutex_unlock(&lock);
}

static void await_end(struct profile *profile)
{
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_sec += profile->seconds;
    pthread_mutex_lock(&lock);
    while (!profile->ended && pthread_cond_timedwait(&profile->changed, &lock, &due) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&lock);
}

/* Whether gperftools' handler still gets SIGPROF. Another handler would get it instead, and the
 * default disposition would end the process. */
static bool profiler_listens(void)
{
    struct sigaction action;
    Dl_info handler, profiler;
    return !sigaction(SIGPROF, NULL, &action) && (action.sa_flags & SA_SIGINFO) &&
           dladdr((void *)action.sa_sigaction, &handler) &&
           dladdr((void *)ProfilerStart, &profiler) && handler.dli_fbase == profiler.dli_fbase;
}

/* Whether a file may grow enough: a write beyond the limit would end the process. */
static bool file_may_grow(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= PROFILE_BYTES_MOST;
}

/* Keeps the descriptor that gperftools has opened for the profile's file from child processes.
 * Descriptors of other threads, which may be closed meanwhile, are not touched: the links of /proc
 * name their files. */
static void close_on_exec(void)
{
    char link[sizeof FILE_LINK];
    const struct dirent *entry;
    DIR *descriptors = opendir("/proc/self/fd");
    if (!descriptors)
        return;
    while ((entry = readdir(descriptors)))
        if (readlinkat(dirfd(descriptors), entry->d_name, link, sizeof link) >=
                (ssize_t)sizeof FILE_LINK - 1 &&
            !memcmp(link, FILE_LINK, sizeof FILE_LINK - 1))
            fcntl((int)strtol(entry->d_name, NULL, 10), F_SETFD, FD_CLOEXEC);
    closedir(descriptors);
}

/* Begins to sample into the file. NULL, or the reason why it does not, with `*status` for the
 * answer. */
static const char *start_sampling(const struct profile *profile, int fd, int *status)
{
    char path[32];
    struct ProfilerState state;
    *status = 501;
    if (profile->owner->misled)
        return "CPUPROFILE_REALTIME, CPUPROFILE_PER_THREAD_TIMERS or CPUPROFILE_TIMER_SIGNAL is "
               "set, by which gperftools samples one thread only\n";
    if (!profiler_listens())
        return "The program has its own handler for SIGPROF, by which gperftools takes samples\n";
    if (!file_may_grow())
        return "The limit of a file's size (RLIMIT_FSIZE) leaves no room for a profile\n";
    if (fd < 0)
        return "The system has no file in memory (memfd_create) for the profile\n";
    ProfilerGetCurrentState(&state);
    *status = state.enabled ? 409 : 501;
    if (state.enabled)
        return "The program itself takes a profile\n";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return ProfilerStart(path) ? NULL : "gperftools cannot open its file: is /proc mounted?\n";
}

static void answer_profile(svc_response *res, int fd)
{
    svc_file file = SVC_FILE_INIT;
    file.fd = fd;
    svc_response_set_header(res, "Content-Disposition", "attachment; filename=\"profile\"");
    if (svc_response_fd(res, 200, "application/octet-stream", &file))
        svc__pprof_reply_text(res, 500, "The profile cannot be sent\n");
}

static void take_profile(struct profile *profile, svc_response *res)
{
    int status, fd = memfd_create(FILE_NAME, MFD_CLOEXEC);
    const char *fault = start_sampling(profile, fd, &status);
    if (!fault) {
        close_on_exec();
        await_end(profile);
        ProfilerStop();
        answer_profile(res, fd);
        return;
    }
    if (fd >= 0)
        close(fd);
    svc__pprof_reply_text(res, status, fault);
}

static struct profile *make_profile(struct pprof_owner *owner, unsigned seconds)
{
    pthread_condattr_t monotonic;
    struct profile *profile = calloc(1, sizeof *profile);
    if (!profile)
        return NULL;
    profile->owner = owner;
    profile->seconds = seconds;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&profile->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return profile;
}

static void free_profile(struct profile *profile)
{
    pthread_cond_destroy(&profile->changed);
    free(profile);
}

static int claim_profiler(struct profile *profile)
{
    pthread_mutex_lock(&lock);
    int error = profile->owner->draining ? SVC_ECANCELLED : running ? SVC_ESTATE : 0;
    if (!error)
        running = profile;
    pthread_mutex_unlock(&lock);
    return error;
}

static void release_profiler(void)
{
    pthread_mutex_lock(&lock);
    running = NULL;
    pthread_mutex_unlock(&lock);
}

/* Answers, after the next profile may begin: the client may ask for one as soon as it has its
 * answer. The app may be gone when this has given back the request. */
static void finish_profile(struct profile *profile, svc_response *res)
{
    release_profiler();
    svc_pending_complete(profile->pending, res);
    svc_pending_unref(profile->pending);
    free_profile(profile);
}

static void *run_profile(void *arg)
{
    struct profile *profile = arg;
    svc_response *res = svc_response_new();
    take_profile(profile, res);
    finish_profile(profile, res);
    return NULL;
}

/* Nobody joins the thread: it ends by itself, and gperftools may keep it for as long as stderr is
 * blocked. */
static int start_thread(struct profile *profile)
{
    pthread_t thread;
    sigset_t most, before;
    sigfillset(&most);
    sigdelset(&most, SIGPROF);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    int error = pthread_create(&thread, NULL, run_profile, profile);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return SVC_ESYSTEM;
    pthread_detach(thread);
    return 0;
}

int svc__pprof_profile_begin(struct pprof_owner *owner, svc_request *req, unsigned seconds)
{
    struct profile *profile = make_profile(owner, seconds);
    int error = profile ? claim_profiler(profile) : SVC_ENOMEM;
    if (!error) {
        profile->pending = svc_request_defer(req, end_profile, profile);
        if (!profile->pending) {
            release_profiler();
            error = SVC_ENOMEM;
        }
    }
    if (error) {
        if (profile)
            free_profile(profile);
        return error;
    }
    if (start_thread(profile)) {
        svc_response *res = svc_response_new();
        svc__pprof_reply_text(res, 503, "The system has no thread for the profile\n");
        finish_profile(profile, res);
    }
    return 0;
}

void svc__pprof_profile_init(struct pprof_owner *owner)
{
    owner->misled = getenv("CPUPROFILE_REALTIME") || getenv("CPUPROFILE_PER_THREAD_TIMERS") ||
                    getenv("CPUPROFILE_TIMER_SIGNAL");
}

void svc__pprof_profile_drain(struct pprof_owner *owner)
{
    pthread_mutex_lock(&lock);
    owner->draining = true;
    if (running && running->owner == owner) {
        running->ended = true;
        pthread_cond_signal(&running->changed);
    }
    pthread_mutex_unlock(&lock);
}
