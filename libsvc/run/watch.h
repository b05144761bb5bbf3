/* Descriptors that the application watches, as the reactor sees them. */
#ifndef SVC_RUN_WATCH_H
#define SVC_RUN_WATCH_H

#include "libsvc/run/reactor.h"

/* Tells the application of epoll's `events`, if it waits for any of them still. */
void svc__watch_ready(svc_watch *watch, uint32_t events);

/* Frees the memory of watches that were freed in this turn, when no event of it is left. */
void svc__watch_bury(svc_loop *loop);

/* Leaves all watches to the application, which may free them whenever it wants. */
void svc__watch_forget_all(svc_loop *loop);

#endif
