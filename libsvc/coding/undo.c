/* Each coding is a stage; what the first makes is the input of the second. */
#include "libsvc/coding/undo.h"

int svc__undo_add(struct undo *undo, struct undo_coding *coding)
{
    const svc_sys_coding *functions = coding->coding;
    void *decoder = svc__context_pool_take(&coding->pool);
    if (decoder && functions->decoder_reset(decoder)) {
        functions->decoder_free(decoder);
        decoder = NULL;
    }
    if (!decoder && functions->decoder_new(&decoder))
        return SVC_ENOMEM;
    undo->stages[undo->count++] = (struct undo_stage){.coding = coding, .decoder = decoder};
    return 0;
}

void svc__undo_end(struct undo *undo)
{
    for (size_t i = 0; i < undo->count; i++) {
        struct undo_stage *stage = &undo->stages[i];
        svc__context_pool_give(&stage->coding->pool, stage->decoder);
        stage->decoder = NULL;
    }
}

static enum undo_end end_of(int error)
{
    switch (error) {
    case SVC_ENOMEM:
        return UNDO_NO_MEMORY;
    case SVC_ETOOBIG:
        return UNDO_BOMB;
    default:
        return UNDO_MALFORMED;
    }
}

/* Some codings go on behind their end (RFC 1952 2.2), as if all were one. */
static enum undo_end begin_next(struct undo_stage *stage)
{
    if (!stage->coding->coding->concatenates)
        return UNDO_TRAILING;
    if (stage->coding->coding->decoder_reset(stage->decoder))
        return UNDO_NO_MEMORY;
    stage->ended = false;
    return UNDO_HUNGRY;
}

/* Moves `input` on, and fills the room from its beginning; `*made` are the bytes in it. */
static enum undo_end run_stage(struct undo_stage *stage, struct bytes *input, char *room,
                               size_t *made)
{
    svc_sys_coding_step step = {sizeof step, input->data, input->len, room, UNDO_ROOM};
    enum undo_end end = UNDO_HUNGRY;
    int rc = 0;
    do {
        if (stage->ended && step.input_len > 0)
            end = begin_next(stage);
        if (stage->ended || end != UNDO_HUNGRY)
            break;
        rc = stage->coding->coding->decode(stage->decoder, &step);
        stage->ended = rc == 0;
    } while (stage->ended && step.input_len > 0);
    stage->taken += input->len - step.input_len;
    *made = UNDO_ROOM - step.output_len;
    stage->made += *made;
    *input = svc__bytes(step.input, step.input_len);
    stage->full = !stage->ended && step.output_len == 0;
    if (end != UNDO_HUNGRY)
        return end;
    if (rc && rc != SVC_EAGAIN)
        return end_of(rc);
    return stage->full ? UNDO_FULL : UNDO_HUNGRY;
}

/* Both stages count: data between them may be a bomb too. The last one counts against the limit. */
static enum undo_end check_limits(const struct undo *undo)
{
    uint64_t taken = undo->stages[0].taken;
    for (size_t i = 0; i < undo->count; i++) {
        uint64_t made = undo->stages[i].made;
        if (undo->ratio && made > UNDO_RATIO_FREE && made / undo->ratio > taken)
            return UNDO_BOMB;
    }
    return undo->stages[undo->count - 1].made > undo->limit ? UNDO_TOO_LARGE : UNDO_HUNGRY;
}

static bool is_whole(const struct undo *undo)
{
    if (undo->stages[0].taken == 0)
        return true;
    for (size_t i = 0; i < undo->count; i++)
        if (!undo->stages[i].ended)
            return false;
    return true;
}

/* Runs the first of two codings until the second has input. */
static enum undo_end fill_between(struct undo *undo)
{
    size_t made = 0;
    if (undo->between.len > 0)
        return UNDO_HUNGRY;
    enum undo_end end = run_stage(&undo->stages[0], &undo->input, undo->middle, &made);
    undo->between = svc__bytes(undo->middle, made);
    return end;
}

static enum undo_end run_all(struct undo *undo, size_t *made)
{
    if (undo->count == 1)
        return run_stage(&undo->stages[0], &undo->input, undo->room, made);
    do {
        enum undo_end first = fill_between(undo);
        if (first > UNDO_FULL)
            return first;
        enum undo_end second = run_stage(&undo->stages[1], &undo->between, undo->room, made);
        if (second != UNDO_HUNGRY || *made > 0)
            return second > UNDO_FULL ? second : UNDO_FULL;
        enum undo_end over = check_limits(undo);
        if (over != UNDO_HUNGRY)
            return over;
    } while (undo->stages[0].full || undo->input.len > 0);
    return UNDO_HUNGRY;
}

enum undo_end svc__undo_step(struct undo *undo, bool last, struct bytes *out)
{
    size_t made = 0;
    enum undo_end end = run_all(undo, &made);
    *out = svc__bytes(undo->room, made);
    if (end > UNDO_FULL)
        return end;
    enum undo_end over = check_limits(undo);
    if (over != UNDO_HUNGRY)
        return over;
    return end == UNDO_HUNGRY && last && !is_whole(undo) ? UNDO_TRUNCATED : end;
}
