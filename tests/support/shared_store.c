/* A store that several processes share, in a file of memory. */
#include "tests/support/shared_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <svc/errors.h>
#include <svc/loop.h>
#include <svc/sys/store.h>

enum { ENTRIES = 64, KEY_BYTES = 256, VALUE_BYTES = 8192 };

struct entry {
    char key[KEY_BYTES]; /* "": free */
    char value[VALUE_BYTES];
    size_t len;
    uint64_t version, ends_ms; /* 0: no end */
};

/* The file, which begins as zeros. */
struct table {
    uint64_t last_version, ahead_ms;
    struct entry entries[ENTRIES];
};

struct shared {
    const char *path;
    struct table *table;
};

/* ---- The table */

static uint64_t now_ms(const struct table *table)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + table->ahead_ms;
}

/* The live entry of a key; NULL: there is none. */
static struct entry *find(struct table *table, const svc_sys_store_op *op)
{
    for (struct entry *each = table->entries; each < table->entries + ENTRIES; each++) {
        if (each->ends_ms && each->ends_ms <= now_ms(table))
            each->key[0] = '\0';
        if (strlen(each->key) == op->key_len && !memcmp(each->key, op->key, op->key_len))
            return each;
    }
    return NULL;
}

static int write_entry(struct table *table, struct entry *entry, svc_sys_store_op *op)
{
    for (struct entry *each = table->entries; !entry && each < table->entries + ENTRIES; each++)
        entry = each->key[0] ? NULL : each;
    if (!entry || op->len > VALUE_BYTES)
        return entry ? SVC_ETOOBIG : SVC_EUNAVAILABLE;
    memset(entry->key, 0, KEY_BYTES);
    memcpy(entry->key, op->key, op->key_len);
    if (op->len > 0)
        memcpy(entry->value, op->data, op->len);
    entry->len = op->len;
    entry->version = ++table->last_version;
    entry->ends_ms = op->ttl_ms ? now_ms(table) + op->ttl_ms : 0;
    op->version = entry->version;
    return 0;
}

static int read_entry(const struct entry *entry, svc_sys_store_op *op)
{
    char *to = svc_sys_store_alloc(op, entry->len);
    if (!to)
        return op->error;
    memcpy(to, entry->value, entry->len);
    op->version = entry->version;
    return 0;
}

static int run_op(struct table *table, svc_sys_store_op *op)
{
    struct entry *entry = find(table, op);
    if (op->kind == SVC_SYS_STORE_ADD)
        return entry ? SVC_ECONFLICT : write_entry(table, NULL, op);
    if (op->kind == SVC_SYS_STORE_SET)
        return write_entry(table, entry, op);
    if (!entry)
        return SVC_ENOTFOUND;
    if (op->compares && entry->version != op->version)
        return SVC_ECONFLICT;
    if (op->kind == SVC_SYS_STORE_REPLACE)
        return write_entry(table, entry, op);
    if (op->kind == SVC_SYS_STORE_GET)
        return read_entry(entry, op);
    entry->key[0] = '\0';
    return op->kind == SVC_SYS_STORE_DELETE ? 0 : SVC_EINVAL;
}

/* The lock is of the open file, and ends with the process that has it. */
static int run_locked(const struct shared *shared, svc_sys_store_op *op)
{
    int fd = open(shared->path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX)) {
        if (fd >= 0)
            close(fd);
        return SVC_EUNAVAILABLE;
    }
    int error = run_op(shared->table, op);
    close(fd);
    return error;
}

/* ---- The backend */

static int open_shared(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                       const char **why)
{
    (void)app, (void)arg;
    struct shared *shared = malloc(sizeof *shared);
    int fd = open(place->rest, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *why = "its file cannot be used";
    if (!shared || fd < 0 || ftruncate(fd, sizeof *shared->table)) {
        if (fd >= 0)
            close(fd);
        free(shared);
        return SVC_EINVAL;
    }
    shared->path = place->rest;
    shared->table = mmap(NULL, sizeof *shared->table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared->table == MAP_FAILED) {
        free(shared);
        return SVC_ENOMEM;
    }
    *state = shared;
    return 0;
}

static void close_shared(void *state)
{
    struct shared *shared = state;
    munmap(shared->table, sizeof *shared->table);
    free(shared);
}

static void run_shared(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)wait_ms;
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = run_locked(state, op);
}

static void age_shared(void *state, uint64_t ms)
{
    struct shared *shared = state;
    shared->table->ahead_ms += ms;
}

/* ---- On loops: operations that end in a later turn */

struct shared_loop {
    const struct shared *shared;
    svc_loop *loop;
    svc_timer *timer;
    svc_sys_store_op *first; /* that are to be carried out */
};

static void run_later(void *arg)
{
    struct shared_loop *on = arg;
    while (on->first) {
        svc_sys_store_op *op = on->first;
        on->first = op->next;
        op->error = run_locked(on->shared, op);
        svc_sys_store_done(op);
    }
}

static int begin_shared_loop(void *state, svc_loop *loop, void **loop_state)
{
    struct shared_loop *on = calloc(1, sizeof *on);
    if (!on)
        return SVC_ENOMEM;
    on->shared = state;
    on->loop = loop;
    on->timer = svc_timer_new(loop, run_later, on);
    *loop_state = on;
    if (on->timer)
        return 0;
    free(on);
    return SVC_ENOMEM;
}

static void end_shared_loop(void *loop_state)
{
    struct shared_loop *on = loop_state;
    svc_timer_free(on->timer);
    free(on);
}

static void submit_shared(void *loop_state, svc_sys_store_op *first)
{
    struct shared_loop *on = loop_state;
    svc_sys_store_op **end = &on->first;
    while (*end)
        end = &(*end)->next;
    *end = first;
    (void)svc_timer_set(on->timer, 1);
}

static void forget_shared(void *loop_state, svc_sys_store_op *op)
{
    struct shared_loop *on = loop_state;
    svc_sys_store_op **at = &on->first;
    while (*at && *at != op)
        at = &(*at)->next;
    if (*at)
        *at = op->next;
}

int shared_store_use(svc_app *app)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "shared";
    backend.waits = 1;
    backend.open = open_shared;
    backend.close = close_shared;
    backend.run = run_shared;
    backend.age = age_shared;
    backend.begin_loop = begin_shared_loop;
    backend.end_loop = end_shared_loop;
    backend.submit = submit_shared;
    backend.forget = forget_shared;
    return svc_sys_app_add_store(app, &backend);
}
