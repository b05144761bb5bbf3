/* Numbers as text for exporters. */
#include <svc/sys/number.h>

#include <math.h>

#include "libsvc/base/double.h"
#include "libsvc/base/num.h"

_Static_assert((int)SVC_SYS_INT_LEN >= (int)NUM_I64_LEN && (int)SVC_SYS_INT_LEN >= (int)NUM_U64_LEN,
               "the buffer of a caller has room for each whole number");
_Static_assert((int)SVC_SYS_DOUBLE_LEN >= (int)DOUBLE_LEN, "and for each double");

size_t svc_sys_int_format(char *out, int64_t number)
{
    return out ? svc__num_format_i64(out, number) : 0;
}

size_t svc_sys_uint_format(char *out, uint64_t number)
{
    return out ? svc__num_format_u64(out, number) : 0;
}

size_t svc_sys_double_format(char *out, double number)
{
    return out && isfinite(number) ? svc__double_format(out, number) : 0;
}
