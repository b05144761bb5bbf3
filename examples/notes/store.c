/* Notes in memory: an array in order of ids, which only grow. */
#include "store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct store {
    pthread_mutex_t lock;
    struct note *notes;
    size_t count, space, max;
    uint64_t last_id, last_version;
};

struct store *store_new(size_t max_notes)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    pthread_mutex_init(&store->lock, NULL);
    store->max = max_notes;
    return store;
}

void note_clear(struct note *note)
{
    free(note->title);
    free(note->text);
    note->title = note->text = NULL;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->count; i++)
        note_clear(&store->notes[i]);
    free(store->notes);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* Sets both texts, or neither. */
static enum store_result set_texts(struct note *note, const char *title, const char *text)
{
    char *title_copy = strdup(title), *text_copy = strdup(text);
    if (!title_copy || !text_copy) {
        free(title_copy);
        free(text_copy);
        return STORE_NO_MEMORY;
    }
    note_clear(note);
    note->title = title_copy;
    note->text = text_copy;
    return STORE_OK;
}

static enum store_result copy_note(const struct note *note, struct note *out)
{
    *out = *note;
    out->title = out->text = NULL;
    return set_texts(out, note->title, note->text);
}

/* The first note with an id of at least `id`. */
static size_t find_from(const struct store *store, uint64_t id)
{
    size_t low = 0, high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->notes[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct note *find(struct store *store, uint64_t id)
{
    size_t at = find_from(store, id);
    return at < store->count && store->notes[at].id == id ? &store->notes[at] : NULL;
}

static enum store_result make_room(struct store *store)
{
    if (store->count >= store->max)
        return STORE_FULL;
    if (store->count < store->space)
        return STORE_OK;
    size_t space = store->space ? store->space * 2 : 64;
    struct note *notes = realloc(store->notes, space * sizeof *notes);
    if (!notes)
        return STORE_NO_MEMORY;
    store->notes = notes;
    store->space = space;
    return STORE_OK;
}

static enum store_result add(struct store *store, const char *title, const char *text, uint64_t *id)
{
    enum store_result result = make_room(store);
    struct note note = {.id = store->last_id + 1, .created = time(NULL)};
    note.updated = note.created;
    if (!result)
        result = set_texts(&note, title, text);
    if (result)
        return result;
    note.version = ++store->last_version;
    store->last_id = *id = note.id;
    store->notes[store->count++] = note;
    return STORE_OK;
}

enum store_result store_add(struct store *store, const char *title, const char *text, uint64_t *id)
{
    pthread_mutex_lock(&store->lock);
    enum store_result result = add(store, title, text, id);
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* Finds a note of that version. */
static enum store_result find_version(struct store *store, uint64_t id, uint64_t version,
                                      struct note **note)
{
    *note = find(store, id);
    if (!*note)
        return STORE_NOT_FOUND;
    return (*note)->version == version ? STORE_OK : STORE_CHANGED;
}

enum store_result store_update(struct store *store, uint64_t id, uint64_t version,
                               const char *title, const char *text)
{
    struct note *note;
    pthread_mutex_lock(&store->lock);
    enum store_result result = find_version(store, id, version, &note);
    if (!result)
        result = set_texts(note, title, text);
    if (!result) {
        note->updated = time(NULL);
        note->version = ++store->last_version;
    }
    pthread_mutex_unlock(&store->lock);
    return result;
}

enum store_result store_remove(struct store *store, uint64_t id, uint64_t version)
{
    struct note *note;
    pthread_mutex_lock(&store->lock);
    enum store_result result = find_version(store, id, version, &note);
    if (!result) {
        note_clear(note);
        size_t behind = store->count - (size_t)(note - store->notes) - 1;
        memmove(note, note + 1, behind * sizeof *note);
        store->count--;
    }
    pthread_mutex_unlock(&store->lock);
    return result;
}

enum store_result store_get(struct store *store, uint64_t id, struct note *out)
{
    pthread_mutex_lock(&store->lock);
    const struct note *note = find(store, id);
    enum store_result result = note ? copy_note(note, out) : STORE_NOT_FOUND;
    pthread_mutex_unlock(&store->lock);
    return result;
}

static enum store_result list(struct store *store, uint64_t after, size_t limit, struct note *out,
                              size_t *count, int *more)
{
    size_t from = after == UINT64_MAX ? store->count : find_from(store, after + 1), n = 0;
    for (; n < limit && from + n < store->count; n++) {
        if (copy_note(&store->notes[from + n], &out[n])) {
            while (n > 0)
                note_clear(&out[--n]);
            return STORE_NO_MEMORY;
        }
    }
    *count = n;
    *more = from + n < store->count;
    return STORE_OK;
}

enum store_result store_list(struct store *store, uint64_t after, size_t limit, struct note *out,
                             size_t *count, int *more)
{
    pthread_mutex_lock(&store->lock);
    enum store_result result = list(store, after, limit, out, count, more);
    pthread_mutex_unlock(&store->lock);
    return result;
}
