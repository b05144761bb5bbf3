/* A backend of stores as a stranger writes it, outside the tree: a list under one lock. The suite
 * that is installed runs on it, and on the library's own. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/sys/store.h>

#include "store.h"

struct entry {
    struct entry *next;
    char key[256];
    size_t key_len;
    char *data;
    size_t len;
    uint64_t version, ends_ms; /* 0: never */
};

struct list {
    pthread_mutex_t lock;
    struct entry *first;
    uint64_t version, ahead_ms;
};

static uint64_t now_us(const struct list *list)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 + list->ahead_ms * 1000;
}

static void remove_at(struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->next;
    free(entry->data);
    free(entry);
}

/* The place of an entry, which has NULL if there is none. */
static struct entry **find(struct list *list, const svc_sys_store_op *op)
{
    struct entry **at = &list->first;
    while (*at && ((*at)->key_len != op->key_len || memcmp((*at)->key, op->key, op->key_len) != 0))
        at = &(*at)->next;
    if (*at && (*at)->ends_ms && (*at)->ends_ms <= now_us(list) / 1000) {
        remove_at(at);
        return find(list, op);
    }
    return at;
}

static int put(struct list *list, struct entry **at, svc_sys_store_op *op, const void *data,
               size_t len, uint64_t ends_ms)
{
    struct entry *entry = malloc(sizeof *entry);
    char *copy = malloc(len + 1);
    if (!entry || !copy) {
        free(entry);
        free(copy);
        return SVC_ENOMEM;
    }
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    if (*at)
        remove_at(at);
    entry->next = list->first;
    memcpy(entry->key, op->key, op->key_len);
    entry->key_len = op->key_len;
    entry->data = copy;
    entry->len = len;
    entry->ends_ms = ends_ms;
    entry->version = op->version = ++list->version;
    list->first = entry;
    return 0;
}

static uint64_t ends_after(const struct list *list, uint64_t ttl_ms)
{
    return ttl_ms ? now_us(list) / 1000 + ttl_ms : 0;
}

static int increment(struct list *list, struct entry **at, svc_sys_store_op *op)
{
    char text[24], *end = text;
    unsigned long long number = 0;
    if (*at) {
        number = strtoull((*at)->data, &end, 10);
        if (*end || end == (*at)->data || number > INT64_MAX)
            return SVC_ESYNTAX;
    }
    if (op->number > INT64_MAX - number)
        return SVC_ETOOBIG;
    op->number += number;
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)op->number);
    return put(list, at, op, text, (size_t)len,
               *at ? (*at)->ends_ms : ends_after(list, op->ttl_ms));
}

/* GCRA in microseconds: a window's state is the time at which it will be whole again. */
static int limit(struct list *list, struct entry **at, svc_sys_store_op *op)
{
    const svc_store_charge *charge = op->charge;
    uint64_t now = now_us(list), last = now, whole[SVC_STORE_WINDOWS] = {0};
    if (*at && (*at)->len != sizeof whole)
        return SVC_ESYNTAX;
    if (*at)
        memcpy(whole, (*at)->data, sizeof whole);
    *op->verdict = (svc_store_verdict){.pass = true};
    for (int decided = 0; decided < 2; decided++)
        for (size_t i = 0; i < charge->window_count; i++) {
            const svc_rate_window *window = &charge->windows[i];
            svc_store_quota *quota = &op->verdict->quotas[i];
            double step = window->period_s * 1e6 / (double)window->rate;
            double room = step * (double)(window->burst ? window->burst : window->rate);
            double used = whole[i] > now ? (double)(whole[i] - now) : 0, cost = step * charge->cost;
            if (!decided && charge->cost > 0 && used + cost > room + 1) {
                op->verdict->pass = false;
                op->verdict->refused |= 1U << i;
                quota->retry_us = cost > room + 1 ? UINT64_MAX : (uint64_t)(used + cost - room);
            } else if (decided) {
                if (op->verdict->pass)
                    whole[i] = now + (uint64_t)(used += cost);
                quota->remaining = (uint64_t)((room - used) / step + 1e-6);
                quota->reset_us = (uint64_t)used;
                last = whole[i] > last ? whole[i] : last;
            }
        }
    if (!op->verdict->pass || charge->cost == 0)
        return 0;
    return put(list, at, op, whole, sizeof whole, last / 1000 + 1);
}

static int run_one(struct list *list, svc_sys_store_op *op)
{
    struct entry **at = find(list, op);
    bool changed = *at && op->compares && (*at)->version != op->version;
    switch (op->kind) {
    case SVC_SYS_STORE_GET: {
        void *data = *at ? svc_sys_store_alloc(op, (*at)->len) : NULL;
        if (!data)
            return *at ? op->error : SVC_ENOTFOUND;
        memcpy(data, (*at)->data, (*at)->len);
        op->version = (*at)->version;
        return 0;
    }
    case SVC_SYS_STORE_ADD:
        if (*at)
            return SVC_ECONFLICT;
        break;
    case SVC_SYS_STORE_REPLACE:
        if (!*at || changed)
            return *at ? SVC_ECONFLICT : SVC_ENOTFOUND;
        break;
    case SVC_SYS_STORE_DELETE:
        if (!*at || changed)
            return *at ? SVC_ECONFLICT : SVC_ENOTFOUND;
        remove_at(at);
        return 0;
    case SVC_SYS_STORE_INCREMENT:
        return increment(list, at, op);
    case SVC_SYS_STORE_LIMIT:
        return limit(list, at, op);
    default:
        break;
    }
    return put(list, at, op, op->data, op->len, ends_after(list, op->ttl_ms));
}

static void run_list(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    struct list *list = state;
    (void)wait_ms;
    pthread_mutex_lock(&list->lock);
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = run_one(list, op);
    pthread_mutex_unlock(&list->lock);
}

static int open_list(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                     const char **why)
{
    (void)app, (void)arg;
    if (*place->rest || place->param_count > 0) {
        *why = "a list has no address and no parameters";
        return SVC_EINVAL;
    }
    struct list *list = calloc(1, sizeof *list);
    if (list)
        pthread_mutex_init(&list->lock, NULL);
    *state = list;
    return list ? 0 : SVC_ENOMEM;
}

static void close_list(void *state)
{
    struct list *list = state;
    while (list->first)
        remove_at(&list->first);
    free(list);
}

static void age_list(void *state, uint64_t ms)
{
    struct list *list = state;
    pthread_mutex_lock(&list->lock);
    list->ahead_ms += ms;
    pthread_mutex_unlock(&list->lock);
}

static int try_store(const char *url)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    svc_app *app = svc_app_new("conformance");
    backend.scheme = "list";
    backend.open = open_list;
    backend.close = close_list;
    backend.run = run_list;
    backend.age = age_list;
    svc_sys_app_add_store(app, &backend);
    int failures = svc_store_conformance_both(app, url, stdout);
    svc_app_free(app);
    return failures;
}

int main(void)
{
    int failures = try_store("list:");
    return failures + try_store("memory:") > 0;
}
