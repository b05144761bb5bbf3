/*
 * The table of the local limiter.
 *
 * No key ever gets two words, although nothing is locked: a new key takes the word with the
 * smallest TAT of its bucket, the first of equals, and a TAT only grows. Suppose that two threads
 * place one key in words i and j. Each swapped the word that it had read, and neither saw the
 * other's: so the first read j before the second wrote it, and found there at most what the second
 * swapped, j1 <= j2; likewise i2 <= i1. The first chose i: i1 <= j1. The second chose j: j2 <= i2.
 * So all are equal, and of equals both threads would have chosen the same. The argument needs no
 * order between words, only that of each word by itself: relaxed atomics will do.
 *
 * One thing makes a TAT smaller: with several windows, a charge is taken back when a later window
 * refuses after all, because another request of the same key came in between. A key could then get
 * two words only if two threads place it, in the bucket of such a word, in that moment; it would
 * have its burst twice, once. A table that is corrected (svc__limit_table_correct) charges nothing.
 */
#include "libsvc/store/limit_table.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/store/gcra.h"

enum { SLOTS = LIMIT_TABLE_LINE / sizeof(uint64_t) };

struct bucket {
    _Alignas(LIMIT_TABLE_LINE) _Atomic uint64_t slots[SLOTS];
};

/* The buckets of one window. */
struct section {
    struct gcra gcra;
    struct bucket *buckets;
    uint64_t count;
};

struct limit_table {
    struct limiter limiter;
    struct siphash_key seed;
    uint64_t epoch_ns;
    bool admit;
    size_t count;
    struct section sections[LIMITER_WINDOWS];
    void *memory;
};

/* A window's part of one decision. */
struct weighing {
    const struct section *section;
    struct bucket *bucket;
    uint64_t mark; /* the fingerprint, in its place in a word */
    uint64_t now;
    _Atomic uint64_t *slot; /* the key's own slot, or the one to take; NULL: no room */
    uint64_t word;          /* the slot's value when it was read */
    uint64_t tat;           /* of the key; 0 for a new key */
    uint64_t next;          /* the TAT to store */
    bool pass;
};

/* The part of a word that is a TAT. */
static uint64_t tat_of(const struct gcra *gcra, uint64_t word)
{
    return word & ((UINT64_C(1) << gcra->tat_bits) - 1);
}

/* Begins a weighing. The high bits of the hash choose the bucket; the low bits are the fingerprint,
 * which is not 0. */
static void aim(struct weighing *w, const struct section *section, uint64_t hash, uint64_t ns)
{
    unsigned bits = section->gcra.tat_bits;
    uint64_t mark = hash << bits;
    w->section = section;
    w->bucket = &section->buckets[(uint64_t)((unsigned __int128)hash * section->count >> 64)];
    w->mark = mark ? mark : UINT64_C(1) << bits;
    w->now = svc__gcra_units(&section->gcra, ns);
    __builtin_prefetch(w->bucket, 1);
}

/* Finds the key's slot, or else the one with the smallest TAT, the first of equals. */
static bool search(struct weighing *w)
{
    const struct gcra *gcra = &w->section->gcra;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t word = atomic_load_explicit(&w->bucket->slots[i], memory_order_relaxed);
        uint64_t tat = tat_of(gcra, word);
        bool own = word - tat == w->mark;
        if (own || tat < least) {
            least = tat;
            w->slot = &w->bucket->slots[i];
            w->word = word;
        }
        if (own)
            return true;
    }
    return false;
}

static bool full(const struct weighing *w)
{
    return !w->slot;
}

/* Decides for one window, without charging it. */
static void weigh(const struct limit_table *table, struct weighing *w, uint32_t cost)
{
    const struct gcra *gcra = &w->section->gcra;
    bool own = search(w);
    w->tat = own ? tat_of(gcra, w->word) : 0;
    if (w->now > gcra->end || (!own && tat_of(gcra, w->word) > w->now)) {
        w->slot = NULL;
        w->pass = table->admit || cost == 0;
        return;
    }
    w->pass = svc__gcra_pass(gcra, w->tat, w->now, cost, &w->next);
}

