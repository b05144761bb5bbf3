/* Items that a request adds to its line of the access log. */
#ifndef SVC_EXCHANGE_ACCESS_ITEMS_H
#define SVC_EXCHANGE_ACCESS_ITEMS_H

#include <svc/log.h>
#include <svc/request.h>

enum {
    ACCESS_ITEMS = 16,        /* of a request, with those that others of the same key replace */
    ACCESS_ITEM_KEY = 64,     /* bytes of a key */
    ACCESS_ITEM_BYTES = 1024, /* of all keys and texts, which escapes may make six times as long */
};

/* Writes the items of the request: of several with one key the last, in the order in which each key
 * came first. Returns their number. The texts are borrowed until the exchange ends. For the thread
 * that has the request. */
size_t svc__access_items_of(const svc_request *req, svc_kv out[static ACCESS_ITEMS]);

#endif
