/*
 * The memory store: ratios within one run, since absolute times depend on the machine.
 *
 *     make bench/micro-store && bench/micro-store [ROUNDS [ENTRIES]]
 *
 * - get: a value of 64 bytes out of ENTRIES (half a million) by a random key, against one dependent
 * load from a random place in an array of the size that the entries take. Wanted: at most 4.
 * - svc_store_get: the same by the public call.
 * - svc_store_get_then: the same on an event loop, one call after another, and 64 calls a turn.
 * - two threads: gets per CPU second of two threads against one, on one store, against the same
 * with a store for each thread. Wanted: at least 0.9.
 * - overhead: the bytes that an entry takes beside its key and its value. Wanted: at most 64.
 * - hit ratios, of the store and of an LRU list with room for as many entries: keys by Zipf's law,
 * the same with a scan over keys that never come again in between, and a loop that is longer than
 * the store.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#include "bench/beside.h"
#include "bench/median.h"
#include "libsvc/store/memory.h"

enum { STEPS = 200000, MAX_ROUNDS = 999, KEY_BYTES = 16, VALUE_BYTES = 64, TRACE_BYTES = 8 << 20 };

static size_t rounds = 15, entries = 500000;

static struct memory *make_memory(uint64_t bytes)
{
    const struct memory_options options = {bytes, 1000, svc__siphash_key()};
    struct memory *memory = NULL;
    svc__memory_new(&options, &memory);
    return must(memory);
}

/* A key of KEY_BYTES. */
static struct bytes key_of(char *text, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < KEY_BYTES; i++)
        text[i] = digits[number >> (60 - 4 * i) & 15];
    text[KEY_BYTES] = '\0';
    return svc__bytes(text, KEY_BYTES);
}

static void set(struct memory *memory, uint64_t number)
{
    static const char value[VALUE_BYTES];
    char text[KEY_BYTES + 1];
    uint64_t version = 0;
    if (svc__memory_set(memory, MEMORY_SET, key_of(text, number), svc__bytes(value, sizeof value),
                        0, &version))
        exit(1);
}

static void *alloc_copy(void *arg, size_t len)
{
    (void)len;
    return arg;
}

static bool get(struct memory *memory, uint64_t number)
{
    char text[KEY_BYTES + 1], copy[VALUE_BYTES];
    struct memory_reader reader = {.alloc = alloc_copy, .arg = copy};
    return svc__memory_get(memory, key_of(text, number), &reader) == 0;
}

static void fill(struct memory *memory, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        set(memory, first + i);
}

static uint64_t bytes_for(size_t count)
{
    return count * (KEY_BYTES + VALUE_BYTES + 64) * 5 / 4;
}

/* ---- One get */

struct getter {
    struct runner runner; /* first */
    struct memory *memory;
    uint64_t first, count; /* of its keys */
    uint64_t state;
};

static void time_gets(struct runner *runner)
{
    struct getter *getter = (struct getter *)(void *)runner;
    size_t found = 0;
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++)
        found += get(getter->memory,
                     getter->first + (next_random(&getter->state) >> 32) % getter->count);
    runner->ns = (cpu_ns() - began) / STEPS;
    if (found != STEPS)
        printf("%zu of %d are gone\n", STEPS - found, STEPS);
}

static double time_public_gets(svc_store *store, uint64_t *state)
{
    char text[KEY_BYTES + 1];
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++) {
        svc_store_value value;
        key_of(text, (next_random(state) >> 32) % entries);
        if (svc_store_get(store, NULL, text, &value) == 0)
            svc_store_value_free(&value);
    }
    return (cpu_ns() - began) / STEPS;
}

/* Gets on the loop of svc_app_test: when all of a turn are answered, the next are made. */
struct loop_gets {
    svc_store *store;
    svc_pending *pending;
    size_t batch, missing, left;
    uint64_t state;
    double began, ns; /* of one get */
};

static void make_batch(struct loop_gets *gets);

