/*
 * What the tests of calls on event loops share: an app, a backend that answers later, in another
 * order, or never, and handlers that gather the answers of several calls.
 */
#ifndef TESTS_API_STORE_THEN_STAGE_H
#define TESTS_API_STORE_THEN_STAGE_H

#include <svc.h>
#include <svc/sys/store.h>

enum { MOST = 16 };

/* ---- The app */

extern svc_app *late_app;

/* Before and after each test. */
void open_late_app(void);
void close_late_app(void);

/* Asks by GET for the status, and compares the answer. */
int get_status(const char *target);
void expect_text(const char *target, int status, const char *text);

void add_late_route(const char *pattern, svc_handler *handler, unsigned flags, unsigned timeout_ms);

/* ---- The backend "late" */

/* When an operation of the backend is answered. */
enum pace { AT_ONCE, NEXT_TURN, REVERSED, NEVER };

extern enum pace pace;
extern svc_sys_store_op *waiting[MOST]; /* submitted, and not answered */
extern int waiting_count, batches, batch_sizes[MOST], forgotten, begun, ended;
extern int next_error; /* of each operation, and of the backend's part of a loop */
extern char last_key[256];
extern svc_store *late;

/* Answers all that wait; `arg` is not used. */
void answer_all(void *arg);

svc_sys_store late_backend(void);
void open_late_store(const char *url, enum pace how);

/* ---- Handlers */

/* The answers to several calls of a request. */
struct gathered {
    svc_pending *pending;
    svc_store *store;
    int wanted, count, errors[MOST];
    char text[MOST * 8];
};

extern bool in_call;
extern svc_store *asked; /* by handlers */

/* Answers the request with all that has come, once it has. */
void gather(const svc_store_answer *given, void *arg);

struct gathered *defer(svc_request *req, svc_store *store, int wanted);
svc_handler get_three;

int set_text(svc_store *store, const char *key, const char *text);

#endif
