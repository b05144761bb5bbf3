/* Events as they are sent. */
#include "libsvc/events/event_frame.h"

#include <stdio.h>
#include <string.h>

#include "libsvc/base/json_check.h"
#include "libsvc/base/utf8.h"

enum { CHUNK_SIZE_TEXT = 20 /* hexadecimal digits of a size, CRLF, NUL */ };

static struct frame *make_frame(struct bytes body, const char *id)
{
    char head[CHUNK_SIZE_TEXT];
    unsigned head_len = (unsigned)snprintf(head, sizeof head, "%zx\r\n", body.len);
    size_t id_size = strlen(id) + 1;
    struct frame *frame = malloc(sizeof *frame + head_len + body.len + FRAME_END + id_size);
    if (!frame)
        return NULL;
    atomic_init(&frame->refs, 1);
    frame->head = head_len;
    frame->len = body.len;
    frame->next = NULL;
    char *at = frame->data;
    memcpy(at, head, head_len);
    memcpy(at + head_len, body.data, body.len);
    memcpy(at + head_len + body.len, "\r\n", FRAME_END);
    memcpy(at + head_len + body.len + FRAME_END, id, id_size);
    return frame;
}

/* ---- Checks */

static bool is_event_name(const char *name)
{
    return *name && !strpbrk(name, "\r\n") && svc__utf8_valid(svc__bytes_z(name));
}

/* An id comes back as a header field, which cannot carry what is refused here. */
static bool is_id(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)id[i] < ' ' || id[i] == 127)
            return false;
    bool padded = len > 0 && (id[0] == ' ' || id[len - 1] == ' ');
    return !padded && svc__utf8_valid(svc__bytes(id, len));
}

static int check_event(int format, const struct event *event)
{
    if (!event->data || (event->id && !is_id(event->id)))
        return SVC_EINVAL;
    if (event->id && strlen(event->id) > SVC_EVENT_ID_BYTES)
        return SVC_ETOOBIG;
    struct bytes data = svc__bytes_z(event->data);
    if (data.len > SVC_EVENT_BYTES)
        return SVC_ETOOBIG;
    if (format == SVC_EVENT_NDJSON)
        return !event->name && !strpbrk(event->data, "\r\n") &&
                       svc__json_check(data, JSON_CHECK_DEPTH)
                   ? 0
                   : SVC_EINVAL;
    return (!event->name || is_event_name(event->name)) && svc__utf8_valid(data) ? 0 : SVC_EINVAL;
}

/* ---- Rendering */

static void put_field(struct buf *out, const char *name, struct bytes value)
{
    svc__buf_puts(out, name);
    svc__buf_bytes(out, value);
    svc__buf_puts(out, "\n");
}

/* Each line is a field of its own: a reader joins them by LF. */
static void put_data(struct buf *out, const char *data)
{
    for (;;) {
        size_t len = strcspn(data, "\r\n");
        put_field(out, "data: ", svc__bytes(data, len));
        data += len;
        if (!*data)
            return;
        data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    }
}

static void render_event(struct buf *out, int format, const struct event *event)
{
    if (format == SVC_EVENT_NDJSON) {
        put_field(out, "", svc__bytes_z(event->data));
        return;
    }
    if (event->name)
        put_field(out, "event: ", svc__bytes_z(event->name));
    if (event->id)
        put_field(out, "id: ", svc__bytes_z(event->id));
    put_data(out, event->data);
    svc__buf_puts(out, "\n");
}

int svc__event_frame_make(int format, const struct event *event, struct frame **frame)
{
    int error = check_event(format, event);
    if (error)
        return error;
    struct buf out;
    svc__buf_init(&out, SVC_EVENT_BYTES);
    render_event(&out, format, event);
    error = svc__buf_error(&out);
    struct frame *made = error ? NULL : make_frame(svc__buf_view(&out), event->id ? event->id : "");
    svc__buf_free(&out);
    if (made)
        *frame = made;
    return error ? error : made ? 0 : SVC_ENOMEM;
}

struct frame *svc__event_frame_retry(uint64_t retry_ms)
{
    char text[48];
    int len = snprintf(text, sizeof text, "retry: %llu\n\n", (unsigned long long)retry_ms);
    return make_frame(svc__bytes(text, (size_t)len), "");
}

struct frame *svc__event_frame_beat(int format)
{
    return make_frame(svc__bytes_z(format == SVC_EVENT_NDJSON ? "\n" : ":\n\n"), "");
}
