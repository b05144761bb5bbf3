/* A descriptor that several users have at once. */
#include "libsvc/base/shared_fd.h"

#include <unistd.h>

void svc__shared_fd_end(int fd, struct shared_fd *shared)
{
    if (shared)
        shared->release(shared);
    else
        close(fd);
}
