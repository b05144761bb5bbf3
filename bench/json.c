/*
 * The time to render one reply by the writer and by jansson, in nanoseconds; micro.go does the same
 * with Go's encoding/json.
 *
 *     json [PART | page | small]    a name in lower case prints the writer's document instead
 */
#include <svc/json.h>

#include "bench/part.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/response_internal.h"

enum { NOTES = 20, TAGS = 3, SCRATCH = 1 << 24 };

struct note {
    uint64_t id;
    const char *title, *text, *created, *updated;
    double score;
    const char *tags[TAGS];
};

static const char line[] = "He said \"all is well\", went on and came by \u00e9t\u00e9...\n";
static struct note notes[NOTES];

static void fill_notes(void)
{
    static char text[4 * sizeof line];
    for (int i = 0; i < 4; i++)
        strcat(text, line);
    for (size_t i = 0; i < NOTES; i++)
        notes[i] = (struct note){1000000 + i,
                                 "A note on what happened",
                                 text,
                                 "2026-11-24T02:44:46Z",
                                 "2026-11-25T12:00:01Z",
                                 (double)i * 1.37,
                                 {"work", "travel", "to be done"}};
}

/* An exchange that is only a response and its memory. */
static struct exchange_host host;
static struct exchange x;

static void open_exchange(void)
{
    static struct arena_cache chunks;
    svc__arena_cache_init(&chunks, 16);
    svc__arena_init(&x.arena, &chunks, EXCHANGE_MEMORY);
    svc__buf_init(&host.scratch, SCRATCH);
    x.host = &host;
    x.response.exchange = &x;
}

/* Drops the answer. Returns its length; 0 without an answer. */
static size_t forget(int error)
{
    size_t len;
    svc_response_body(&x.response, &len);
    bool answered = !error && x.response.status == 200;
    svc__response_reset(&x.response);
    x.response.fields = NULL;
    x.response.field_space = 0;
    svc__arena_reset(&x.arena);
    return answered ? len : 0;
}

/* ---- The writer */

static void write_note(svc_json_writer *w, const struct note *note)
{
    svc_json_open_object(w, NULL);
    svc_json_put_u64(w, "id", note->id);
    svc_json_put_text(w, "title", note->title);
    svc_json_put_text(w, "text", note->text);
    svc_json_put_text(w, "created", note->created);
    svc_json_put_text(w, "updated", note->updated);
    svc_json_put_double(w, "score", note->score);
    svc_json_open_array(w, "tags");
    for (size_t i = 0; i < TAGS; i++)
        svc_json_put_text(w, NULL, note->tags[i]);
    svc_json_close(w);
    svc_json_close(w);
}

static int write_page(void)
{
    svc_json_writer *w = svc_response_json_begin(&x.response, 200);
    svc_json_open_object(w, NULL);
    svc_json_open_array(w, "notes");
    for (size_t i = 0; i < NOTES; i++)
        write_note(w, &notes[i]);
    svc_json_close(w);
    svc_json_put_text(w, "next", "1000020");
    svc_json_close(w);
    return svc_response_json_end(w);
}

static int write_small(void)
{
    svc_json_writer *w = svc_response_json_begin(&x.response, 200);
    svc_json_open_object(w, NULL);
    svc_json_put_u64(w, "id", notes[3].id);
    svc_json_put_text(w, "title", notes[3].title);
    svc_json_put_bool(w, "done", true);
    svc_json_put_double(w, "score", notes[3].score);
    svc_json_close(w);
    return svc_response_json_end(w);
}

/* ---- jansson */

static json_t *pack_note(const struct note *note)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:f, s:[s,s,s]}", "id", (json_int_t)note->id,
                     "title", note->title, "text", note->text, "created", note->created, "updated",
                     note->updated, "score", note->score, "tags", note->tags[0], note->tags[1],
                     note->tags[2]);
}

static int pack_page(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < NOTES; i++)
        json_array_append_new(list, pack_note(&notes[i]));
    return svc_response_json(&x.response, 200, "{s:o, s:s}", "notes", list, "next", "1000020");
}

static int pack_small(void)
{
    return svc_response_json(&x.response, 200, "{s:I, s:s, s:b, s:f}", "id",
                             (json_int_t)notes[3].id, "title", notes[3].title, "done", 1, "score",
                             notes[3].score);
}

/* ---- The run */

/* A way to render a document. */
struct way {
    int (*render)(void);
};

static size_t render_all(void *arg, size_t times)
{
    const struct way *way = arg;
    size_t bytes = 0;
    for (size_t i = 0; i < times; i++) {
        size_t len = forget(way->render());
        if (!len)
            return 0;
        bytes += len;
    }
    return bytes;
}

static int show(int (*render)(void))
{
    size_t len;
    int error = render();
    const char *text = svc_response_body(&x.response, &len);
    printf("%.*s", (int)len, text);
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct way ways[] = {{write_page}, {pack_page}, {write_small}, {pack_small}};
    static struct part parts[] = {
        {"json_writer_page", render_all, &ways[0], {0}},
        {"jansson_page", render_all, &ways[1], {0}},
        {"json_writer_small", render_all, &ways[2], {0}},
        {"jansson_small", render_all, &ways[3], {0}},
    };
    fill_notes();
    open_exchange();
    if (argc > 1 && !strcmp(argv[1], "page"))
        return show(write_page);
    if (argc > 1 && !strcmp(argv[1], "small"))
        return show(write_small);
    part_run_all(parts, sizeof parts / sizeof *parts, argv[1]);
    return 0;
}
