/* What event loops do with a pipe beside the public calls. */
#ifndef SVC_RUN_PIPE_H
#define SVC_RUN_PIPE_H

#include <svc/pipe.h>

/*
 * Whether the pipe holds its capacity or more, so that a loop takes no more from its client. If so,
 * the function of svc_pipe_on_room is called once, as after SVC_EAGAIN. False when the pipe has
 * ended or the reader has gone, which svc__pipe_push then says. The writer's thread.
 */
bool svc__pipe_full(svc_pipe *pipe);

/*
 * Writes all of `len` bytes, also beyond the capacity, for a loop that has a piece already and
 * cannot give it back: what is held is bounded by the capacity and one piece where svc__pipe_full
 * is asked before each. 0; SVC_ECANCELLED, SVC_ECLOSED, SVC_ENOMEM, or SVC_ETOOBIG where more than
 * SVC_PIPE_MAX would be held beyond the capacity, with nothing taken. Does not block. The writer's
 * thread.
 */
int svc__pipe_push(svc_pipe *pipe, const void *data, size_t len);

#endif
