/*
 * Notes in a store (svc/store.h), which several instances of the service may share. A note is a
 * value under its id. The index, another value, has the ids of all notes, in order: who adds or
 * removes one writes the index only if no other has changed it since it was read.
 *
 * The calls wait if the store does, so they are for workers. Each returns 0, STORE_FULL, or an
 * error of svc/store.h. What they read is the request's memory.
 */
#ifndef NOTES_STORE_H
#define NOTES_STORE_H

#include <time.h>

#include <svc/store.h>

enum { STORE_FULL = 1 /* there are as many notes as the service takes */ };

struct store {
    svc_store *values;
    uint64_t max_notes;
};

struct note {
    uint64_t id; /* never used twice */
    const char *title, *text;
    time_t created, updated;
    uint64_t version; /* of the value: no two of a note have the same */
};

/* Adds a note. `*id` is its id. */
int store_add(const struct store *store, svc_request *req, const char *title, const char *text,
              uint64_t *id);

/* Changes a note that is of the version of `note`: SVC_ECONFLICT when it has another one by now. */
int store_update(const struct store *store, svc_request *req, const struct note *note,
                 const char *title, const char *text);

/* Removes a note that is of that version: else SVC_ECONFLICT. */
int store_remove(const struct store *store, svc_request *req, const struct note *note);

/* Reads a note. */
int store_get(const struct store *store, svc_request *req, uint64_t id, struct note *note);

/*
 * Reads at most `limit` notes with ids above `after`, in order of their ids. `*count` is their
 * number; `*next` is the id after which further ones follow, or 0.
 */
int store_list(const struct store *store, svc_request *req, uint64_t after, size_t limit,
               struct note *notes, size_t *count, uint64_t *next);

/* Whether the notes can be read: 0 or an error. */
int store_check(const struct store *store);

#endif
