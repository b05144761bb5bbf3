/* The call of svc/test.h that concerns memos. */
#include <svc/test.h>

#include "libsvc/memo/memo_internal.h"

int svc_test_memo_age(svc_memo *memo, uint64_t ms)
{
    if (!memo)
        return SVC_ENOMEM;
    memo->ahead_ms += ms;
    return 0;
}
