/* The linker puts this function in between (--wrap). */
#include "tests/unit/test_clock.h"

_Atomic uint64_t test_clock_ns;

uint64_t __real_svc__clock_ns(void);
uint64_t __wrap_svc__clock_ns(void);

uint64_t __wrap_svc__clock_ns(void)
{
    return test_clock_ns ? test_clock_ns++ : __real_svc__clock_ns();
}
