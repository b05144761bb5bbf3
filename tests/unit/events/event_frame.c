#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/events/event_frame.h"
#include "tests/support/event_reader.h"

static struct frame *make(const char *name, const char *id, const char *data)
{
    struct frame *frame = NULL;
    cr_assert_eq(svc__event_frame_make(SVC_EVENT_STREAM, &(struct event){name, id, data}, &frame),
                 0);
    return frame;
}

static int refuse(int format, const char *name, const char *id, const char *data)
{
    struct frame *frame = NULL;
    int error = svc__event_frame_make(format, &(struct event){name, id, data}, &frame);
    cr_expect_eq(frame == NULL, error != 0);
    svc__frame_unref(frame);
    return error;
}

/* The body, and that a reader of the standard finds `seen` in it. */
static void expect(const char *name, const char *id, const char *data, const char *body,
                   const char *seen)
{
    struct frame *frame = make(name, id, data);
    struct bytes got = svc__frame_body(frame);
    long retry_ms;
    cr_expect_eq(got.len, strlen(body));
    cr_expect(got.len == strlen(body) && !memcmp(got.data, body, got.len), "%.*s", (int)got.len,
              got.data);
    char *read = event_reader_all(got.data, got.len, &retry_ms);
    cr_expect_str_eq(read, seen);
    free(read);
    svc__frame_unref(frame);
}

static void expect_read(const char *stream, const char *seen)
{
    long retry_ms;
    char *read = event_reader_all(stream, strlen(stream), &retry_ms);
    cr_expect_str_eq(read, seen);
    free(read);
}

/* The reader that the other tests trust. */
Test(event_frame, the_reader_finds_what_the_examples_of_the_standard_say)
{
    expect_read("data: YHOO\ndata: +2\ndata: 10\n\n", "message||YHOO/+2/10\n");
    expect_read(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
                "data:  third event\n\n",
                "message|1|first event\nmessage||second event\nmessage|| third event\n");
    expect_read("data\n\ndata\ndata\n\ndata:", "message||\nmessage||/\n");
    expect_read("data:test\n\ndata: test\n\n", "message||test\nmessage||test\n");
    expect_read("event: add\ndata: 73857293\n\nevent: remove\r\ndata: 2153\r\rdata: cut",
                "add||73857293\nremove||2153\n");
}

Test(event_frame, an_event_is_rendered)
{
    expect(NULL, NULL, "a", "data: a\n\n", "message||a\n");
    expect("add", "7", "a", "event: add\nid: 7\ndata: a\n\n", "add|7|a\n");
    expect(NULL, "", "a", "id: \ndata: a\n\n", "message||a\n");
    expect(NULL, NULL, "", "data: \n\n", "message||\n");
    expect(NULL, NULL, " a: \xc3\xa4", "data:  a: \xc3\xa4\n\n", "message|| a: \xc3\xa4\n");
}

Test(event_frame, each_line_end_splits_data)
{
    expect(NULL, NULL, "YHOO\n+2\n10", "data: YHOO\ndata: +2\ndata: 10\n\n",
           "message||YHOO/+2/10\n");
    expect(NULL, NULL, "a\rb\r\nc\nd", "data: a\ndata: b\ndata: c\ndata: d\n\n",
           "message||a/b/c/d\n");
    expect(NULL, NULL, "\n", "data: \ndata: \n\n", "message||/\n");
    expect(NULL, NULL, "a\n\rb\r", "data: a\ndata: \ndata: b\ndata: \n\n", "message||a//b/\n");
}

/* Data can end neither the event nor its line. */
Test(event_frame, data_cannot_make_fields)
{
    expect(NULL, NULL, "a\n\nevent: x\rid: 9\r\n\r\nretry: 1",
           "data: a\ndata: \ndata: event: x\ndata: id: 9\ndata: \ndata: retry: 1\n\n",
           "message||a//event: x/id: 9//retry: 1\n");
}

