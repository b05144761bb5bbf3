/* Items that a request adds to its line of the access log. They are a value under a key of the
 * library's: so a home that answers without a worker does not see the worker's items, as with all
 * values. */
#include "libsvc/exchange/access_items.h"

#include <string.h>

#include "libsvc/exchange/exchange.h"

/* Never changed after it is made: a thread that answers for the exchange may be reading it. */
struct access_item {
    svc_kv kv;
    const struct access_item *before;
    size_t count, bytes; /* of this one and all before it */
};

static const svc_key items_key = {"access items"};

/* The keys of the line itself, also those that a setting adds. */
static bool is_taken_key(const char *key)
{
    static const char *const own[] = {"time", "level",     "app",        "msg",    "module",
                                      "id",   "trace_id",  "span_id",    "route",  "method",
                                      "path", "query",     "peer",       "status", "bytes_in",
                                      "end",  "bytes_out", "duration_us"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcmp(key, own[i]))
            return true;
    return false;
}

static bool is_valid(const svc_kv *item)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len = strnlen(item->key, ACCESS_ITEM_KEY + 1);
    bool known = item->kind >= SVC_KV_STR && item->kind <= SVC_KV_BOOL;
    return known && len > 0 && len <= ACCESS_ITEM_KEY && strspn(item->key, letters) == len &&
           !is_taken_key(item->key);
}

static size_t size_of(const svc_kv *item)
{
    size_t text = item->kind == SVC_KV_STR && item->value.text ? item->len : 0;
    return (text > ACCESS_ITEM_BYTES ? ACCESS_ITEM_BYTES : text) + strlen(item->key);
}

/* Whether all of the items may come to those that there are. */
static int check_items(const struct access_item *last, const svc_kv *items)
{
    size_t count = last ? last->count : 0, bytes = last ? last->bytes : 0;
    for (; items->key; items++) {
        if (!is_valid(items))
            return SVC_EINVAL;
        bytes += size_of(items);
        if (++count > ACCESS_ITEMS || bytes > ACCESS_ITEM_BYTES)
            return SVC_ETOOBIG;
    }
    return 0;
}

static struct access_item *copy_item(struct arena *arena, const svc_kv *item,
                                     const struct access_item *before)
{
    struct access_item *copy = svc__arena_alloc(arena, sizeof *copy);
    if (!copy)
        return NULL;
    copy->kv = *item;
    copy->before = before;
    copy->count = (before ? before->count : 0) + 1;
    copy->bytes = (before ? before->bytes : 0) + size_of(item);
    copy->kv.key = svc__arena_strndup(arena, item->key, strlen(item->key));
    if (item->kind == SVC_KV_STR && item->value.text)
        copy->kv.value.text = svc__arena_strndup(arena, item->value.text, item->len);
    bool lacks_text = item->kind == SVC_KV_STR && item->value.text && !copy->kv.value.text;
    return copy->kv.key && !lacks_text ? copy : NULL;
}

int svc_request_log_items(svc_request *req, const svc_kv *items)
{
    if (!req)
        return SVC_ENOMEM;
    struct access_item *last = svc_request_get(req, &items_key);
    if (!items || !items->key)
        return 0;
    int error = check_items(last, items);
    if (error || !req->plan->config->access_log)
        return error;
    for (; items->key; items++) {
        last = copy_item(&svc__exchange_of(req)->arena, items, last);
        if (!last)
            return SVC_ENOMEM;
    }
    return svc_request_set(req, &items_key, last);
}

size_t svc__access_items_of(const svc_request *req, svc_kv out[static ACCESS_ITEMS])
{
    const struct access_item *item = svc_request_get(req, &items_key);
    const svc_kv *all[ACCESS_ITEMS];
    size_t all_count = item ? item->count : 0, count = 0;
    for (size_t i = all_count; i-- > 0; item = item->before)
        all[i] = &item->kv;
    for (size_t i = 0; i < all_count; i++) {
        size_t at = 0;
        while (at < count && strcmp(out[at].key, all[i]->key) != 0)
            at++;
        out[at] = *all[i];
        count += at == count;
    }
    return count;
}
