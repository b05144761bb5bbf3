/* The request's fields that a response depends on. */
#include "libsvc/exchange/vary.h"

#include <svc/cache.h>

#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/token.h"

/* Takes the next name off a list; "none" at its end. */
static struct bytes next_name(struct bytes *list)
{
    while (list->data) {
        struct bytes name = svc__bytes_trim(svc__bytes_cut(list, ','));
        if (name.len > 0)
            return name;
    }
    return svc__bytes(NULL, 0);
}

static bool lists(struct bytes list, struct bytes wanted)
{
    struct bytes name;
    while ((name = next_name(&list)).data)
        if (svc__bytes_eq_nocase(name, wanted))
            return true;
    return false;
}

bool svc__vary_valid(struct bytes names)
{
    struct bytes name;
    size_t count = 0;
    for (; (name = next_name(&names)).data; count++)
        if (!svc__token_valid(name))
            return false;
    return count > 0;
}

static const struct field *next_vary(const svc_response *res, const struct field *previous)
{
    return svc__fields_next(res->fields, res->field_count, previous, svc__bytes_z("Vary"));
}

static bool varies_by(const svc_response *res, struct bytes name)
{
    const struct field *field = NULL;
    while ((field = next_vary(res, field)))
        if (lists(field->value, name) || lists(field->value, svc__bytes_z("*")))
            return true;
    return false;
}

static bool varies_by_all(const svc_response *res, struct bytes names)
{
    struct bytes name;
    while ((name = next_name(&names)).data)
        if (!varies_by(res, name))
            return false;
    return true;
}

static void append_names(struct buf *out, struct bytes names)
{
    struct bytes name;
    while ((name = next_name(&names)).data) {
        if (lists(svc__buf_view(out), name))
            continue;
        if (out->len > 0)
            svc__buf_puts(out, ", ");
        svc__buf_bytes(out, name);
    }
}

/* All names there are, in one field. */
static int put_merged(svc_response *res, struct bytes names)
{
    struct buf *merged = svc__response_scratch(res);
    const struct field *field = NULL;
    while ((field = next_vary(res, field)))
        append_names(merged, field->value);
    append_names(merged, names);
    struct bytes text = svc__buf_error(merged)
                            ? svc__bytes(NULL, 0)
                            : svc__arena_copy(&res->exchange->arena, svc__buf_view(merged));
    svc__response_scratch_done(res);
    return text.data ? svc__response_put(res, svc__bytes_z("Vary"), text) : SVC_ENOMEM;
}

int svc__vary_merge(svc_response *res, struct bytes names)
{
    bool there = next_vary(res, NULL) != NULL;
    if (there && varies_by_all(res, names))
        return 0;
    if (lists(names, svc__bytes_z("*")))
        return svc__response_put(res, svc__bytes_z("Vary"), svc__bytes_z("*"));
    return there ? put_merged(res, names) : svc__response_put(res, svc__bytes_z("Vary"), names);
}

int svc_response_add_vary(svc_response *res, const char *names)
{
    struct bytes given = svc__bytes_z(names);
    if (!res)
        return SVC_ENOMEM;
    if (!svc__vary_valid(given))
        return SVC_EINVAL;
    if (varies_by_all(res, given))
        return 0;
    if (lists(given, svc__bytes_z("*")))
        return svc__response_put(res, svc__bytes_z("Vary"), svc__bytes_z("*"));
    return put_merged(res, given);
}
