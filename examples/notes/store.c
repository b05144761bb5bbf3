/* A note's value is "created updated\n", the title, a NUL, and the text. */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 32, ID_CHARS = 21 /* a number and a space */, HEAD_CHARS = 2 * ID_CHARS };

static const char index_key[] = "index", last_id_key[] = "last-id";

/* ---- The index */

/* The ids of all notes. */
struct index {
    uint64_t *ids; /* in order, with room for one more */
    size_t count;
    bool exists;
    uint64_t version;
};

static int parse_ids(const svc_store_value *value, struct index *index)
{
    const char *at = value->data, *end = at + value->len;
    while (at < end) {
        char *behind;
        index->ids[index->count++] = strtoull(at, &behind, 10);
        if (behind == at || *behind != ' ')
            return SVC_ESYNTAX;
        at = behind + 1;
    }
    return 0;
}

/* Reads the index, whose ids the caller frees. */
static int read_index(const struct store *store, svc_request *req, struct index *index)
{
    svc_store_value value = {0};
    int error = svc_store_get(store->values, req, index_key, &value);
    if (error && error != SVC_ENOTFOUND)
        return error;
    *index = (struct index){.exists = !error, .version = value.version};
    index->ids = malloc((value.len / 2 + 1) * sizeof *index->ids);
    error = !index->ids ? SVC_ENOMEM : index->exists ? parse_ids(&value, index) : 0;
    svc_store_value_free(&value);
    if (error)
        free(index->ids);
    return error;
}

/* Writes an index that was changed. SVC_ECONFLICT when another has changed it since it was read. */
static int write_index(const struct store *store, svc_request *req, const struct index *index)
{
    char *text = malloc(index->count * ID_CHARS + 1);
    if (!text)
        return SVC_ENOMEM;
    char *end = text;
    for (size_t i = 0; i < index->count; i++)
        end += sprintf(end, "%" PRIu64 " ", index->ids[i]);
    svc_store_value value = {text, (size_t)(end - text), index->version, NULL};
    int error = index->exists ? svc_store_compare_and_set(store->values, req, index_key, &value, 0)
                              : svc_store_add(store->values, req, index_key, &value, 0);
    free(text);
    if (error == SVC_ENOTFOUND)
        return SVC_ECONFLICT;
    return error == SVC_ETOOBIG ? STORE_FULL : error;
}

/* The first place whose id is at least `id`. */
static size_t find_place(const struct index *index, uint64_t id)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int insert_id(const struct store *store, struct index *index, uint64_t id)
{
    size_t at = find_place(index, id);
    if (index->count >= store->max_notes)
        return STORE_FULL;
    memmove(index->ids + at + 1, index->ids + at, (index->count - at) * sizeof *index->ids);
    index->ids[at] = id;
    index->count++;
    return 0;
}

static int erase_id(const struct store *store, struct index *index, uint64_t id)
{
    size_t at = find_place(index, id);
    (void)store;
    if (at == index->count || index->ids[at] != id)
        return 0;
    index->count--;
    memmove(index->ids + at, index->ids + at + 1, (index->count - at) * sizeof *index->ids);
    return 0;
}

/* Changes the index, again and again until no other instance has come in between. */
static int change_index(const struct store *store, svc_request *req,
                        int (*change)(const struct store *store, struct index *index, uint64_t id),
                        uint64_t id)
{
    int error;
    do {
        struct index index;
        error = read_index(store, req, &index);
        if (error)
            return error;
        error = change(store, &index, id);
        if (!error)
            error = write_index(store, req, &index);
        free(index.ids);
    } while (error == SVC_ECONFLICT);
    return error;
}

/* ---- A note */

static void write_key(char key[KEY_SIZE], uint64_t id)
{
    snprintf(key, KEY_SIZE, "note/%" PRIu64, id);
}

static int parse_note(const svc_store_value *value, uint64_t id, struct note *note)
{
    long long created, updated;
    int len = 0;
    const char *data = value->data, *end = data + value->len;
    if (sscanf(data, "%lld %lld%n", &created, &updated, &len) != 2 || data[len] != '\n')
        return SVC_ESYNTAX;
    const char *title = data + len + 1, *text = memchr(title, '\0', (size_t)(end - title));
    if (!text)
        return SVC_ESYNTAX;
    *note = (struct note){id, title, text + 1, (time_t)created, (time_t)updated, value->version};
    return 0;
}

