/* The settings of an app's log, and its sink from opening to end. */
#include "libsvc/log/logger.h"

#include "libsvc/log/log_format.h"

int svc__logger_init(struct logger *logger, const char *app)
{
    *logger = (struct logger){.app = app, .levels = {.fallback = LOG_NOTHING}};
    if (pthread_mutex_init(&logger->lock, NULL)) {
        logger->app = NULL;
        return SVC_ENOMEM;
    }
    svc__log_init(&logger->shared, logger);
    return 0;
}

void svc__logger_free(struct logger *logger)
{
    if (!logger->app)
        return; /* it was never made */
    svc__log_free(&logger->shared);
    pthread_mutex_destroy(&logger->lock);
}

void svc__logger_configure(struct logger *logger, const svc_config *config)
{
    struct bytes bad;
    const char *reason;
    logger->levels.fallback = config->log_level;
    svc__log_level_rules(&logger->levels, config->log_levels, &bad, &reason);
    logger->repeat_limit = config->log_repeat_per_s;
    logger->shared.repeat.limit = logger->repeat_limit;
    svc__log_level_raise(&logger->levels);
}

int svc__logger_open(struct logger *logger, const svc_config *config, int fd, size_t max_rings)
{
    enum svc_log_format format = svc__log_format_for((enum svc_log_format)config->log_format, fd);
    struct sink *sink = svc__sink_open(fd, (size_t)config->log_ring_bytes, max_rings,
                                       svc__log_format_report(format));
    if (!sink)
        return SVC_ESYSTEM;
    logger->format = format;
    logger->sink = sink;
    return 0;
}

int svc__logger_follow(struct logger *logger, const char *path)
{
    return svc__sink_follow(logger->sink, path, svc__log_format_reopen_failure(logger->format));
}

void svc__logger_close(struct logger *logger, unsigned flush_ms)
{
    svc__log_report_all(&logger->shared);
    svc__sink_close(logger->sink, flush_ms);
    logger->sink = NULL;
}
