/* The level of a cache that instances share. */
#include "libsvc/shared_cache/cache_store.h"

#include <stdio.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/hex.h"
#include "libsvc/base/num.h"
#include "libsvc/base/siphash.h"
#include "libsvc/run/reactor.h"
#include "libsvc/shared_cache/cache_vary.h"
#include "libsvc/shared_cache/stored_form.h"

enum {
    KEY_SIZE = 40, /* "rc:", 32 digits and a NUL */
    SELECTION_MAX = 4096
};

/* Replies live no longer in the store than 30 days; the numbers of purges live longer. */
static const uint64_t reply_ttl_ms = UINT64_C(2592000000);

/* ---- Keys */

/* The known hash may have collisions that a stranger has made, so who reads compares the key in the
 * reply. */
static void write_reply_key(char out[static KEY_SIZE], struct bytes key, struct bytes selection)
{
    struct siphash hash;
    unsigned char bytes[SIPHASH_SIZE];
    svc__siphash_init(&hash, svc__siphash_known_key);
    svc__siphash_update(&hash, key.data, key.len);
    if (selection.len > 0) {
        svc__siphash_update(&hash, "\n", 1);
        svc__siphash_update(&hash, selection.data, selection.len);
    }
    svc__siphash_final(&hash, bytes);
    memcpy(out, "rc:", 3);
    svc__hex_write(out + 3, bytes, sizeof bytes);
    out[3 + 2 * sizeof bytes] = '\0';
}

void svc__cache_store_tag_key(char out[static CACHE_STORE_TAG_KEY], uint64_t tag)
{
    snprintf(out, CACHE_STORE_TAG_KEY, "rc:t:%016llx", (unsigned long long)tag);
}

static uint64_t read_count(const svc_store_answer *answer)
{
    uint64_t number;
    struct bytes text = {answer->value.data, answer->value.len};
    return answer->error || svc__num_u64(text, INT64_MAX, &number) ? 0 : number;
}

/* ---- Asking for a reply */

/* A question of a request, in its memory. */
struct store_ask {
    struct cache_visit *visit;
    unsigned open; /* calls without an answer */
    bool failed;   /* the store cannot be asked, or has no valid reply */
    svc_store_value value;
    struct stored_form form;
    void (*next)(struct store_ask *ask); /* runs when all calls are answered */
};

static void end_call(struct store_ask *ask)
{
    if (--ask->open == 0)
        ask->next(ask);
}

/* Starts a call; one that cannot be started is answered at once. */
static void get(struct store_ask *ask, const char *key, svc_store_then *then)
{
    const struct cache_visit *visit = ask->visit;
    ask->open++;
    if (!svc_store_get_then(visit->cache->store, visit->req, key, then, ask))
        return;
    ask->failed = true;
    end_call(ask);
}

static void on_value(const svc_store_answer *answer, void *arg)
{
    struct store_ask *ask = arg;
    ask->failed = ask->failed || answer->error;
    ask->value = answer->value;
    end_call(ask);
}

static void on_generation(const svc_store_answer *answer, void *arg)
{
    struct store_ask *ask = arg;
    ask->failed = ask->failed || (answer->error && answer->error != SVC_ENOTFOUND);
    ask->visit->generation = read_count(answer);
    ask->visit->generation_known = !answer->error || answer->error == SVC_ENOTFOUND;
    end_call(ask);
}

static void on_tag(const svc_store_answer *answer, void *arg)
{
    struct store_ask *ask = arg;
    bool unknown = answer->error && answer->error != SVC_ENOTFOUND;
    ask->failed = ask->failed || unknown || read_count(answer) > ask->form.parts.generation;
    end_call(ask);
}

/* Puts the reply into memory, if it is there and valid, and lets the request go on. */
static void finish(struct store_ask *ask)
{
    struct cache_visit *visit = ask->visit;
    struct stored_parts *parts = &ask->form.parts;
    if (!ask->failed) {
        int64_t now_ms = (int64_t)(svc__clock_wall_us() / 1000),
                age_ms = now_ms - ask->form.born_ms;
        if (age_ms < 0 || age_ms > 2 * CACHE_CONTROL_MAX_SECONDS * 1000)
            age_ms = age_ms < 0 ? 0 : 2 * CACHE_CONTROL_MAX_SECONDS * 1000;
        parts->born_ns = (int64_t)svc__clock_ns() - age_ms * 1000000;
        struct stored_reply *reply = svc__stored_reply_new(parts);
        if (reply) {
            reply->confirmed_ns = visit->asked_ns;
            svc__reply_memory_put(visit->cache->memory, visit->hash, reply, REPLY_OF_STORE,
                                  visit->purges);
        }
        svc__stored_reply_unref(reply);
    }
    svc_request_resume(visit->req);
}

static void check_tags(struct store_ask *ask)
{
    char key[CACHE_STORE_TAG_KEY];
    ask->next = finish;
    ask->open++; /* this function's own part, so that no answer ends the step before all have begun
                  */
    svc__cache_store_tag_key(key, REPLY_MEMORY_ALL);
    get(ask, key, on_tag);
    for (size_t i = 0; i < ask->form.parts.tag_count; i++) {
        svc__cache_store_tag_key(key, ask->form.parts.tags[i]);
        get(ask, key, on_tag);
    }
    end_call(ask);
}

