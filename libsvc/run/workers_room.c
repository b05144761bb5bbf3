/* Room for workers by the memory of the machine, its threads and the process's limits. */
#include "libsvc/run/workers_room.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LEAST = 64,
    MOST = 1024,
    BESIDE = 32768 /* bytes of a worker beside its stack: thread-local variables, guard, arena */
};

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

size_t svc__workers_room_of(uint64_t memory, uint64_t threads, uint64_t stack)
{
    uint64_t room = lesser(memory / 4 / (stack + BESIDE), threads / 2);
    return room < LEAST ? LEAST : (size_t)lesser(room, MOST);
}

/* What a limit of the process allows; UINT64_MAX: it does not limit. */
static uint64_t read_limit(__rlimit_resource_t resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

static uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
}

static uint64_t machine_threads(void)
{
    unsigned long long threads;
    FILE *file = fopen("/proc/sys/kernel/threads-max", "re");
    int read = file ? fscanf(file, "%llu", &threads) : 0;
    if (file)
        fclose(file);
    return read == 1 ? threads : UINT64_MAX;
}

size_t svc__workers_room(uint64_t stack)
{
    uint64_t memory = lesser(machine_memory(), read_limit(RLIMIT_AS));
    uint64_t threads = lesser(machine_threads(), read_limit(RLIMIT_NPROC));
    return svc__workers_room_of(memory, threads, stack);
}
