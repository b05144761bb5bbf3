/* The layer that undoes the content codings of request bodies. */
#include <stdlib.h>
#include <string.h>

#include <svc/decompress.h>

#include "libsvc/base/sized.h"
#include "libsvc/coding/codings.h"
#include "libsvc/coding/undo.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/media.h"

enum { ACCEPT_SPACE = 17 /* a name and ", " */ };

struct decompress_layer {
    svc_middleware middleware;
    svc_app *app;
    unsigned ratio;
    /* Made at the start, when no coding can be added any more. */
    struct undo_coding codings[CODINGS_MAX];
    size_t count;
    char accept[CODINGS_MAX * ACCEPT_SPACE]; /* their names; "identity" for none */
};

/* Of one request: a body whose codings are undone. */
struct decompress_state {
    struct undo *undo; /* of malloc; NULL: the body is left as it is */
    char *kept;        /* of malloc: input in the place of a reader's own, or NULL */
    size_t kept_space;
    bool last;   /* no more input comes */
    bool failed; /* the answer is set */
};

/* ---- The head */

/* Takes the next coding off the list of Content-Encoding fields; "none" at the end. */
static struct bytes next_coding(const struct fields *fields, const struct field **field,
                                struct bytes *rest)
{
    const struct bytes identity = {"identity", 8};
    for (;;) {
        while (!rest->data) {
            *field = svc__fields_each(fields, *field, FIELD_CONTENT_ENCODING);
            if (!*field)
                return svc__bytes(NULL, 0);
            *rest = (*field)->value;
        }
        struct bytes coding = svc__bytes_trim(svc__bytes_cut(rest, ','));
        if (coding.len > 0 && !svc__bytes_eq_nocase(coding, identity))
            return coding;
    }
}

static struct undo_coding *find_coding(struct decompress_layer *layer, struct bytes name)
{
    const svc_sys_coding *wanted = svc__codings_find(layer->app, name);
    for (size_t i = 0; i < layer->count; i++)
        if (layer->codings[i].coding == wanted)
            return &layer->codings[i];
    return NULL;
}

static int refuse_coding(svc_response *res, const struct decompress_layer *layer,
                         const char *detail)
{
    int error = svc_response_problem(res, 415, detail);
    if (!error)
        error =
            svc__response_put(res, svc__bytes_z("Accept-Encoding"), svc__bytes_z(layer->accept));
    return error ? error : SVC_ANSWERED;
}

/* Lists the codings in the order in which they were applied. SVC_PASS, or an answer. */
static int list_codings(const svc_request *req, svc_response *res, struct decompress_layer *layer,
                        struct undo_coding *out[static UNDO_CODINGS], size_t *count)
{
    const struct field *field = NULL;
    struct bytes rest = {NULL, 0}, name;
    *count = 0;
    while ((name = next_coding(&req->fields, &field, &rest)).data) {
        if (*count == UNDO_CODINGS)
            return refuse_coding(res, layer, "the body has more than two content codings");
        out[*count] = find_coding(layer, name);
        if (!out[*count])
            return refuse_coding(res, layer,
                                 "the body has a content coding that is not known here");
        ++*count;
    }
    return SVC_PASS;
}

/* The fields of the body as it was sent are not those of the body that the handler gets. */
static int remove_fields(svc_request *req)
{
    struct arena *arena = &svc__exchange_of(req)->arena;
    struct field *list = svc__arena_alloc(arena, req->fields.count * sizeof *list);
    size_t count = 0;
    if (!list)
        return SVC_ENOMEM;
    for (size_t i = 0; i < req->fields.count; i++) {
        enum field_name name = svc__field_name_find(req->fields.list[i].name);
        if (name != FIELD_CONTENT_ENCODING && name != FIELD_CONTENT_LENGTH)
            list[count++] = req->fields.list[i];
    }
    svc__fields_read(&req->fields, list, count);
    req->body_decoded = true;
    return 0;
}

static void free_state(void *arg)
{
    struct decompress_state *state = arg;
    if (state->undo)
        svc__undo_end(state->undo);
    free(state->undo);
    free(state->kept);
    state->undo = NULL;
    state->kept = NULL;
}

static int begin_undo(svc_request *req, const struct decompress_layer *layer,
                      struct decompress_state *state, struct undo_coding *const *codings,
                      size_t count)
{
    struct exchange *x = svc__exchange_of(req);
    struct undo *undo = malloc(sizeof *undo);
    if (!undo)
        return SVC_ENOMEM;
    undo->count = 0;
    undo->limit = x->body.store.limit;
    undo->ratio = layer->ratio;
    undo->input = undo->between = svc__bytes(NULL, 0);
    state->undo = undo;
    int error = svc__arena_defer(&x->arena, free_state, state);
    while (count > 0 && !error)
        error = svc__undo_add(undo, codings[--count]);
    if (!error)
        error = remove_fields(req);
    if (error)
        free_state(state);
    return error;
}

