/*
 * Every public call, once, as tests/structure/calls.c makes it at each moment of an app's life: a
 * table with a row for each symbol of libsvc/libsvc.sym.
 */
#ifndef TESTS_STRUCTURE_CALLS_H
#define TESTS_STRUCTURE_CALLS_H

#include <jansson.h>

#include <svc.h>

/* What a call may be given at a moment; NULL for what there is not. */
struct things {
    svc_app *app;
    svc_group *group;
    svc_request *req;
    svc_response *res;
    svc_loop *loop;
    svc_task_context *task;
    svc_pending *pending;
    svc_pipe *pipe;
    svc_queue *queue;
    svc_json_writer *json;
    svc_timer *timer;
    svc_watch *watch;
    svc_reply *reply;
    const svc_schema *schema;
    bool in_handler; /* the route's, which may defer its answer */
    bool on_loop;    /* the thread is an event loop's, which cannot wait */
};

/* What is expected of a call's result. */
enum kind {
    REGISTER, /* a code: 0 before the start, SVC_ESTATE after it; without an app SVC_ENOMEM */
    MAKE,     /* whether there is something: only before the start */
    ANSWER,   /* a code: 0; without its object SVC_ENOMEM */
    LOOK,     /* 0, with its object and without */
    LIFE      /* a step of an app's life: see calls.c */
};

struct call {
    const char *name;
    enum kind kind;
    long (*make)(struct things *at); /* NULL for a step of an app's life */
};

extern const struct call all_calls[];
extern const size_t call_count;

#endif
