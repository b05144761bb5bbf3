/* Purges, in memory and in the store, and the messages by which instances know of them. */
#include "libsvc/shared_cache/cache_purge.h"

#include <endian.h>
#include <stdlib.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/num.h"
#include "libsvc/base/rand.h"
#include "libsvc/base/siphash.h"
#include "libsvc/run/reactor.h"
#include "libsvc/shared_cache/cache_key.h"
#include "libsvc/shared_cache/cache_store.h"

/* Of the wall clock's seconds, for the first number after the last one was lost, such as by a
 * restart of the server. */
enum { JUMP_SHIFT = 20 };

static const uint64_t purge_ttl_ms = UINT64_C(2678400000); /* longer than that of a reply */

uint64_t svc__cache_purge_hash(char kind, struct bytes text)
{
    struct siphash hash;
    unsigned char out[SIPHASH_SIZE];
    uint64_t tag;
    svc__siphash_init(&hash, svc__siphash_known_key);
    svc__siphash_update(&hash, &kind, 1);
    svc__siphash_update(&hash, text.data, text.len);
    svc__siphash_final(&hash, out);
    memcpy(&tag, out, sizeof tag);
    return tag == REPLY_MEMORY_ALL ? 1 : tag;
}

static void purge_memory(svc_response_cache *cache, uint64_t tag)
{
    svc_counter_add(cache->purged, svc__reply_memory_purge(cache->memory, tag));
}

static void begin_purge(svc_response_cache *cache, struct reply_purge *purge)
{
    svc_counter_add(cache->purged, svc__reply_memory_purge_begin(cache->memory, purge));
}

/* ---- Messages */

/* A purge on its way to the other instances; the least bytes of both numbers are first. */
struct purge_message {
    uint64_t sender; /* by which an instance knows its own messages */
    uint64_t tag;
};

static struct purge_message make_message(const svc_response_cache *cache, uint64_t tag)
{
    return (struct purge_message){htole64(cache->sender), htole64(tag)};
}

/* The replies in memory are used no more before the store is asked for them. */
static void doubt_memory(void *arg)
{
    svc_response_cache *cache = arg;
    atomic_store(&cache->doubted_ns, svc__clock_ns());
}

static void take_message(const void *data, size_t len, void *arg)
{
    svc_response_cache *cache = arg;
    struct purge_message message;
    if (len != sizeof message) { /* of another release, which may have purged anything */
        doubt_memory(cache);
        return;
    }
    memcpy(&message, data, sizeof message);
    if (le64toh(message.sender) != cache->sender)
        purge_memory(cache, le64toh(message.tag));
}

int svc__cache_purge_open(svc_response_cache *cache, svc_app *app)
{
    svc__rand_bytes(&cache->sender, sizeof cache->sender);
    cache->channel =
        svc_channel_open(app, cache->store, "response-cache", take_message, doubt_memory, cache);
    return cache->channel ? 0 : SVC_ENOMEM;
}

/* ---- The store, from a worker */

static uint64_t jump(void)
{
    return (svc__clock_wall_us() / 1000000) << JUMP_SHIFT;
}

/* A message that is not sent is a purge that takes `local_ms`. */
static int purge_waiting(svc_response_cache *cache, svc_request *req, uint64_t tag)
{
    char key[CACHE_STORE_TAG_KEY], digits[NUM_U64_LEN];
    const struct purge_message message = make_message(cache, tag);
    uint64_t number = 0;
    int error = svc_store_increment(cache->store, req, CACHE_STORE_PURGES, 1, 0, &number);
    if (!error && number == 1)
        error = svc_store_increment(cache->store, req, CACHE_STORE_PURGES, jump(), 0, &number);
    if (error)
        return error;
    const svc_store_value value = {.data = digits, .len = svc__num_format_u64(digits, number)};
    svc__cache_store_tag_key(key, tag);
    error = svc_store_set(cache->store, req, key, &value, purge_ttl_ms);
    if (!error)
        (void)svc_channel_publish(cache->channel, req, &message, sizeof message);
    return error;
}

static int purge_on_worker(svc_response_cache *cache, svc_request *req, uint64_t tag)
{
    struct reply_purge purge = {.tag = tag};
    begin_purge(cache, &purge);
    int error = purge_waiting(cache, req, tag);
    svc__reply_memory_purge_end(cache->memory, &purge);
    return error;
}

/* ---- The store, from a loop */

/* A purge under way on a loop, which outlives its request. */
struct store_purge {
    svc_response_cache *cache;
    struct reply_purge here;
    struct purge_message message;
};