static void take_value(const svc_store_answer *answer, void *arg)
{
    struct loop_gets *gets = arg;
    if (answer->error)
        exit(1);
    if (--gets->missing > 0)
        return;
    if (gets->left > 0) {
        make_batch(gets);
        return;
    }
    gets->ns = (cpu_ns() - gets->began) / STEPS;
    svc_response *res = must(svc_response_new());
    svc_response_text(res, 200, "done");
    (void)svc_pending_complete(gets->pending, res);
    svc_pending_unref(gets->pending);
}

static void make_batch(struct loop_gets *gets)
{
    char text[KEY_BYTES + 1];
    gets->missing = gets->batch < gets->left ? gets->batch : gets->left;
    gets->left -= gets->missing;
    for (size_t i = gets->missing; i > 0; i--) {
        key_of(text, (next_random(&gets->state) >> 32) % entries);
        if (svc_store_get_then(gets->store, NULL, text, take_value, gets))
            exit(1);
    }
}

static int serve_gets(svc_request *req, svc_response *res)
{
    struct loop_gets *gets = svc_request_arg(req);
    (void)res;
    gets->pending = must(svc_request_defer(req, NULL, NULL));
    gets->left = STEPS;
    gets->began = cpu_ns();
    make_batch(gets);
    return 0;
}

static double time_loop_gets(svc_app *app, struct loop_gets *gets, size_t batch)
{
    gets->batch = batch;
    svc_reply_free(must(svc_app_test_get(app, "/gets")));
    return gets->ns;
}

static svc_store *make_store(svc_app *app)
{
    char url[80], text[KEY_BYTES + 1];
    static const char bytes[VALUE_BYTES];
    const svc_store_value value = {bytes, sizeof bytes, 0, NULL};
    snprintf(url, sizeof url, "memory:?max_value=1000&bytes=%llu",
             (unsigned long long)bytes_for(entries));
    svc_store_open(app, url);
    svc_store *store = must(svc_test_store(app));
    for (size_t i = 0; i < entries; i++) {
        key_of(text, i);
        svc_store_set(store, NULL, text, &value, 0);
    }
    return store;
}

static void bench_one(void)
{
    static double loads[MAX_ROUNDS], gets[MAX_ROUNDS], calls[MAX_ROUNDS], ratios[MAX_ROUNDS],
        call_ratios[MAX_ROUNDS], single[MAX_ROUNDS], many[MAX_ROUNDS], many_ratios[MAX_ROUNDS];
    static struct loop_gets loop_gets = {.state = 13};
    struct memory *memory = make_memory(bytes_for(entries));
    struct memory_stats stats;
    svc_app *app = must(svc_app_new("bench"));
    svc_app_get(app, "/gets", serve_gets, &loop_gets);
    svc_store *store = loop_gets.store = make_store(app);
    fill(memory, 0, entries);
    svc__memory_read_stats(memory, &stats);
    size_t words = stats.bytes / sizeof(uint64_t);
    uint64_t *chain = make_chain(words), at = 0, state = 7;
    struct getter getter = {{.run = time_gets}, memory, 0, entries, 88172645463325252};
    for (size_t i = 0; i < rounds; i++) {
        loads[i] = time_loads(chain, &at, STEPS);
        time_gets(&getter.runner);
        gets[i] = getter.runner.ns;
        calls[i] = time_public_gets(store, &state);
        ratios[i] = gets[i] / loads[i];
        call_ratios[i] = calls[i] / loads[i];
        single[i] = time_loop_gets(app, &loop_gets, 1);
        many[i] = time_loop_gets(app, &loop_gets, 64);
        many_ratios[i] = many[i] / calls[i];
    }
    printf("get: load %.1f ns, get %.1f ns, ratio %.2f (wanted: at most 4)%s\n",
           median(loads, rounds), median(gets, rounds), median(ratios, rounds),
           at == UINT64_MAX ? "!" : "");
    printf("svc_store_get: %.1f ns, ratio %.2f\n", median(calls, rounds),
           median(call_ratios, rounds));
    printf("svc_store_get_then: one a turn %.1f ns, 64 a turn %.1f ns, of svc_store_get %.2f\n",
           median(single, rounds), median(many, rounds), median(many_ratios, rounds));
    printf("overhead: %.1f bytes an entry (wanted: at most 64)\n",
           (double)stats.bytes / (double)stats.entries - KEY_BYTES - VALUE_BYTES);
    free(chain);
    svc__memory_free(memory);
    svc_app_free(app);
}

