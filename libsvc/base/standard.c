/* Standard descriptors: opened the wrong way round, as the C library does for setuid programs. */
#include "libsvc/base/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <svc/errors.h>

int svc__standard_occupy(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The descriptor gets the lowest free number, which is this one. */
        int got = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (got < 0)
            return SVC_ESYSTEM;
        if (got > STDERR_FILENO)
            close(got); /* another thread has been quicker */
    }
    return 0;
}
