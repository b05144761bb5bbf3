/* The board is a hash table by id, whose entries are also a list in order of arrival. */
#include "board.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct entry {
    struct report report;
    struct entry *bucket, *later;
    struct waiter *waiters;
};

struct board {
    pthread_mutex_t lock; /* held for some instructions at a time: event loops take it */
    svc_queue *queue;     /* of entries */
    size_t count, max;
    struct entry *first, **last;
    struct entry *buckets[BUCKETS];
};

struct board *board_new(size_t max_reports, size_t queue_length)
{
    struct board *board = calloc(1, sizeof *board);
    if (!board)
        return NULL;
    board->queue = svc_queue_new(queue_length, NULL);
    if (!board->queue) {
        free(board);
        return NULL;
    }
    pthread_mutex_init(&board->lock, NULL);
    board->max = max_reports;
    board->last = &board->first;
    return board;
}

void board_free(struct board *board)
{
    if (!board)
        return;
    for (struct entry *e = board->first, *later; e; e = later) {
        later = e->later;
        free((void *)(uintptr_t)e->report.summary);
        free(e);
    }
    svc_queue_free(board->queue);
    pthread_mutex_destroy(&board->lock);
    free(board);
}

/* Ids are hashes, so any of their digits can choose the bucket. */
static struct entry **bucket_of(struct board *board, const char *id)
{
    char digits[] = {id[0], id[1], id[2], '\0'};
    return &board->buckets[strtoul(digits, NULL, 16) % BUCKETS];
}

static struct entry *find(struct board *board, const char *id)
{
    struct entry *e = *bucket_of(board, id);
    while (e && strcmp(e->report.id, id) != 0)
        e = e->bucket;
    return e;
}

static void link_entry(struct board *board, struct entry *e)
{
    struct entry **bucket = bucket_of(board, e->report.id);
    e->bucket = *bucket;
    *bucket = e;
    *board->last = e;
    board->last = &e->later;
    board->count++;
}

/* With the lock held: the task may take the entry at once, but finds it only when it is linked. */
static enum board_result add(struct board *board, const char *id, bool push)
{
    if (find(board, id))
        return BOARD_KNOWN;
    if (board->count == board->max)
        return BOARD_FULL;
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return BOARD_NO_MEMORY;
    memcpy(e->report.id, id, ID_SIZE);
    e->report.old = !push;
    if (push && svc_queue_try_push(board->queue, e)) {
        free(e);
        return BOARD_BUSY;
    }
    link_entry(board, e);
    return BOARD_OK;
}

static enum board_result add_locked(struct board *board, const char *id, bool push)
{
    pthread_mutex_lock(&board->lock);
    enum board_result result = add(board, id, push);
    pthread_mutex_unlock(&board->lock);
    return result;
}

enum board_result board_add(struct board *board, const char *id)
{
    return add_locked(board, id, true);
}

enum board_result board_add_old(struct board *board, const char *id)
{
    return add_locked(board, id, false);
}

bool board_find(struct board *board, const char *id, struct report *report)
{
    pthread_mutex_lock(&board->lock);
    const struct entry *e = find(board, id);
    if (e)
        *report = e->report;
    pthread_mutex_unlock(&board->lock);
    return e;
}

bool board_next(struct board *board, const char *id, struct report *report)
{
    pthread_mutex_lock(&board->lock);
    const struct entry *before = id ? find(board, id) : NULL;
    const struct entry *e = id ? (before ? before->later : NULL) : board->first;
    if (e)
        *report = e->report;
    pthread_mutex_unlock(&board->lock);
    return e;
}

int board_take(struct board *board, char id[ID_SIZE])
{
    void *item;
    int error = svc_queue_pop(board->queue, &item);
    if (error)
        return error;
    memcpy(id, ((const struct entry *)item)->report.id, ID_SIZE);
    return 0;
}

size_t board_waiting(struct board *board)
{
    return svc_queue_len(board->queue);
}

void board_close(struct board *board)
{
    svc_queue_close(board->queue);
}

struct waiter *board_put(struct board *board, const char *id, struct summary *summary,
                         const char *failure)
{
    pthread_mutex_lock(&board->lock);
    struct entry *e = find(board, id);
    struct waiter *waiters = e->waiters;
    e->waiters = NULL;
    e->report.made = true;
    e->report.failure = failure;
    e->report.summary = summary;
    for (struct waiter *w = waiters; w; w = w->next)
        w->waits = false;
    pthread_mutex_unlock(&board->lock);
    return waiters;
}

bool board_wait(struct board *board, const char *id, struct waiter *waiter)
{
    pthread_mutex_lock(&board->lock);
    struct entry *e = find(board, id);
    waiter->waits = e && !e->report.made;
    if (waiter->waits) {
        waiter->next = e->waiters;
        e->waiters = waiter;
    }
    bool waits = waiter->waits;
    pthread_mutex_unlock(&board->lock);
    return waits;
}

bool board_leave(struct board *board, const char *id, struct waiter *waiter)
{
    pthread_mutex_lock(&board->lock);
    bool waited = waiter->waits;
    if (waited) {
        struct waiter **at = &find(board, id)->waiters;
        while (*at != waiter)
            at = &(*at)->next;
        *at = waiter->next;
        waiter->waits = false;
    }
    pthread_mutex_unlock(&board->lock);
    return waited;
}