/* ---- Two threads */

static void bench_two(void)
{
    static double shared[MAX_ROUNDS], apart[MAX_ROUNDS], ratios[MAX_ROUNDS];
    uint64_t half = entries / 2;
    struct memory *both = make_memory(bytes_for(entries)), *one = make_memory(bytes_for(half)),
                  *other = make_memory(bytes_for(half));
    struct getter a = {{.run = time_gets}, both, 0, half, 88172645463325252};
    struct getter b = {{.run = time_gets}, both, half, half, 1181783497276652981};
    struct getter c = {{.run = time_gets}, one, 0, half, 88172645463325252};
    struct getter d = {{.run = time_gets}, other, half, half, 1181783497276652981};
    fill(both, 0, entries);
    fill(one, 0, half);
    fill(other, half, half);
    for (size_t i = 0; i < rounds; i++) {
        apart[i] = scaling(&c.runner, &d.runner);
        shared[i] = scaling(&a.runner, &b.runner);
        ratios[i] = shared[i] / apart[i];
    }
    printf(
        "two threads: scaling %.2f apart, %.2f on one store, ratio %.3f (wanted: at least 0.9)\n",
        median(apart, rounds), median(shared, rounds), median(ratios, rounds));
    svc__memory_free(both);
    svc__memory_free(one);
    svc__memory_free(other);
}

/* ---- Hit ratios */

/* A list of keys by their last use, with a table of them. */
struct lru {
    size_t room, count, mask;
    uint32_t *slots; /* 0: free; else an entry's number */
    struct lru_entry {
        uint64_t key;
        uint32_t newer, older, next; /* next: of the same slot */
    } * entries;                     /* number 0 is the list's end on both sides */
};

static struct lru make_lru(size_t room)
{
    size_t slots = 1;
    while (slots < 2 * room)
        slots *= 2;
    return (struct lru){room, 0, slots - 1, must(calloc(slots, sizeof(uint32_t))),
                        must(calloc(room + 1, sizeof(struct lru_entry)))};
}

