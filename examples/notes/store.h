/*
 * Notes in memory. All data is copied in and out under one lock, so any thread may call. The store
 * does not know HTTP: put a database behind the same calls.
 */
#ifndef NOTES_STORE_H
#define NOTES_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum store_result {
    STORE_OK = 0,
    STORE_NOT_FOUND,
    STORE_FULL,    /* the store has max_notes notes */
    STORE_CHANGED, /* the note is no longer of that version */
    STORE_NO_MEMORY
};

struct note {
    uint64_t id; /* never used twice */
    char *title, *text;
    uint64_t version; /* counts the changes of all notes, so it is never used twice */
    time_t created, updated;
};

struct store;

/* An empty store for at most `max_notes` notes; NULL when out of memory. */
struct store *store_new(size_t max_notes);

/* Accepts NULL. */
void store_free(struct store *store);

/* Adds a note. `*id` is its id. */
enum store_result store_add(struct store *store, const char *title, const char *text, uint64_t *id);

/* Changes a note that is of `version`. */
enum store_result store_update(struct store *store, uint64_t id, uint64_t version,
                               const char *title, const char *text);

/* Removes a note that is of `version`. */
enum store_result store_remove(struct store *store, uint64_t id, uint64_t version);

/* Copies a note out; give it to note_clear. */
enum store_result store_get(struct store *store, uint64_t id, struct note *out);

/*
 * Copies out at most `limit` notes with ids above `after`, in order of their ids. `*count` is their
 * number; `*more` is whether further notes follow. On failure no note is copied.
 */
enum store_result store_list(struct store *store, uint64_t after, size_t limit, struct note *out,
                             size_t *count, int *more);

/* Frees the texts of a copied note. */
void note_clear(struct note *note);

#endif