/* Makes the value of a note. Returns its bytes, which the caller frees; NULL when out of memory. */
static char *make_value(time_t created, const char *title, const char *text, svc_store_value *value)
{
    size_t title_len = strlen(title), text_len = strlen(text);
    char *data = malloc(HEAD_CHARS + title_len + 1 + text_len + 1);
    if (!data)
        return NULL;
    int head = sprintf(data, "%lld %lld\n", (long long)created, (long long)time(NULL));
    memcpy(data + head, title, title_len + 1);
    memcpy(data + head + title_len + 1, text, text_len + 1);
    *value = (svc_store_value){data, (size_t)head + title_len + 1 + text_len, 0, NULL};
    return data;
}

/* ---- The calls */

/* Before a number is taken, so that a store that is full does not use them up. */
static int check_room(const struct store *store, svc_request *req)
{
    struct index index;
    int error = read_index(store, req, &index);
    if (error)
        return error;
    free(index.ids);
    return index.count >= store->max_notes ? STORE_FULL : 0;
}

/* The note comes first: an instance that dies in between leaves one that no list shows, and not a
 * place in the list that has no note. */
int store_add(const struct store *store, svc_request *req, const char *title, const char *text,
              uint64_t *id)
{
    char key[KEY_SIZE];
    svc_store_value value;
    int error = check_room(store, req);
    if (!error)
        error = svc_store_increment(store->values, req, last_id_key, 1, 0, id);
    if (error)
        return error;
    char *data = make_value(time(NULL), title, text, &value);
    write_key(key, *id);
    error = data ? svc_store_add(store->values, req, key, &value, 0) : SVC_ENOMEM;
    free(data);
    if (error)
        return error;
    error = change_index(store, req, insert_id, *id);
    if (error)
        (void)svc_store_delete(store->values, req, key);
    return error;
}

int store_update(const struct store *store, svc_request *req, const struct note *note,
                 const char *title, const char *text)
{
    char key[KEY_SIZE];
    svc_store_value value;
    char *data = make_value(note->created, title, text, &value);
    if (!data)
        return SVC_ENOMEM;
    write_key(key, note->id);
    value.version = note->version;
    int error = svc_store_compare_and_set(store->values, req, key, &value, 0);
    free(data);
    return error;
}

int store_remove(const struct store *store, svc_request *req, const struct note *note)
{
    char key[KEY_SIZE];
    write_key(key, note->id);
    int error = svc_store_compare_and_delete(store->values, req, key, note->version);
    return error ? error : change_index(store, req, erase_id, note->id);
}

int store_get(const struct store *store, svc_request *req, uint64_t id, struct note *note)
{
    char key[KEY_SIZE];
    svc_store_value value;
    write_key(key, id);
    int error = svc_store_get(store->values, req, key, &value);
    return error ? error : parse_note(&value, id, note);
}

/* Reads the notes of `ids`; those that have been removed meanwhile are left out. */
static int read_notes(const struct store *store, svc_request *req, const uint64_t *ids,
                      size_t id_count, struct note *notes, size_t *count)
{
    char(*keys)[KEY_SIZE] = svc_request_alloc(req, id_count * sizeof *keys);
    svc_store_item *items = svc_request_alloc(req, id_count * sizeof *items);
    if (!keys || !items)
        return SVC_ENOMEM;
    for (size_t i = 0; i < id_count; i++) {
        write_key(keys[i], ids[i]);
        items[i].key = keys[i];
    }
    int error = svc_store_get_many(store->values, req, items, id_count);
    *count = 0;
    for (size_t i = 0; i < id_count && !error; i++)
        if (!items[i].error)
            error = parse_note(&items[i].value, ids[i], &notes[(*count)++]);
    return error;
}

int store_list(const struct store *store, svc_request *req, uint64_t after, size_t limit,
               struct note *notes, size_t *count, uint64_t *next)
{
    struct index index;
    int error = read_index(store, req, &index);
    if (error)
        return error;
    size_t from = after == UINT64_MAX ? index.count : find_place(&index, after + 1);
    size_t left = index.count - from, here = left < limit ? left : limit;
    error = read_notes(store, req, index.ids + from, here, notes, count);
    *next = here < left ? index.ids[from + here - 1] : 0;
    free(index.ids);
    return error;
}

int store_check(const struct store *store)
{
    struct index index;
    int error = read_index(store, NULL, &index);
    if (!error)
        free(index.ids);
    return error;
}