static uint32_t *slot_of(const struct lru *lru, uint64_t key)
{
    return &lru->slots[(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & lru->mask];
}

static void unlink_entry(struct lru *lru, uint32_t n)
{
    struct lru_entry *entry = &lru->entries[n];
    lru->entries[entry->newer].older = entry->older;
    lru->entries[entry->older].newer = entry->newer;
}

static void link_newest(struct lru *lru, uint32_t n)
{
    struct lru_entry *end = &lru->entries[0], *entry = &lru->entries[n];
    entry->newer = 0;
    entry->older = end->older;
    lru->entries[end->older].newer = n;
    end->older = n;
}

static void forget_oldest(struct lru *lru, uint32_t n)
{
    uint32_t *at = slot_of(lru, lru->entries[n].key);
    while (*at != n)
        at = &lru->entries[*at].next;
    *at = lru->entries[n].next;
    unlink_entry(lru, n);
}

/* Whether the key was there; it is afterwards. */
static bool touch_lru(struct lru *lru, uint64_t key)
{
    uint32_t n = *slot_of(lru, key);
    while (n && lru->entries[n].key != key)
        n = lru->entries[n].next;
    bool found = n;
    if (found) {
        unlink_entry(lru, n);
    } else {
        n = lru->count < lru->room ? (uint32_t)++lru->count : lru->entries[0].newer;
        if (lru->entries[n].newer || lru->entries[n].older || lru->entries[0].newer == n)
            forget_oldest(lru, n);
        lru->entries[n].key = key;
        lru->entries[n].next = *slot_of(lru, key);
        *slot_of(lru, key) = n;
    }
    link_newest(lru, n);
    return found;
}

static bool touch_store(struct memory *memory, uint64_t key)
{
    if (get(memory, key))
        return true;
    set(memory, key);
    return false;
}

/* Keys whose frequencies follow Zipf's law, by inversion of its sum. */
struct zipf {
    double *sums;
    size_t count;
};

static struct zipf make_zipf(size_t count, double exponent)
{
    struct zipf zipf = {must(malloc(count * sizeof(double))), count};
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        zipf.sums[i] = sum += pow((double)(i + 1), -exponent);
    return zipf;
}

static uint64_t draw(const struct zipf *zipf, uint64_t *state)
{
    double wanted =
        (double)(next_random(state) >> 11) / 9007199254740992.0 * zipf->sums[zipf->count - 1];
    size_t low = 0, high = zipf->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zipf->sums[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum trace { ZIPF, ZIPF_SCAN, LOOP };

/* Request `i` of a trace: a scan of 10,000 keys comes after every 20,000 requests. */
static uint64_t key_at(enum trace trace, const struct zipf *zipf, size_t i, size_t loop,
                       uint64_t *state)
{
    enum { SCAN_EVERY = 30000, SCAN = 10000 };
    if (trace == LOOP)
        return i % loop;
    if (trace == ZIPF_SCAN && i % SCAN_EVERY >= SCAN_EVERY - SCAN)
        return UINT64_C(1) << 32 | i;
    return draw(zipf, state);
}

static size_t entries_that_fit(void)
{
    struct memory *memory = make_memory(TRACE_BYTES);
    struct memory_stats stats;
    fill(memory, 0, 4 * TRACE_BYTES / (KEY_BYTES + VALUE_BYTES));
    svc__memory_read_stats(memory, &stats);
    svc__memory_free(memory);
    return (size_t)stats.entries;
}

static void bench_trace(const char *name, enum trace trace, const struct zipf *zipf, size_t room)
{
    enum { WARM = 1000000, COUNTED = 3000000 };
    struct memory *memory = make_memory(TRACE_BYTES);
    struct lru lru = make_lru(room);
    uint64_t state = 88172645463325252;
    size_t store_hits = 0, lru_hits = 0;
    for (size_t i = 0; i < WARM + COUNTED; i++) {
        uint64_t key = key_at(trace, zipf, i, room * 11 / 10, &state);
        bool in_store = touch_store(memory, key), in_lru = touch_lru(&lru, key);
        store_hits += i >= WARM && in_store;
        lru_hits += i >= WARM && in_lru;
    }
    printf("hits, %s: %.1f%%, LRU %.1f%%\n", name, 100.0 * (double)store_hits / COUNTED,
           100.0 * (double)lru_hits / COUNTED);
    svc__memory_free(memory);
    free(lru.slots);
    free(lru.entries);
}

static void bench_hits(void)
{
    size_t room = entries_that_fit();
    struct zipf flat = make_zipf(room * 10, 0.7), steep = make_zipf(room * 10, 1.0);
    printf("hits: %d MiB have room for %zu entries; there are ten times as many keys\n",
           TRACE_BYTES >> 20, room);
    bench_trace("Zipf 0.7", ZIPF, &flat, room);
    bench_trace("Zipf 1.0", ZIPF, &steep, room);
    bench_trace("Zipf 0.7 and scans", ZIPF_SCAN, &flat, room);
    bench_trace("Zipf 1.0 and scans", ZIPF_SCAN, &steep, room);
    bench_trace("a loop, longer by a tenth", LOOP, &flat, room);
    free(flat.sums);
    free(steep.sums);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = (size_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        entries = (size_t)strtoul(argv[2], NULL, 10);
    if (argc > 3 || rounds < 1 || rounds > MAX_ROUNDS || entries < 2) {
        fputs("usage: micro-store [ROUNDS [ENTRIES]]\n", stderr);
        return 2;
    }
    bench_hits();
    bench_one();
    bench_two();
    return 0;
}
