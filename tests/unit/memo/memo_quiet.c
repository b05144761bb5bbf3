#include <criterion/criterion.h>

#include "libsvc/memo/memo_quiet.h"

static const uint64_t hash = 0x123456789abcdef5, now_ms = 1764460800000;

Test(memo_quiet, a_key_is_quiet_until_its_end)
{
    struct memo_quiet quiet = {{0}};
    cr_expect_not(svc__memo_quiet_holds(&quiet, hash, now_ms));
    svc__memo_quiet_keep(&quiet, hash, now_ms + 100);
    cr_expect(svc__memo_quiet_holds(&quiet, hash, now_ms));
    cr_expect(svc__memo_quiet_holds(&quiet, hash, now_ms + 99));
    cr_expect_not(svc__memo_quiet_holds(&quiet, hash, now_ms + 100));
}

Test(memo_quiet, other_keys_are_not)
{
    struct memo_quiet quiet = {{0}};
    uint64_t same_slot = hash ^ UINT64_C(1) << 63, other_slot = hash ^ 1;
    svc__memo_quiet_keep(&quiet, hash, now_ms + 100);
    cr_expect_not(svc__memo_quiet_holds(&quiet, same_slot, now_ms));
    cr_expect_not(svc__memo_quiet_holds(&quiet, other_slot, now_ms));
    svc__memo_quiet_keep(&quiet, other_slot, now_ms + 100);
    cr_expect(svc__memo_quiet_holds(&quiet, hash, now_ms));
    svc__memo_quiet_keep(&quiet, same_slot, now_ms + 100);
    cr_expect(svc__memo_quiet_holds(&quiet, same_slot, now_ms));
    cr_expect_not(svc__memo_quiet_holds(&quiet, hash, now_ms), "it was pushed out");
}
