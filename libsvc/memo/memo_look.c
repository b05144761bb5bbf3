#include "libsvc/memo/memo_look.h"

#include <string.h>

#include "libsvc/base/clock.h"

uint64_t svc__memo_look_now_ms(const svc_memo *memo)
{
    return svc__clock_wall_us() / 1000 +
           atomic_load_explicit(&memo->ahead_ms, memory_order_relaxed);
}

bool svc__memo_look_is_down(int error)
{
    switch (error) {
    case SVC_OK:
    case SVC_ENOTFOUND:
    case SVC_ECONFLICT:
    case SVC_EINVAL:
    case SVC_ENOMEM:
    case SVC_ESTATE:
    case SVC_ETOOBIG:
    case SVC_ESYNTAX:
    case SVC_ECANCELLED:
        return false;
    default:
        return true;
    }
}

size_t svc__memo_look_name(const svc_memo *memo, const char *key, char name[static MEMO_NAME_SIZE])
{
    size_t len = key ? strnlen(key, SVC_MEMO_KEY_BYTES + 1) : 0;
    if (len < 1 || len > SVC_MEMO_KEY_BYTES)
        return 0;
    memcpy(name, memo->options.name, memo->name_len);
    name[memo->name_len] = MEMO_VALUE_MARK;
    memcpy(name + memo->name_len + 1, key, len + 1);
    return memo->name_len + 1 + len;
}

static enum memo_found judge_entry(const svc_memo *memo, const struct memo_entry *entry)
{
    uint64_t now_ms = svc__memo_look_now_ms(memo);
    switch (svc__memo_time_age(entry, now_ms, &memo->limits)) {
    case MEMO_AGE_FRESH:
        if (entry->negative)
            return MEMO_FOUND_NEGATIVE;
        return svc__memo_time_early(entry, now_ms, memo->options.early, &memo->chance)
                   ? MEMO_FOUND_EARLY
                   : MEMO_FOUND_FRESH;
    case MEMO_AGE_STALE:
        return MEMO_FOUND_STALE;
    case MEMO_AGE_SPARE:
        return MEMO_FOUND_SPARE;
    case MEMO_AGE_OVER:
        break;
    }
    return MEMO_FOUND_NOTHING;
}

static void judge_value(const svc_memo *memo, struct bytes name, svc_store_value *value,
                        struct memo_look *look)
{
    struct memo_entry entry;
    *look = (struct memo_look){.stored = true, .version = value->version};
    look->found = svc__memo_entry_read(&entry, svc__bytes(value->data, value->len), name)
                      ? MEMO_FOUND_MALFORMED
                      : judge_entry(memo, &entry);
    if (look->found <= MEMO_FOUND_STALE || look->found == MEMO_FOUND_SPARE)
        look->value = (svc_store_value){entry.value.data, entry.value.len, 0, value->own};
    else
        svc_store_value_free(value);
}

int svc__memo_look_judge(const svc_memo *memo, const svc_request *req, struct bytes name, int error,
                         svc_store_value *value, struct memo_look *look)
{
    *look = (struct memo_look){.error = error, .found = MEMO_FOUND_NOTHING};
    if (!error)
        judge_value(memo, name, value, look);
    if (!error || error == SVC_ENOTFOUND)
        return 0;
    if (req && svc_request_cancelled(req))
        return SVC_ETIMEDOUT;
    if (svc__memo_look_is_down(error))
        look->found = MEMO_FOUND_DOWN;
    else if (error == SVC_ETOOBIG || error == SVC_ESYNTAX)
        look->found = MEMO_FOUND_MALFORMED;
    else
        return error;
    return 0;
}

int svc__memo_look_up(const svc_memo *memo, svc_request *req, struct bytes name,
                      struct memo_look *look)
{
    svc_store_value value;
    int error = svc_store_get(memo->store, req, name.data, &value);
    return svc__memo_look_judge(memo, req, name, error, &value, look);
}
