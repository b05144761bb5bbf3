#include "libsvc/memo/memo_answer.h"

#include "libsvc/memo/memo_refresh.h"

static void count_lookup(const svc_memo *memo, enum memo_lookup lookup)
{
    svc__counter_add(memo->counts.lookups[lookup], 1);
}

bool svc__memo_answer_found(svc_memo *memo, const struct memo_wish *wish, int *error)
{
    const struct memo_look *look = wish->look;
    *error = 0;
    switch (look->found) {
    case MEMO_FOUND_FRESH:
        count_lookup(memo, MEMO_HIT);
        return true;
    case MEMO_FOUND_EARLY:
    case MEMO_FOUND_STALE:
        count_lookup(memo, look->found == MEMO_FOUND_EARLY ? MEMO_HIT : MEMO_STALE);
        svc__memo_refresh(memo, wish);
        return true;
    case MEMO_FOUND_NEGATIVE:
        count_lookup(memo, MEMO_NEGATIVE);
        *error = SVC_ENOTFOUND;
        return true;
    case MEMO_FOUND_DOWN:
        count_lookup(memo, MEMO_DOWN);
        *error = look->error;
        return memo->options.when_down == SVC_MEMO_DOWN_FAIL;
    case MEMO_FOUND_NOTHING:
        count_lookup(memo, MEMO_MISS);
        return false;
    case MEMO_FOUND_MALFORMED:
        count_lookup(memo, MEMO_MALFORMED);
        return false;
    case MEMO_FOUND_SPARE:
        break; /* counted when its load has ended */
    }
    return false;
}

int svc__memo_answer_loaded(const svc_memo *memo, const struct memo_look *look, int error)
{
    bool spared = look->found == MEMO_FOUND_SPARE && error && error != SVC_ENOTFOUND;
    if (look->found == MEMO_FOUND_SPARE)
        count_lookup(memo, spared ? MEMO_STALE_ON_ERROR : MEMO_MISS);
    return spared ? 0 : error;
}
