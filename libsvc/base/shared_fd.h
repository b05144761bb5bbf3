/* A descriptor that several users have at once, such as replies that send the same file. */
#ifndef SVC_BASE_SHARED_FD_H
#define SVC_BASE_SHARED_FD_H

/* Begins the struct of whoever counts the references. Its users only read from `fd`, at places of
 * their own (pread, sendfile), and neither close it nor move its position. */
struct shared_fd {
    int fd;
    void (*release)(struct shared_fd *shared); /* gives one reference back. Any thread */
};

/* Gives a descriptor back: a reference to `shared`, or, for NULL, `fd` itself is closed. Any
 * thread. */
void svc__shared_fd_end(int fd, struct shared_fd *shared);

#endif