static void end_purge(struct store_purge *purge, int error)
{
    svc__reply_memory_purge_end(purge->cache->memory, &purge->here);
    if (error)
        svc_counter_add(purge->cache->lost_purges, 1);
}

static void on_sent(const svc_store_answer *answer, void *arg)
{
    (void)answer;
    free(arg);
}

static void on_tag_set(const svc_store_answer *answer, void *arg)
{
    struct store_purge *purge = arg;
    end_purge(purge, answer->error);
    if (answer->error || svc_channel_publish_then(purge->cache->channel, NULL, &purge->message,
                                                  sizeof purge->message, on_sent, purge))
        free(purge);
}

static void on_number(const svc_store_answer *answer, void *arg)
{
    char key[CACHE_STORE_TAG_KEY], digits[NUM_U64_LEN];
    struct store_purge *purge = arg;
    svc_store *store = purge->cache->store;
    int error = answer->error;
    if (!error && answer->number == 1) {
        error =
            svc_store_increment_then(store, NULL, CACHE_STORE_PURGES, jump(), 0, on_number, purge);
    } else if (!error) {
        const svc_store_value value = {.data = digits,
                                       .len = svc__num_format_u64(digits, answer->number)};
        svc__cache_store_tag_key(key, purge->here.tag);
        error = svc_store_set_then(store, NULL, key, &value, purge_ttl_ms, on_tag_set, purge);
    }
    if (error) {
        end_purge(purge, error);
        free(purge);
    }
}

static int purge_on_loop(svc_response_cache *cache, uint64_t tag)
{
    struct store_purge *purge = malloc(sizeof *purge);
    if (!purge) {
        purge_memory(cache, tag);
        return SVC_ENOMEM;
    }
    *purge = (struct store_purge){cache, {.tag = tag}, make_message(cache, tag)};
    begin_purge(cache, &purge->here);
    int error =
        svc_store_increment_then(cache->store, NULL, CACHE_STORE_PURGES, 1, 0, on_number, purge);
    if (error) {
        svc__reply_memory_purge_end(cache->memory, &purge->here);
        free(purge);
    }
    return error;
}

int svc__cache_purge(svc_response_cache *cache, svc_request *req, uint64_t tag)
{
    if (!cache->store) {
        purge_memory(cache, tag);
        return 0;
    }
    return svc__reactor_on_loop() ? purge_on_loop(cache, tag) : purge_on_worker(cache, req, tag);
}

/* ---- Requests that are not safe */

static void purge_target(svc_response_cache *cache, svc_request *req, struct bytes target)
{
    svc__cache_purge(cache, req, svc__cache_purge_hash('u', target));
}

/* Purges the target of a Location or Content-Location of the same origin. */
static void purge_location(svc_response_cache *cache, svc_request *req, const svc_response *res,
                           const char *name)
{
    const struct exchange *x = svc__exchange_of(req);
    const char *value = svc_response_header(res, name);
    if (!value)
        return;
    struct bytes rest = svc__bytes_z(value);
    struct bytes host = x->framing.host;
    size_t scheme = strlen(req->scheme);
    if (rest.len > scheme + 3 &&
        svc__bytes_eq_nocase(svc__bytes(rest.data, scheme), svc__bytes_z(req->scheme)) &&
        !memcmp(rest.data + scheme, "://", 3)) {
        rest = svc__bytes(rest.data + scheme + 3, rest.len - scheme - 3);
        if (rest.len < host.len || !svc__bytes_eq_nocase(svc__bytes(rest.data, host.len), host))
            return;
        rest = svc__bytes(rest.data + host.len, rest.len - host.len);
    }
    if (rest.len > 0 && rest.data[0] == '/' && (rest.len < 2 || rest.data[1] != '/')) {
        struct bytes target = svc__bytes_cut(&rest, '#');
        purge_target(cache, req, target);
    }
}

int svc__cache_purge_changed(svc_response_cache *cache, svc_request *req, const svc_response *res)
{
    switch (req->known_method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_OPTIONS:
    case METHOD_TRACE:
        return 0;
    default:
        break;
    }
    if (res->status < 200 || res->status >= 400)
        return 0;
    struct bytes target = svc__cache_key_make(svc__exchange_of(req));
    if (!target.data)
        return SVC_ENOMEM;
    svc__bytes_cut(&target, ' ');
    purge_target(cache, req, target);
    purge_location(cache, req, res, "Location");
    purge_location(cache, req, res, "Content-Location");
    return 0;
}
