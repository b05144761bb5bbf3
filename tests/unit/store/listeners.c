/* Messages within the process, heard by those that listen to their key. */
#include "libsvc/store/listeners.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <svc/errors.h>

#include "tests/support/client.h"

static struct listeners listeners;
static int wake_fd;

static void open_listeners(void)
{
    svc__listeners_init(&listeners);
    wake_fd = eventfd(0, EFD_CLOEXEC);
}

static void close_listeners(void)
{
    svc__listeners_free(&listeners);
    close(wake_fd);
}

TestSuite(listeners, .init = open_listeners, .fini = close_listeners);

static struct listener *listen_to(const char *key)
{
    struct listener *listener = NULL;
    cr_assert_eq(svc__listeners_add(&listeners, svc__bytes_z(key), &listener), 0);
    return listener;
}

static void send_text(const char *key, uint64_t number, const char *text)
{
    svc__listeners_begin(&listeners);
    svc__listeners_send(&listeners, svc__bytes_z(key), number, svc__bytes_z(text));
    svc__listeners_end(&listeners);
}

static void expect_heard(struct listener *listener, uint64_t number, const char *text)
{
    const struct heard *heard;
    cr_assert_eq(svc__listeners_hear(listener, wake_fd, CLIENT_WAIT_MS, &heard), 0);
    cr_expect_eq(heard->number, number);
    cr_expect(svc__bytes_eq_z(svc__bytes(heard->data, heard->len), text));
}

static int hear_now(struct listener *listener)
{
    const struct heard *heard;
    return svc__listeners_hear(listener, wake_fd, 0, &heard);
}

Test(listeners, each_that_listens_to_a_key_hears_all_in_order)
{
    struct listener *a = listen_to("a"), *also = listen_to("a"), *b = listen_to("b");
    send_text("a", 1, "first");
    send_text("b", 1, "");
    send_text("a", 2, "second");
    send_text("c", 9, "nobody");
    expect_heard(a, 1, "first");
    expect_heard(a, 2, "second");
    expect_heard(b, 1, "");
    cr_expect_eq(hear_now(a), SVC_ETIMEDOUT);
    cr_expect_eq(hear_now(b), SVC_ETIMEDOUT);
    svc__listeners_remove(a);
    send_text("a", 3, "third");
    expect_heard(also, 1, "first");
    expect_heard(also, 2, "second");
    expect_heard(also, 3, "third");
    svc__listeners_remove(b);
    send_text("a", 4, "left behind");
    svc__listeners_remove(also);
}

Test(listeners, a_wait_ends_when_it_is_woken)
{
    struct listener *listener = listen_to("a");
    const struct heard *heard;
    const uint64_t one = 1;
    cr_assert_eq(write(wake_fd, &one, sizeof one), sizeof one);
    cr_expect_eq(svc__listeners_hear(listener, wake_fd, CLIENT_WAIT_MS, &heard), SVC_ETIMEDOUT);
    send_text("a", 1, "all the same");
    expect_heard(listener, 1, "all the same");
    svc__listeners_remove(listener);
}

static void *send_later(void *arg)
{
    (void)arg;
    send_text("a", 7, "later");
    return NULL;
}

Test(listeners, a_wait_ends_with_a_message)
{
    struct listener *listener = listen_to("a");
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, send_later, NULL), 0);
    expect_heard(listener, 7, "later");
    pthread_join(thread, NULL);
    svc__listeners_remove(listener);
}

Test(listeners, a_queue_that_is_full_is_lost_as_a_whole)
{
    struct listener *listener = listen_to("a"), *reader = listen_to("a");
    char *text = calloc(1, 100001);
    for (size_t i = 0; i < 100000; i++)
        text[i] = 'x';
    for (uint64_t i = 1; i <= 50; i++) {
        send_text("a", i, text);
        expect_heard(reader, i, text);
    }
    cr_expect_eq(hear_now(listener), SVC_ECLOSED);
    send_text("a", 51, "more");
    cr_expect_eq(hear_now(listener), SVC_ECLOSED);
    expect_heard(reader, 51, "more");
    svc__listeners_remove(listener);
    svc__listeners_remove(reader);
    free(text);
}
