/*
 * The life of an event loop: it is made with its fronts' parts, its thread takes turn after turn
 * until the server's last stage, and it is freed.
 */
#ifndef SVC_SERVER_LOOP_THREAD_H
#define SVC_SERVER_LOOP_THREAD_H

#include "libsvc/server/loop.h"

/* Makes a loop with a part of each front; its thread is not running yet. NULL with `*error` set. */
struct loop *svc__loop_thread_new(struct server *server, int *error);

/* Starts the thread. 0 or SVC_ESYSTEM. */
int svc__loop_thread_start(struct loop *loop);

/* Frees a loop whose thread has ended or never ran. Accepts NULL. */
void svc__loop_thread_free(struct loop *loop);

#endif
