/* Threads that wait for a question, and the calls that ask. */
#include "libsvc/ops/inquiry.h"

#include "libsvc/app/life.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"

void svc__inquiries_init(struct inquiries *all, svc_app *app)
{
    *all = (struct inquiries){.app = app,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .question = PTHREAD_COND_INITIALIZER,
                              .answer = PTHREAD_COND_INITIALIZER};
    all->last = &all->first;
}

void svc__inquiries_free(struct inquiries *all)
{
    pthread_mutex_destroy(&all->lock);
    pthread_cond_destroy(&all->question);
    pthread_cond_destroy(&all->answer);
}

static void *answer_inquiry(void *arg)
{
    struct inquiry *inquiry = arg;
    struct inquiries *all = inquiry->all;
    svc__life_adopt_thread(all->app);
    pthread_mutex_lock(&all->lock);
    while (!all->stopping) {
        if (!inquiry->asked) {
            svc__wait_until(&all->question, &all->lock, WAIT_FOR_EVER);
            continue;
        }
        pthread_mutex_unlock(&all->lock);
        int result = inquiry->run(inquiry);
        pthread_mutex_lock(&all->lock);
        inquiry->asked = false;
        inquiry->answered = true;
        inquiry->result = result;
        inquiry->answered_ms = svc__clock_ms();
        pthread_cond_broadcast(&all->answer);
    }
    all->threads--;
    pthread_cond_broadcast(&all->answer);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

int svc__inquiries_add(struct inquiries *all, struct inquiry *inquiry)
{
    pthread_t thread;
    inquiry->all = all;
    pthread_mutex_lock(&all->lock);
    int error = svc__thread_start_program(&thread, 0, answer_inquiry, inquiry);
    if (!error) {
        pthread_detach(thread);
        all->threads++;
        *all->last = inquiry;
        all->last = &inquiry->next;
    }
    pthread_mutex_unlock(&all->lock);
    return error;
}

/* One that still runs is not asked again: its answer will be as good, and its time has begun. */
static void put_questions(struct inquiries *all)
{
    uint64_t now_ms = svc__clock_ms();
    for (struct inquiry *inquiry = all->first; inquiry; inquiry = inquiry->next) {
        inquiry->asked_ms = inquiry->asked ? inquiry->asked_ms : now_ms;
        inquiry->asked = true;
    }
    pthread_cond_broadcast(&all->question);
}

static void await_answer(struct inquiries *all, const struct inquiry *inquiry, uint64_t timeout_ms)
{
    uint64_t due_ms = inquiry->asked_ms + timeout_ms;
    while (inquiry->asked && !all->stopping && svc__clock_ms() < due_ms &&
           svc__wait_until(&all->answer, &all->lock, due_ms))
        continue;
}

void svc__inquiries_ask(struct inquiries *all, uint64_t timeout_ms,
                        void (*visit)(struct inquiry *inquiry, void *arg), void *arg)
{
    pthread_mutex_lock(&all->lock);
    put_questions(all);
    for (struct inquiry *inquiry = all->first; inquiry; inquiry = inquiry->next)
        await_answer(all, inquiry, timeout_ms);
    for (struct inquiry *inquiry = all->first; inquiry; inquiry = inquiry->next)
        visit(inquiry, arg);
    pthread_mutex_unlock(&all->lock);
}

int svc__inquiries_stop(struct inquiries *all, uint64_t deadline_ms)
{
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_broadcast(&all->question);
    pthread_cond_broadcast(&all->answer);
    while (all->threads > 0 && svc__wait_until(&all->answer, &all->lock, deadline_ms))
        continue;
    bool ended = all->threads == 0;
    pthread_mutex_unlock(&all->lock);
    return ended ? 0 : SVC_EFORCED;
}
