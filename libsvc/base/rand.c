/* Random bytes from a buffer per thread that getrandom(2) fills and a fork empties. */
#include "libsvc/base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "libsvc/base/clock.h"

enum { BATCH = 1024 }; /* so that an id costs a 64th of a system call */

struct pool {
    size_t left; /* unused bytes at the end of `bytes` */
    unsigned generation;
    unsigned char bytes[BATCH];
};

static _Thread_local struct pool pool;

/* Counts forks: a pool of an older generation was filled by the parent. */
static atomic_uint generation = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool fork_is_seen;

static void after_fork(void)
{
    atomic_fetch_add(&generation, 1);
}

static void watch_forks(void)
{
    fork_is_seen = pthread_atfork(NULL, NULL, after_fork) == 0;
}

static size_t from_device(unsigned char *out, size_t n)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size_t done = 0;
    while (done < n) {
        ssize_t got = read(fd, out + done, n - done);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return done;
}

/* Spreads every bit of `x` over the whole word (the finaliser of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The last resort: differs by process, by call and by time, but can be guessed. */
static void from_clocks(unsigned char *out, size_t n)
{
    static atomic_uint_fast64_t calls;
    for (size_t done = 0; done < n;) {
        uint64_t word = mix(svc__clock_ns() ^ (uint64_t)getpid() << 48);
        word = mix(word + svc__clock_wall_us());
        word = mix(word + atomic_fetch_add(&calls, 1) * UINT64_C(0x9e3779b97f4a7c15));
        size_t part = n - done < sizeof word ? n - done : sizeof word;
        memcpy(out + done, &word, part);
        done += part;
    }
}

static void fill(unsigned char *out, size_t n)
{
    size_t done = 0;
    while (done < n) {
        /* A system that has just booted may gather randomness for long: the device is read then. */
        ssize_t got = getrandom(out + done, n - done, GRND_NONBLOCK);
        if (got < 0 && errno != EINTR)
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    if (done < n)
        done += from_device(out + done, n - done);
    if (done < n)
        from_clocks(out + done, n - done);
}

/* Moves bytes out of the pool, of which it has at least `n`. */
static void draw(unsigned char *out, size_t n)
{
    unsigned char *from = pool.bytes + BATCH - pool.left;
    memcpy(out, from, n);
    memset(from, 0, n);
    pool.left -= n;
}

void svc__rand_bytes(void *out, size_t n)
{
    pthread_once(&once, watch_forks);
    if (n > BATCH || !fork_is_seen) {
        fill(out, n);
        return;
    }
    unsigned now = atomic_load(&generation);
    if (pool.generation != now || pool.left < n) {
        fill(pool.bytes, BATCH);
        pool.left = BATCH;
        pool.generation = now;
    }
    draw(out, n);
}
