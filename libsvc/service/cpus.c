/* CPUs by the scheduler's mask and by the control group's quota. */
#include "libsvc/service/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

size_t svc__cpus_of_quota(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    return (size_t)((quota - 1) / period + 1);
}

/* "max 100000" or "150000 100000"; the root of a container's own hierarchy has the file too. */
static size_t quota_of_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    long long quota = 0, period = 0;
    int read = fscanf(file, "%lld %lld", &quota, &period);
    fclose(file);
    return read == 2 ? svc__cpus_of_quota(quota, period) : 0;
}

static size_t lesser(size_t a, size_t b)
{
    return a == 0 || (b && b < a) ? b : a;
}

/* The quota of this process's group and of each group above it (control groups, version 2). */
static size_t quota(void)
{
    char group[PATH_MAX] = "", path[PATH_MAX + 64];
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file && fscanf(file, "0::%4000s", group) != 1)
        group[0] = '\0';
    if (file)
        fclose(file);
    size_t least = 0;
    for (;;) {
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
        least = lesser(least, quota_of_file(path));
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

size_t svc__cpus_usable(void)
{
    cpu_set_t set;
    size_t count = 1;
    if (!sched_getaffinity(0, sizeof set, &set))
        count = (size_t)CPU_COUNT(&set);
    count = lesser(count, quota());
    return count ? count : 1;
}
