/* CPU profiles: one at a time in a process, each on a thread of its own. */
#ifndef SVC_PPROF_PROFILE_H
#define SVC_PPROF_PROFILE_H

#include <svc/types.h>

enum { PPROF_SECONDS = 30, PPROF_SECONDS_MOST = 60 };

/* The profiles of one app. */
struct pprof_owner {
    bool misled;   /* a variable makes gperftools sample one thread only */
    bool draining; /* no profile begins any more; guarded by the lock in pprof_profile.c */
};

/* Sets the members, while the process has one thread: gperftools has read the environment before.
 * `owner` is all zeros. */
void svc__pprof_profile_init(struct pprof_owner *owner);

/*
 * Begins a profile of `seconds` and defers the answer of the request. The client gets the profile
 * when the time is over, or when svc__pprof_profile_drain ends it; it gets an error if there is no
 * thread for it, or gperftools refuses. 0, or without an answer SVC_ESTATE while a profile runs,
 * SVC_ECANCELLED once the owner drains, SVC_ENOMEM. The thread of the request's handler.
 */
int svc__pprof_profile_begin(struct pprof_owner *owner, svc_request *req, unsigned seconds);

/* Ends the owner's profile, if one runs, and lets no other begin. Does not wait. Any thread. */
void svc__pprof_profile_drain(struct pprof_owner *owner);

#endif