Test(event_frame, what_cannot_be_sent_is_refused)
{
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, NULL, NULL), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, "a\nb", NULL, "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, "a\r", NULL, "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, "", NULL, "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, "\xff", NULL, "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, "1\n2", "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, "1\r2", "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, " 1", "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, "1 ", "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, "1\x7f", "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, "\xc3", "x"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, NULL, "\xed\xa0\x80"), SVC_EINVAL);
}

Test(event_frame, sizes_have_ceilings)
{
    char id[SVC_EVENT_ID_BYTES + 2];
    memset(id, 'i', sizeof id);
    id[SVC_EVENT_ID_BYTES + 1] = '\0';
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, id, "x"), SVC_ETOOBIG);
    id[SVC_EVENT_ID_BYTES] = '\0';
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, id, "x"), 0);
    enum { OVERHEAD = sizeof "data: \n\n" - 1 };
    char *data = calloc(1, SVC_EVENT_BYTES + 1);
    memset(data, 'd', SVC_EVENT_BYTES - OVERHEAD);
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, NULL, data), 0);
    data[SVC_EVENT_BYTES - OVERHEAD] = 'd';
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, NULL, data), SVC_ETOOBIG);
    memset(data, '\n', SVC_EVENT_BYTES); /* of which each line takes seven */
    cr_expect_eq(refuse(SVC_EVENT_STREAM, NULL, NULL, data), SVC_ETOOBIG);
    free(data);
}

Test(event_frame, a_line_of_json_is_json)
{
    struct frame *frame = NULL;
    const struct event event = {NULL, "7", "{\"a\": [1, \"b\\n\"]}"};
    cr_assert_eq(svc__event_frame_make(SVC_EVENT_NDJSON, &event, &frame), 0);
    struct bytes body = svc__frame_body(frame);
    cr_expect(svc__bytes_eq(body, svc__bytes_z("{\"a\": [1, \"b\\n\"]}\n")));
    cr_expect_str_eq(svc__frame_id(frame), "7");
    svc__frame_unref(frame);
    cr_expect_eq(refuse(SVC_EVENT_NDJSON, "a", NULL, "1"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_NDJSON, NULL, NULL, "{\"a\":\n1}"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_NDJSON, NULL, NULL, "{\"a\":"), SVC_EINVAL);
    cr_expect_eq(refuse(SVC_EVENT_NDJSON, NULL, NULL, ""), SVC_EINVAL);
}

Test(event_frame, a_frame_is_a_chunk_too)
{
    struct frame *frame = make("add", "7", "0123456789");
    struct bytes chunk = svc__frame_chunk(frame);
    static const char wanted[] = "23\r\nevent: add\nid: 7\ndata: 0123456789\n\n\r\n";
    cr_expect_eq(strtoul(chunk.data, NULL, 16), svc__frame_body(frame).len);
    cr_expect(svc__bytes_eq(chunk, svc__bytes_z(wanted)), "%.*s", (int)chunk.len, chunk.data);
    cr_expect_str_eq(svc__frame_id(frame), "7");
    svc__frame_unref(svc__frame_ref(frame));
    svc__frame_unref(frame);
}

Test(event_frame, retries_and_heartbeats_are_no_events)
{
    struct frame *retry = svc__event_frame_retry(4500),
                 *beat = svc__event_frame_beat(SVC_EVENT_STREAM);
    struct frame *line = svc__event_frame_beat(SVC_EVENT_NDJSON);
    char text[64];
    long retry_ms;
    int len = snprintf(text, sizeof text, "%.*s%.*s", (int)retry->len, svc__frame_body(retry).data,
                       (int)beat->len, svc__frame_body(beat).data);
    char *read = event_reader_all(text, (size_t)len, &retry_ms);
    cr_expect_str_eq(read, "");
    cr_expect_eq(retry_ms, 4500);
    cr_expect(svc__bytes_eq(svc__frame_body(line), svc__bytes_z("\n")));
    free(read);
    svc__frame_unref(retry);
    svc__frame_unref(beat);
    svc__frame_unref(line);
}
