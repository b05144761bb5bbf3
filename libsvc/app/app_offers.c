/* What routes and groups offer for negotiation. */
#include "libsvc/app/app_offers.h"

#include <string.h>

#include <svc/negotiation.h>

#include "libsvc/base/sized.h"
#include "libsvc/proto/accept.h"

static const char *const kind_names[ACCEPT_KINDS] = {
    [ACCEPT_TYPE] = "media type",
    [ACCEPT_LANGUAGE] = "language",
    [ACCEPT_CODING] = "content coding",
};

/* ---- Registration */

static int refuse_offers(svc_app *app, const char *file, int line, int error, const char *why)
{
    svc__faults_add(&app->faults, file, line, "offers: %s", why);
    return error;
}

static int check_list(svc_app *app, const char *file, int line, enum accept_kind kind,
                      const char *const *list)
{
    if (!list[0])
        return refuse_offers(app, file, line, SVC_EINVAL, "a list is empty");
    for (size_t i = 0; list[i]; i++) {
        if (svc__accept_offer_valid(kind, svc__bytes_z(list[i])))
            continue;
        svc__faults_add(&app->faults, file, line, "offers: \"%s\" is no %s", list[i],
                        kind_names[kind]);
        return SVC_EINVAL;
    }
    return 0;
}

static const char *const *copy_list(struct arena *memory, const char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    const char **copy = svc__arena_zalloc(memory, (count + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = svc__arena_strndup(memory, list[i], strlen(list[i]));
        if (!copy[i])
            return NULL;
    }
    return copy;
}

int svc__app_offers_copy(svc_app *app, const svc_offers *given, const char *file, int line,
                         const struct offers **out)
{
    svc_offers own = SVC_OFFERS_INIT;
    if (SIZED_READ(&own, given, types) || (!own.types && !own.languages && !own.codings))
        return refuse_offers(app, file, line, SVC_EINVAL, "they need SVC_OFFERS_INIT and a list");
    const char *const *const lists[ACCEPT_KINDS] = {own.types, own.languages, own.codings};
    struct offers *offers = svc__arena_zalloc(&app->memory, sizeof *offers);
    int error = offers ? 0 : SVC_ENOMEM;
    for (int kind = 0; kind < ACCEPT_KINDS && !error; kind++) {
        if (!lists[kind])
            continue;
        error = check_list(app, file, line, (enum accept_kind)kind, lists[kind]);
        if (error)
            return error;
        offers->lists[kind] = copy_list(&app->memory, lists[kind]);
        error = offers->lists[kind] ? 0 : SVC_ENOMEM;
    }
    if (error)
        return refuse_offers(app, file, line, error, svc_error_text(error));
    offers->strict_languages = own.strict_languages;
    *out = offers;
    return 0;
}

/* ---- The plan */

/* Takes the lists that are missing so far. */
static void add_lists(struct offers *to, const struct offers *from)
{
    if (!from)
        return;
    if (!to->lists[ACCEPT_LANGUAGE])
        to->strict_languages = from->strict_languages;
    for (int kind = 0; kind < ACCEPT_KINDS; kind++)
        if (!to->lists[kind])
            to->lists[kind] = from->lists[kind];
}

int svc__app_offers_compile(const struct app_route *route, struct arena *memory,
                            const struct offers **out)
{
    const svc_app *app = route->group->app;
    struct offers all = {.strict_languages = false};
    bool is_fallback = route == &app->fallback;
    add_lists(&all, route->offers);
    for (const svc_group *group = route->group; group && group->app == app && !is_fallback;
         group = group->parent)
        add_lists(&all, group->offers);
    *out = NULL;
    if (!all.lists[0] && !all.lists[1] && !all.lists[2])
        return 0;
    struct offers *copy = svc__arena_alloc(memory, sizeof *copy);
    if (!copy)
        return SVC_ENOMEM;
    *copy = all;
    *out = copy;
    return 0;
}
