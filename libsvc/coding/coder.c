/* Contexts are taken before new ones are made, and levels follow the load. */
#include "libsvc/coding/coder.h"

#include <svc/errors.h>

static int clamp(int level, const svc_sys_coding *coding)
{
    if (level < coding->level_least)
        return coding->level_least;
    return level > coding->level_most ? coding->level_most : level;
}

void svc__coder_init(struct coder *coder, const svc_sys_coding *coding, int level)
{
    coder->coding = coding;
    coder->level = level == 0 ? coding->level : clamp(level, coding);
    svc__context_pool_init(&coder->usual, coding->encoder_free);
    svc__context_pool_init(&coder->light, coding->encoder_free);
}

void svc__coder_free(struct coder *coder)
{
    svc__context_pool_free(&coder->usual);
    svc__context_pool_free(&coder->light);
}

int svc__coder_level(const struct coder *coder, unsigned load)
{
    int busy = coder->coding->level_busy;
    if (coder->level <= busy || load == 0)
        return coder->level;
    return load >= 100 ? busy : coder->level - (coder->level - busy) * (int)load / 100;
}

int svc__coder_take(struct coder *coder, const svc_sys_coding_aim *aim, void **encoder)
{
    const svc_sys_coding *coding = coder->coding;
    void *spare = svc__context_pool_take(aim->light ? &coder->light : &coder->usual);
    if (spare && coding->encoder_reset(spare, aim) == 0) {
        *encoder = spare;
        return 0;
    }
    if (spare)
        coding->encoder_free(spare);
    return coding->encoder_new(aim, encoder);
}

void svc__coder_give(struct coder *coder, bool light, void *encoder)
{
    svc__context_pool_give(light ? &coder->light : &coder->usual, encoder);
}