/* Reads the value as a reply for this request. False: it is none. */
static bool read_reply(struct store_ask *ask)
{
    struct stored_form *form = &ask->form;
    if (ask->failed || svc__stored_form_read(svc__bytes(ask->value.data, ask->value.len), form) ||
        !svc__bytes_eq(form->parts.key, ask->visit->key))
        return false;
    return true;
}

/* The request's values for the names, in its memory; empty if they are too long. */
static struct bytes select_values(const struct cache_visit *visit, struct bytes names)
{
    struct buf text;
    struct arena *arena = &svc__exchange_of(visit->req)->arena;
    svc__buf_init(&text, SELECTION_MAX);
    svc__cache_vary_select(&text, names, &visit->req->fields);
    struct bytes copy =
        svc__buf_error(&text) ? svc__bytes("", 0) : svc__arena_copy(arena, svc__buf_view(&text));
    svc__buf_free(&text);
    return copy.data ? copy : svc__bytes("", 0);
}

static void take_selected(struct store_ask *ask)
{
    struct bytes names = ask->form.parts.names, selection = svc__bytes("", 0);
    if (read_reply(ask) && !ask->form.selects) {
        names = ask->form.parts.names;
        selection = select_values(ask->visit, names);
    }
    ask->failed = selection.len == 0 || !svc__bytes_eq(selection, ask->form.parts.selection);
    if (ask->failed)
        finish(ask);
    else
        check_tags(ask);
}

/* The first value is the reply, or the names of the fields by which it is selected. */
static void take_first(struct store_ask *ask)
{
    char key[KEY_SIZE];
    ask->failed = !read_reply(ask);
    if (ask->failed) {
        finish(ask);
    } else if (ask->form.selects) {
        struct bytes selection = select_values(ask->visit, ask->form.parts.names);
        write_reply_key(key, ask->visit->key, selection);
        ask->next = take_selected;
        get(ask, key, on_value);
    } else {
        check_tags(ask);
    }
}

int svc__cache_store_ask(struct cache_visit *visit)
{
    char key[KEY_SIZE];
    struct store_ask *ask = svc__arena_alloc(&svc__exchange_of(visit->req)->arena, sizeof *ask);
    if (!ask)
        return SVC_ENOMEM;
    ask->visit = visit;
    ask->open = 0;
    ask->failed = false;
    ask->value = (svc_store_value){0};
    ask->next = take_first;
    write_reply_key(key, visit->key, svc__bytes("", 0));
    int error = svc_store_get_then(visit->cache->store, visit->req, key, on_value, ask);
    if (error)
        return error;
    ask->open = 1; /* no answer comes within the calls */
    get(ask, CACHE_STORE_PURGES, on_generation);
    return 0;
}

/* ---- Storing */

static void ignore_answer(const svc_store_answer *answer, void *arg)
{
    (void)answer, (void)arg;
}

static void set(svc_response_cache *cache, const char *key, const struct buf *text, uint64_t ttl_ms)
{
    const svc_store_value value = {.data = text->data, .len = text->len};
    if (svc__buf_error(text))
        return;
    int error = svc__reactor_on_loop() ? svc_store_set_then(cache->store, NULL, key, &value, ttl_ms,
                                                            ignore_answer, NULL)
                                       : svc_store_set(cache->store, NULL, key, &value, ttl_ms);
    (void)error; /* the store has counted it, and without it the cache is only less useful */
}

/* For as long as it may be used: fresh, stale, or, with a validator, as long again. */
static uint64_t time_to_live(const struct stored_parts *parts)
{
    const struct cache_terms *terms = &parts->terms;
    int64_t stale =
        terms->while_revalidate > terms->if_error ? terms->while_revalidate : terms->if_error;
    uint64_t seconds = (uint64_t)(2 * terms->lifetime + stale + 60);
    return seconds < reply_ttl_ms / 1000 ? seconds * 1000 : reply_ttl_ms;
}

void svc__cache_store_put(svc_response_cache *cache, const struct stored_parts *parts)
{
    char key[KEY_SIZE];
    struct buf text;
    int64_t age_ms = ((int64_t)svc__clock_ns() - parts->born_ns) / 1000000;
    int64_t born_ms = (int64_t)(svc__clock_wall_us() / 1000) - age_ms;
    svc__buf_init(&text, (size_t)cache->max_body + (1 << 20));
    svc__stored_form_write(&text, parts, born_ms, false);
    write_reply_key(key, parts->key, parts->selection);
    set(cache, key, &text, time_to_live(parts));
    if (parts->names.len > 0) {
        svc__buf_clear(&text);
        svc__stored_form_write(&text, parts, born_ms, true);
        write_reply_key(key, parts->key, svc__bytes("", 0));
        set(cache, key, &text, time_to_live(parts));
    }
    svc__buf_free(&text);
}
