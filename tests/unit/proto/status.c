#include <criterion/criterion.h>

#include "libsvc/proto/status.h"

Test(proto_status, every_listed_status_has_its_text)
{
#define CHECK(code, text) cr_expect_str_eq(svc__status_text(code), text);
    STATUS_LIST(CHECK)
#undef CHECK
}

Test(proto_status, numbers_outside_the_list_have_none)
{
    static const int unknown[] = {-1,  0,   1,   99,  104, 199, 209, 306, 418,   420,
                                  430, 499, 509, 510, 512, 599, 600, 999, 65736, 2147483647};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        cr_expect_null(svc__status_text(unknown[i]), "%d", unknown[i]);
}

Test(proto_status, only_1xx_204_and_304_are_bodiless)
{
    for (int status = -1; status < 1000; status++) {
        bool bodiless = status / 100 == 1 || status == 204 || status == 304;
        cr_expect_eq(svc__status_bodiless(status), bodiless, "%d", status);
    }
}
