/* What a memo finds in its store under a key. */
#ifndef SVC_MEMO_MEMO_LOOK_H
#define SVC_MEMO_MEMO_LOOK_H

#include "libsvc/memo/memo_internal.h"

/* What stands between a memo's name and a key in the store, of a value and of its lease. */
#define MEMO_VALUE_MARK ':'
#define MEMO_LEASE_MARK '~'

enum memo_found {
    MEMO_FOUND_FRESH,
    MEMO_FOUND_EARLY, /* fresh, but chance wants it loaded anew */
    MEMO_FOUND_STALE,
    MEMO_FOUND_NEGATIVE,
    MEMO_FOUND_SPARE,   /* a value for the case that the load fails */
    MEMO_FOUND_NOTHING, /* or an entry whose time is over */
    MEMO_FOUND_MALFORMED,
    MEMO_FOUND_DOWN
};

struct memo_look {
    enum memo_found found;
    int error;   /* of the store that is down */
    bool stored; /* an entry is there, of that version */
    uint64_t version;
    svc_store_value
        value; /* of FRESH, EARLY, STALE and SPARE: without the head; as of svc_store_get */
};

/* The time by which entries are made and judged: milliseconds since 1970. Any thread. */
uint64_t svc__memo_look_now_ms(const svc_memo *memo);

/* Whether an error of a store's call says that the store cannot be asked at present. */
bool svc__memo_look_is_down(int error);

/* Writes the key under which the store has the value of `key`, and returns its length: 0 for one
 * that is NULL, empty or too long. */
size_t svc__memo_look_name(const svc_memo *memo, const char *key, char name[static MEMO_NAME_SIZE]);

/*
 * Judges what the store has answered for `name`: `error`, or a value, of whose memory `look` takes
 * over what is to be given; the rest is freed. 0, or the error for the caller: SVC_EINVAL,
 * SVC_ENOMEM, SVC_ESTATE, SVC_ECANCELLED, or SVC_ETIMEDOUT when the request's time is over.
 */
int svc__memo_look_judge(const svc_memo *memo, const svc_request *req, struct bytes name, int error,
                         svc_store_value *value, struct memo_look *look);

/* Asks the store. As svc__memo_look_judge. Threads as of svc_store_get. */
int svc__memo_look_up(const svc_memo *memo, svc_request *req, struct bytes name,
                      struct memo_look *look);

#endif
