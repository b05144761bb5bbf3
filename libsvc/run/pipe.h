/* The calls of event loops on a pipe, beside the public ones. */
#ifndef SVC_RUN_PIPE_H
#define SVC_RUN_PIPE_H

#include <svc/pipe.h>

/*
 * Whether the pipe holds its capacity or more, so that a loop takes no more from its client. If so,
 * the function of svc_pipe_on_room is called once, as after SVC_EAGAIN. False when the pipe has
 * ended or the reader has gone: svc__pipe_push returns the error. The writer's thread.
 */
bool svc__pipe_full(svc_pipe *pipe);

/*
 * Writes all of `len` bytes, also beyond the capacity, for a loop that has a piece already and
 * cannot give it back: a caller of svc__pipe_full before each piece bounds the pipe by its capacity
 * and one piece. 0; SVC_ECANCELLED, SVC_ECLOSED, SVC_ENOMEM, or SVC_ETOOBIG if the pipe would hold
 * more than SVC_PIPE_MAX beyond its capacity: no byte is taken then. Does not block. The writer's
 * thread.
 */
int svc__pipe_push(svc_pipe *pipe, const void *data, size_t len);

#endif
