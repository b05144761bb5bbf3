/* Attempts that a busy machine may spoil. */
#include "tests/support/in_time.h"

#include <criterion/criterion.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

void expect_in_time(bool (*attempt)(void))
{
    uint64_t due = client_clock_ms() + PROCESS_WAIT_MS;
    bool in_time = false;
    while (!in_time && client_clock_ms() < due)
        in_time = attempt();
    cr_expect(in_time, "the machine is too slow for this test");
}