static int see_head(svc_request *req, svc_response *res, const svc_layer *given)
{
    struct decompress_layer *layer = given->arg;
    struct undo_coding *codings[UNDO_CODINGS];
    size_t count;
    bool keeps = !req->route || req->route->flags & SVC_ANY_CODING;
    if (keeps || svc__exchange_of(req)->framing.kind == BODY_NONE ||
        !svc__media_is_coded(&req->fields))
        return SVC_PASS;
    int verdict = list_codings(req, res, layer, codings, &count);
    if (verdict != SVC_PASS)
        return verdict;
    return begin_undo(req, layer, given->state, codings, count);
}

/* ---- The body */

static int refuse_body(svc_response *res, enum undo_end end)
{
    static const struct refusal refusals[] = {
        [UNDO_MALFORMED] = {400, "the body is not of the coding that Content-Encoding names"},
        [UNDO_TRAILING] = {400, "the body has bytes behind the end of its coded data"},
        [UNDO_TRUNCATED] = {400, "the body ends before its coded data"},
        [UNDO_TOO_LARGE] = {REFUSAL_BODY_OVER},
        [UNDO_BOMB] = {413, "the body becomes too large when its coding is undone"},
        [UNDO_NO_MEMORY] = {REFUSAL_NO_MEMORY},
    };
    int error = svc_response_problem(res, refusals[end].status, refusals[end].detail);
    return error ? error : SVC_ANSWERED;
}

/* A stream's reader has given its own buffer, which will hold the bytes that are handed on: the
 * input that is left moves out of it. */
static int keep_input(const svc_request *req, struct decompress_state *state)
{
    struct bytes *input = &state->undo->input;
    if (input->len == 0 || !svc__exchange_of(req)->body.stream || input->data == state->kept)
        return 0;
    if (input->len > state->kept_space) {
        free(state->kept);
        state->kept_space = 0;
        state->kept = malloc(input->len);
        if (!state->kept)
            return SVC_ENOMEM;
        state->kept_space = input->len;
    }
    memmove(state->kept, input->data, input->len);
    input->data = state->kept;
    return 0;
}

static int undo_piece(svc_request *req, svc_response *res, const svc_layer *given, svc_piece *piece)
{
    struct decompress_state *state = given->state;
    struct undo *undo = state->undo;
    if (!undo)
        return SVC_PASS;
    if (state->failed)
        return SVC_ANSWERED;
    if (piece->len > 0)
        undo->input = svc__bytes(piece->data, piece->len);
    state->last = piece->last;
    struct bytes out;
    enum undo_end end = svc__undo_step(undo, state->last, &out);
    if (end <= UNDO_FULL && keep_input(req, state))
        end = UNDO_NO_MEMORY;
    if (end > UNDO_FULL) {
        state->failed = true;
        svc__undo_end(undo);
        return refuse_body(res, end);
    }
    if (end == UNDO_FULL)
        svc__exchange_of(req)->body.again = BODY_AGAIN;
    piece->data = out.data;
    piece->len = out.len;
    piece->last = state->last && end == UNDO_HUNGRY;
    if (piece->last)
        svc__undo_end(undo);
    return SVC_PASS;
}

/* ---- The layer */

static int start_layer(svc_app *app, void *arg)
{
    struct decompress_layer *layer = arg;
    const svc_sys_coding *all[CODINGS_MAX];
    size_t count = svc__codings_list(layer->app, all);
    char *accept = stpcpy(layer->accept, "");
    (void)app;
    layer->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!all[i]->decode)
            continue;
        struct undo_coding *coding = &layer->codings[layer->count++];
        coding->coding = all[i];
        svc__context_pool_init(&coding->pool, all[i]->decoder_free);
        accept = stpcpy(stpcpy(accept, layer->count > 1 ? ", " : ""), all[i]->name);
    }
    if (layer->count == 0)
        stpcpy(layer->accept, "identity");
    return 0;
}

static void stop_layer(svc_app *app, void *arg)
{
    struct decompress_layer *layer = arg;
    (void)app;
    for (size_t i = 0; i < layer->count; i++)
        svc__context_pool_free(&layer->codings[i].pool);
}

const svc_middleware *svc_decompress_new(svc_app *app, const svc_decompress *options)
{
    svc_decompress own = SVC_DECOMPRESS_INIT;
    if (svc__app_open(app, "svc_decompress_new"))
        return NULL;
    struct decompress_layer *layer = svc__arena_zalloc(&app->memory, sizeof *layer);
    int error = layer ? 0 : SVC_ENOMEM;
    if (!error && options)
        error = SIZED_READ(&own, options, max_ratio);
    if (error) {
        svc__faults_refuse(&app->faults, error, "svc_decompress_new");
        return NULL;
    }
    layer->app = app;
    layer->ratio = own.max_ratio;
    layer->middleware = (svc_middleware){.size = sizeof layer->middleware,
                                         .name = "decompress",
                                         .flags = SVC_BODY_PIECES,
                                         .state_size = sizeof(struct decompress_state),
                                         .arg = layer,
                                         .start = start_layer,
                                         .stop = stop_layer,
                                         .on_request = see_head,
                                         .on_body = undo_piece};
    return &layer->middleware;
}
