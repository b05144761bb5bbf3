/* What the system knows of the process, read when metrics are. */
#include "libsvc/ops/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <svc/version.h>

#include "libsvc/metrics/metric.h"
#include "libsvc/metrics/walk.h"

/* The beginning of a file as text, without the heap; false when it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Field `number` of /proc/self/stat, from 3 on: those behind the program's name, which may have
 * anything in it. NaN: not known. */
static double stat_field(int number)
{
    char text[1024];
    if (!read_text("/proc/self/stat", text, sizeof text))
        return NAN;
    const char *at = strrchr(text, ')');
    for (int i = 2; at && i < number; i++)
        at = strchr(at + 1, ' ');
    return at ? strtod(at, NULL) : (double)NAN;
}

static double read_cpu_seconds(void *arg)
{
    struct rusage usage;
    (void)arg;
    if (getrusage(RUSAGE_SELF, &usage))
        return NAN;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double count_open_fds(void *arg)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -1; /* the folder's own */
    (void)arg;
    if (!folder)
        return NAN;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static double read_limit(__rlimit_resource_t resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit))
        return NAN;
    return limit.rlim_cur == RLIM_INFINITY ? (double)INFINITY : (double)limit.rlim_cur;
}

static double read_max_fds(void *arg)
{
    (void)arg;
    return read_limit(RLIMIT_NOFILE);
}

static double read_max_virtual(void *arg)
{
    (void)arg;
    return read_limit(RLIMIT_AS);
}

static double read_virtual(void *arg)
{
    (void)arg;
    return stat_field(23);
}

static double read_resident(void *arg)
{
    (void)arg;
    return stat_field(24) * (double)sysconf(_SC_PAGESIZE);
}

static double count_process_threads(void *arg)
{
    (void)arg;
    return stat_field(20);
}

/* The start is known in ticks since the boot, and that in seconds. */
static double read_start_time(void *arg)
{
    char text[65536];
    (void)arg;
    if (!read_text("/proc/stat", text, sizeof text))
        return NAN;
    const char *boot = strstr(text, "\nbtime ");
    return boot ? strtod(boot + strlen("\nbtime "), NULL) +
                      stat_field(22) / (double)sysconf(_SC_CLK_TCK)
                : (double)NAN;
}

static void give_build(struct metric_walk *walk, void *arg)
{
    (void)arg;
    const char *version = svc_version();
    svc__metric_give(walk, &version, 1);
}

void svc__process_metrics_register(struct metrics *m)
{
    static const struct {
        enum metric_type type;
        const char *name, *help;
        double (*read)(void *arg);
    } all[] = {
        {METRIC_COUNTER, "process_cpu_seconds_total", "Processor time of user and system.",
         read_cpu_seconds},
        {METRIC_GAUGE, "process_open_fds", "Open file descriptors.", count_open_fds},
        {METRIC_GAUGE, "process_max_fds", "The limit of open file descriptors.", read_max_fds},
        {METRIC_GAUGE, "process_virtual_memory_bytes", "Virtual memory.", read_virtual},
        {METRIC_GAUGE, "process_virtual_memory_max_bytes", "The limit of virtual memory.",
         read_max_virtual},
        {METRIC_GAUGE, "process_resident_memory_bytes", "Resident memory.", read_resident},
        {METRIC_GAUGE, "process_start_time_seconds",
         "When the process began, in seconds since 1970.", read_start_time},
        {METRIC_GAUGE, "process_threads", "Threads.", count_process_threads},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        svc__metric_fn(m, all[i].type, all[i].name, all[i].help, all[i].read, NULL);
    svc__metric_giver(m, METRIC_GAUGE, "svc_build_info", "The version of libsvc.", "version",
                      give_build, NULL);
}
