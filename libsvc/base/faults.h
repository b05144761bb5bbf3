/* Set-up errors: the mistakes found before a service runs, a line each, for one report of all. */
#ifndef SVC_BASE_FAULTS_H
#define SVC_BASE_FAULTS_H

#include <pthread.h>
#include <stdbool.h>

#include <svc/visibility.h>

#include "libsvc/base/buf.h"

/* Errors may come from any thread, also after the set-up, from calls that come too late. */
struct faults {
    pthread_mutex_t lock;
    struct buf text;      /* whole lines, one for each error */
    size_t left_out;      /* errors for which there was no room */
    struct faults *outer; /* the struct that keeps the errors instead; NULL: this one */
};

void svc__faults_init(struct faults *faults);

/* Frees the text. */
void svc__faults_free(struct faults *faults);

/*
 * Keeps an error, a line of text behind "file:line: "; an error for which there is no room is only
 * counted. `file` may be NULL. Any thread.
 */
void svc__faults_add(struct faults *faults, const char *file, int line, const char *format, ...)
    SVC_PRINTF(4, 5);

/* Keeps an error for the failure of `call`, because programs may ignore its result and check only
 * that of the start. Returns `error`. Any thread. */
int svc__faults_refuse(struct faults *faults, int error, const char *call);

/* Whether there is any error. Any thread. */
bool svc__faults_any(struct faults *faults);

/* All errors, a line each; "" for none. Borrowed until the next error or call. */
const char *svc__faults_text(struct faults *faults);

/* Moves the errors of `name` to `outer` as one error, and keeps later ones there. `outer` must live
 * as long. Before either has a second thread. */
void svc__faults_join(struct faults *faults, struct faults *outer, const char *name);

#endif
