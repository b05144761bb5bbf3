/* The constructor of the compression layer: checks the options, and finds the codings at the start.
 */
#include <svc/compress.h>

#include "libsvc/base/sized.h"
#include "libsvc/coding/compress.h"
#include "libsvc/coding/compressible.h"
#include "libsvc/proto/token.h"

enum { LEVEL_MOST = 22, BUSY_MS_MOST = 60000, CACHE_LEAST = 65536 };

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_compress_new: " __VA_ARGS__), SVC_EINVAL)

/* ---- Start and stop */

static void add_coder(struct compress_layer *layer, const svc_sys_coding *coding)
{
    if (coding->encode)
        svc__coder_init(&layer->coders[layer->coder_count++], coding, layer->options.level);
}

static int add_named(svc_app *app, struct compress_layer *layer)
{
    for (struct bytes rest = svc__bytes_z(layer->options.codings); rest.data;) {
        struct bytes name = svc__bytes_trim(svc__bytes_cut(&rest, ','));
        const svc_sys_coding *coding = svc__codings_find(app, name);
        if (!coding || !coding->encode)
            return WRONG(app, "the coding %.*s needs a library such as libsvc-compress",
                         (int)name.len, name.data);
        if (layer->coder_count == CODINGS_MAX)
            return WRONG(app, "at most %d codings can be named", CODINGS_MAX);
        add_coder(layer, coding);
    }
    return 0;
}

static int start_layer(svc_app *app, void *arg)
{
    struct compress_layer *layer = arg;
    layer->coder_count = 0;
    if (layer->options.codings)
        return add_named(app, layer);
    const svc_sys_coding *all[CODINGS_MAX];
    size_t count = svc__codings_list(app, all);
    for (size_t i = 0; i < count; i++)
        add_coder(layer, all[i]);
    return 0;
}

static void stop_layer(svc_app *app, void *arg)
{
    struct compress_layer *layer = arg;
    (void)app;
    for (size_t i = 0; i < layer->coder_count; i++)
        svc__coder_free(&layer->coders[i]);
    layer->coder_count = 0;
}

/* ---- The constructor */

static bool is_list_of_names(struct bytes list)
{
    do {
        if (!svc__token_valid(svc__bytes_trim(svc__bytes_cut(&list, ','))))
            return false;
    } while (list.data);
    return true;
}

static int check(svc_app *app, const svc_compress *options)
{
    if (options->codings && !is_list_of_names(svc__bytes_z(options->codings)))
        return WRONG(app, "codings are names with commas between them");
    if (options->types && !svc__compressible_list_valid(svc__bytes_z(options->types)))
        return WRONG(app, "types are media types with commas between them");
    if (options->level < 0 || options->level > LEVEL_MOST)
        return WRONG(app, "level is 0 to %d", LEVEL_MOST);
    if (options->busy_ms > BUSY_MS_MOST)
        return WRONG(app, "busy_ms is at most %d", BUSY_MS_MOST);
    if (options->cache_bytes > 0 && options->cache_bytes < CACHE_LEAST)
        return WRONG(app, "cache_bytes is 0, or %d or more", CACHE_LEAST);
    return 0;
}

static void free_cache(void *cache)
{
    svc__coded_cache_free(cache);
}

static int make_cache(svc_app *app, struct compress_layer *layer)
{
    if (layer->options.cache_bytes == 0)
        return 0;
    layer->cache = svc__coded_cache_new(layer->options.cache_bytes);
    if (!layer->cache)
        return SVC_ENOMEM;
    if (!svc__arena_defer(&app->memory, free_cache, layer->cache))
        return 0;
    svc__coded_cache_free(layer->cache);
    return SVC_ENOMEM;
}

static int keep_text(svc_app *app, const char **text)
{
    if (!*text)
        return 0;
    *text = svc__arena_strndup(&app->memory, *text, strlen(*text));
    return *text ? 0 : SVC_ENOMEM;
}

static struct compress_layer *make_layer(svc_app *app, const svc_compress *options)
{
    struct compress_layer *layer = svc__arena_zalloc(&app->memory, sizeof *layer);
    if (!layer)
        return NULL;
    layer->options = *options;
    if (keep_text(app, &layer->options.codings) || keep_text(app, &layer->options.types) ||
        make_cache(app, layer))
        return NULL;
    layer->types = svc__bytes_z(layer->options.types);
    svc__compress_prepare(layer);
    layer->middleware.start = start_layer;
    layer->middleware.stop = stop_layer;
    return layer;
}

const svc_middleware *svc_compress_new(svc_app *app, const svc_compress *options)
{
    svc_compress own = SVC_COMPRESS_INIT;
    if (svc__app_open(app, "svc_compress_new"))
        return NULL;
    if (options && SIZED_READ(&own, options, codings)) {
        (void)WRONG(app, "options need SVC_COMPRESS_INIT");
        return NULL;
    }
    if (check(app, &own))
        return NULL;
    struct compress_layer *layer = make_layer(app, &own);
    if (!layer) {
        svc__faults_add(&app->faults, NULL, 0, "svc_compress_new: %s", svc_error_text(SVC_ENOMEM));
        return NULL;
    }
    return &layer->middleware;
}
