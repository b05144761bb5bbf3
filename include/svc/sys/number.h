/*
 * The seam for optional libraries that write numbers as text: the library's own way, which is quick and the same
 * whatever the locale. Programs write JSON by svc/json_writer.h.
 */
#ifndef SVC_SYS_NUMBER_H
#define SVC_SYS_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include <svc/visibility.h>

SVC_BEGIN_DECLS

enum {
    SVC_SYS_INT_LEN = 21,   /* bytes of the longest whole number of 64 bits, its sign included */
    SVC_SYS_DOUBLE_LEN = 25 /* bytes of the longest double */
};

/* Writes a whole number in decimal to `out`, of SVC_SYS_INT_LEN bytes, without a NUL. Returns the length in
 * bytes; 0 when `out` is NULL. Any thread. Since: 0.1 */
SVC_API size_t svc_sys_int_format(char *out, int64_t number);

/* As svc_sys_int_format, for an unsigned number. Any thread. Since: 0.1 */
SVC_API size_t svc_sys_uint_format(char *out, uint64_t number);

/*
 * Writes a double to `out`, of SVC_SYS_DOUBLE_LEN bytes, without a NUL: with the fewest digits from which readers
 * get the same double, as svc_json_put_double. Returns the length in bytes; 0 when `out` is NULL, and for
 * infinities and NaN, which have no such form. Any thread. Since: 0.1
 */
SVC_API size_t svc_sys_double_format(char *out, double number);

SVC_END_DECLS

#endif