/* Charges a weighing. False when the slot has changed since: it must be weighed again. */
static bool charge(struct weighing *w, uint32_t cost)
{
    return cost == 0 || full(w) ||
           atomic_compare_exchange_strong_explicit(w->slot, &w->word, w->mark | w->next,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Takes a charge back, unless another key has taken the slot since. */
static void take_back(const struct weighing *w, uint32_t cost)
{
    const struct gcra *gcra = &w->section->gcra;
    if (cost == 0 || full(w))
        return;
    uint64_t word = atomic_load_explicit(w->slot, memory_order_relaxed);
    while (word - tat_of(gcra, word) == w->mark &&
           !atomic_compare_exchange_weak_explicit(w->slot, &word,
                                                  word - ((uint64_t)cost << gcra->interval_bits),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

/* Charges all windows, or none. False when a window refuses after all. */
static bool charge_all(const struct limit_table *table, struct weighing *w, uint32_t cost)
{
    for (size_t i = 0; i < table->count; i++) {
        while (w[i].pass && !charge(&w[i], cost))
            weigh(table, &w[i], cost);
        if (w[i].pass)
            continue;
        while (i-- > 0)
            take_back(&w[i], cost);
        return false;
    }
    return true;
}

/* The quota of a key without room: nothing remains until the first word of the bucket is free, when
 * its TAT passes. */
static void quota_when_full(const struct weighing *w, struct limiter_quota *quota)
{
    uint64_t tat = tat_of(&w->section->gcra, w->word);
    uint64_t wait = tat > w->now ? svc__gcra_ns(&w->section->gcra, tat - w->now) : LIMITER_NEVER;
    *quota = (struct limiter_quota){0, wait, wait, w->pass ? 0 : wait};
}

static void describe(const struct weighing *w, uint32_t cost, size_t i,
                     struct limiter_decision *out)
{
    const struct gcra *gcra = &w->section->gcra;
    struct limiter_quota *quota = &out->quotas[i];
    if (!w->pass)
        out->refused |= 1U << i;
    if (full(w)) {
        out->undecided = true;
        quota_when_full(w, quota);
        return;
    }
    svc__gcra_quota(gcra, out->pass && cost ? w->next : w->tat, w->now, quota);
    if (!w->pass)
        quota->retry_ns = svc__gcra_retry_ns(gcra, w->tat, w->now, cost);
}

/* Each part is hashed under the hash of the parts before it, so that "ab", "c" is not "a", "bc". */
static uint64_t hash_key(struct siphash_key seed, const struct limiter_key *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < key->count; i++) {
        struct siphash_key chained = {seed.k0 ^ hash, seed.k1};
        hash = svc__siphash(chained, key->parts[i]);
    }
    return hash;
}

/* Decides for all windows, without charging any of them. */
static bool weigh_all(const struct limit_table *table, const struct limiter_key *key, uint32_t cost,
                      uint64_t now_ns, struct weighing *w)
{
    uint64_t hash = hash_key(table->seed, key);
    uint64_t ns = now_ns > table->epoch_ns ? now_ns - table->epoch_ns : 0;
    bool pass = true;
    for (size_t i = 0; i < table->count; i++)
        aim(&w[i], &table->sections[i], hash, ns);
    for (size_t i = 0; i < table->count; i++) {
        weigh(table, &w[i], cost);
        pass = pass && w[i].pass;
    }
    return pass;
}

static void describe_all(const struct limit_table *table, const struct weighing *w, uint32_t cost,
                         struct limiter_decision *decision)
{
    decision->undecided = false;
    decision->refused = 0;
    for (size_t i = 0; i < table->count; i++)
        describe(&w[i], cost, i, decision);
}

static void decide(struct limiter *limiter, const struct limiter_key *key, uint32_t cost,
                   uint64_t now_ns, struct limiter_decision *decision)
{
    const struct limit_table *table = (const struct limit_table *)(void *)limiter;
    struct weighing w[LIMITER_WINDOWS];
    bool pass = weigh_all(table, key, cost, now_ns, w);
    decision->pass = pass && charge_all(table, w, cost);
    describe_all(table, w, cost, decision);
}

bool svc__limit_table_refuses(const struct limiter *limiter, const struct limiter_key *key,
                              uint32_t cost, uint64_t now_ns, struct limiter_decision *decision)
{
    const struct limit_table *table = (const struct limit_table *)(const void *)limiter;
    struct weighing w[LIMITER_WINDOWS];
    if (weigh_all(table, key, cost, now_ns, w))
        return false;
    decision->pass = false;
    describe_all(table, w, cost, decision);
    return true;
}

/* Sets the TAT of a key to `used` units from now: in its own word or, with `add`, in a free one. */
static void correct_window(struct weighing *w, uint64_t used, bool add)
{
    const struct gcra *gcra = &w->section->gcra;
    if (w->now > gcra->end)
        return;
    w->next = w->now + (used < gcra->tolerance ? used : gcra->tolerance);
    do {
        bool own = search(w);
        if (!own && (!add || tat_of(gcra, w->word) > w->now))
            return;
    } while (!charge(w, 1));
}

void svc__limit_table_correct(const struct limiter *limiter, const struct limiter_key *key,
                              const uint64_t *used_ns, unsigned add, uint64_t now_ns)
{
    const struct limit_table *table = (const struct limit_table *)(const void *)limiter;
    uint64_t hash = hash_key(table->seed, key);
    uint64_t ns = now_ns > table->epoch_ns ? now_ns - table->epoch_ns : 0;
    for (size_t i = 0; i < table->count; i++) {
        struct weighing w;
        aim(&w, &table->sections[i], hash, ns);
        correct_window(&w, svc__gcra_units(&w.section->gcra, used_ns[i]), add & 1U << i);
    }
}

static void free_table(struct limiter *limiter)
{
    struct limit_table *table = (struct limit_table *)(void *)limiter;
    free(table->memory);
    free(table);
}

/* Zeroed pages that the system gives as they are touched; calloc aligns less than to a line. */
static struct bucket *make_buckets(struct limit_table *table, size_t count)
{
    table->memory = calloc(count + 1, sizeof(struct bucket));
    uintptr_t at = (uintptr_t)table->memory + LIMIT_TABLE_LINE - 1;
    return table->memory ? (struct bucket *)(at & ~(uintptr_t)(LIMIT_TABLE_LINE - 1)) : NULL;
}

static int prepare(struct limit_table *table, const struct limit_table_options *options)
{
    size_t each = options->bytes / sizeof(struct bucket) / options->window_count;
    if (each == 0)
        return SVC_ETOOBIG;
    for (size_t i = 0; i < table->count; i++)
        if (svc__gcra_init(&table->sections[i].gcra, &options->windows[i]))
            return SVC_EINVAL;
    struct bucket *buckets = make_buckets(table, each * table->count);
    if (!buckets)
        return SVC_ENOMEM;
    for (size_t i = 0; i < table->count; i++) {
        table->sections[i].buckets = buckets + i * each;
        table->sections[i].count = each;
    }
    return 0;
}

int svc__limit_table_new(const struct limit_table_options *options, struct limiter **limiter)
{
    if (options->window_count < 1 || options->window_count > LIMITER_WINDOWS)
        return SVC_EINVAL;
    struct limit_table *table = calloc(1, sizeof *table);
    if (!table)
        return SVC_ENOMEM;
    table->limiter = (struct limiter){decide, free_table};
    table->seed = options->seed;
    table->epoch_ns = options->epoch_ns;
    table->admit = options->admit;
    table->count = options->window_count;
    int error = prepare(table, options);
    if (error) {
        free_table(&table->limiter);
        return error;
    }
    *limiter = &table->limiter;
    return 0;
}
