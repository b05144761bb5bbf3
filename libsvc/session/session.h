/* Sessions as a middleware. */
#ifndef SVC_SESSION_SESSION_H
#define SVC_SESSION_SESSION_H

#include "libsvc/session/session_state.h"

/* Fills in the phases of the middleware. */
void svc__session_prepare(struct sessions *sessions);

#endif
