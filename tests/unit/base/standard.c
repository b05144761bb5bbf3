#include "libsvc/base/standard.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

enum { STANDARD = 3 };

/* Closes those of the bits in `closed`, and says whether all is then as it must be. */
static bool try_closed(unsigned closed)
{
    int kept[STANDARD];
    char byte = 0;
    bool good = true;
    for (int fd = 0; fd < STANDARD; fd++) {
        kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        if (closed & 1U << fd)
            close(fd);
    }
    good = svc__standard_occupy() == 0;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    good = good && next >= STANDARD;
    for (int fd = 0; fd < STANDARD; fd++)
        if (closed & 1U << fd) {
            ssize_t n = fd == 0 ? read(fd, &byte, 1) : write(fd, &byte, 1);
            good = good && n < 0 && errno == EBADF;
        }
    close(next);
    for (int fd = 0; fd < STANDARD; fd++) {
        if (kept[fd] >= 0)
            dup2(kept[fd], fd);
        close(kept[fd]);
    }
    return good;
}

Test(base_standard, descriptors_that_are_closed_are_nobody_else_s)
{
    for (unsigned closed = 0; closed < 1U << STANDARD; closed++)
        cr_expect(try_closed(closed), "%u", closed);
}
