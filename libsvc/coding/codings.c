/* The codings that were added to an app stand in a list of it; those of zlib are always there. */
#include "libsvc/coding/codings.h"

#include "libsvc/base/sized.h"
#include "libsvc/coding/coding_zlib.h"

enum { NAME_MAX_LEN = 15 };

struct coding_entry {
    svc_sys_coding coding;
    struct coding_entry *next;
};

/* ---- Registration */

static bool is_coding_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    for (size_t i = 0; i < len; i++)
        if (name[i] < 'a' || name[i] > 'z')
            return false;
    return len > 0 && len <= NAME_MAX_LEN && strcmp(name, "identity") != 0;
}

/* Has all functions of a direction, or none; and those of one direction at least. */
static bool is_whole(const svc_sys_coding *coding)
{
    bool encodes = coding->encode, decodes = coding->decode;
    bool levels = coding->level_least <= coding->level && coding->level <= coding->level_most &&
                  coding->level_least <= coding->level_busy &&
                  coding->level_busy <= coding->level_most;
    return (encodes || decodes) && levels && is_coding_name(coding->name) &&
           !coding->encoder_new == !encodes && !coding->encoder_reset == !encodes &&
           !coding->encoder_free == !encodes && !coding->decoder_new == !decodes &&
           !coding->decoder_reset == !decodes && !coding->decoder_free == !decodes;
}

static const svc_sys_coding *find_in(const svc_app *app, struct bytes name, size_t *count)
{
    const svc_sys_coding *found = NULL;
    for (const struct coding_entry *each = app->codings; each; each = each->next, ++*count)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(each->coding.name)))
            found = &each->coding;
    return found;
}

static int add_coding(svc_app *app, const svc_sys_coding *given)
{
    size_t count = 0;
    svc_sys_coding own = SVC_SYS_CODING_INIT;
    int error = SIZED_READ(&own, given, concatenates);
    if (error || !is_whole(&own))
        return SVC_EINVAL;
    if (find_in(app, svc__bytes_z(own.name), &count))
        return SVC_ESTATE;
    if (count == CODINGS_OWN)
        return SVC_ETOOBIG;
    struct coding_entry *entry = svc__arena_alloc(&app->memory, sizeof *entry);
    own.name = svc__arena_strndup(&app->memory, own.name, strlen(own.name));
    if (!entry || !own.name)
        return SVC_ENOMEM;
    *entry = (struct coding_entry){own, app->codings};
    app->codings = entry;
    return 0;
}

int svc_sys_app_add_coding(svc_app *app, const svc_sys_coding *coding)
{
    int error = svc__app_open(app, "svc_sys_app_add_coding");
    if (error)
        return error;
    error = add_coding(app, coding);
    return error ? svc__faults_refuse(&app->faults, error, "svc_sys_app_add_coding") : 0;
}

/* ---- Looking up */

const svc_sys_coding *svc__codings_find(const svc_app *app, struct bytes name)
{
    size_t count = 0;
    const svc_sys_coding *found = NULL;
    if (svc__bytes_eq_nocase(name, svc__bytes_z("x-gzip"))) /* RFC 9110 8.4.1.3 */
        name = svc__bytes_z("gzip");
    for (; app && !found; app = app->parent)
        found = find_in(app, name, &count);
    for (size_t i = 0; i < svc__coding_zlib_count && !found; i++)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(svc__coding_zlib[i].name)))
            found = &svc__coding_zlib[i];
    return found;
}

/* Puts a coding behind those of its rank and above, unless its name is there or the list is full.
 */
static void insert(const svc_sys_coding **list, size_t *count, const svc_sys_coding *coding)
{
    size_t at = *count;
    if (at == CODINGS_MAX)
        return;
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(list[i]->name, coding->name))
            return;
    for (; at > 0 && list[at - 1]->rank < coding->rank; at--)
        list[at] = list[at - 1];
    list[at] = coding;
    ++*count;
}

size_t svc__codings_list(const svc_app *app, const svc_sys_coding *out[static CODINGS_MAX])
{
    size_t count = 0;
    for (; app; app = app->parent)
        for (const struct coding_entry *each = app->codings; each; each = each->next)
            insert(out, &count, &each->coding);
    for (size_t i = 0; i < svc__coding_zlib_count; i++)
        insert(out, &count, &svc__coding_zlib[i]);
    return count;
}
