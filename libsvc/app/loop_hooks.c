/* The states that each event loop has of its own. */
#include "libsvc/app/loop_hooks.h"

#include <stdlib.h>

#include "libsvc/base/list.h"
#include "libsvc/run/reactor.h"

static bool has_key(const svc_app *app, const svc_key *key)
{
    const struct loop_hook *hook = app->loop_hooks;
    while (hook && hook->key != key)
        hook = hook->next;
    return hook;
}

int svc_app_each_loop(svc_app *app, const svc_key *key,
                      int (*begin)(svc_app *app, svc_loop *loop, void *arg, void **state),
                      void (*end)(void *state, void *arg), void *arg)
{
    int error = svc__app_open(app, "svc_app_each_loop");
    if (error)
        return error;
    if (!key || !begin || has_key(app, key))
        return svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_each_loop");
    struct loop_hook *hook = svc__arena_alloc(&app->memory, sizeof *hook);
    if (!hook)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_each_loop");
    *hook = (struct loop_hook){app, key, begin, end, arg, NULL};
    LIST_APPEND(app->loop_hooks, app->last_loop_hook, hook, hook);
    return 0;
}

int svc__loop_hooks_adopt(svc_app *app, svc_app *inner)
{
    int error = 0;
    for (const struct loop_hook *hook = inner->loop_hooks; hook; hook = hook->next)
        if (has_key(app, hook->key))
            error = svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_each_loop");
    if (inner->loop_hooks)
        LIST_APPEND(app->loop_hooks, app->last_loop_hook, inner->loop_hooks, inner->last_loop_hook);
    inner->loop_hooks = inner->last_loop_hook = NULL;
    return error;
}

/* Later hooks can use the states of earlier ones. */
int svc__loop_hooks_begin(svc_app *app, svc_loop *loop)
{
    size_t count = 0;
    for (const struct loop_hook *hook = app->loop_hooks; hook; hook = hook->next)
        count++;
    if (count == 0)
        return 0;
    loop->states = calloc(count, sizeof *loop->states);
    if (!loop->states)
        return SVC_ENOMEM;
    for (const struct loop_hook *hook = app->loop_hooks; hook; hook = hook->next) {
        struct loop_state *state = &loop->states[loop->state_count];
        *state = (struct loop_state){hook->key, NULL, hook->end, hook->arg};
        if (hook->begin(hook->app, loop, hook->arg, &state->state)) {
            svc__faults_add(&app->faults, NULL, 0,
                            "a state of svc_app_each_loop could not be made: \"%s\"",
                            hook->key->name ? hook->key->name : "");
            svc__loop_hooks_end(loop);
            return SVC_ESTART;
        }
        loop->state_count++;
    }
    return 0;
}

void svc__loop_hooks_end(svc_loop *loop)
{
    while (loop->state_count > 0) {
        const struct loop_state *state = &loop->states[--loop->state_count];
        if (state->end)
            state->end(state->state, state->arg);
    }
    free(loop->states);
    loop->states = NULL;
}
