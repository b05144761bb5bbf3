/* An app that logs nothing, for tests of what it answers. */
#ifndef TESTS_SUPPORT_QUIET_APP_H
#define TESTS_SUPPORT_QUIET_APP_H

#include <svc/app.h>
#include <svc/config.h>

/* The settings of such an app, to which a test may add its own. */
static inline svc_config quiet_app_config(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_output = "/dev/null";
    config.worker_queue_ms = 600000; /* a busy machine refuses no request */
    return config;
}

/* Makes one; NULL when out of memory. The caller owns it. */
static inline svc_app *quiet_app_new(const char *name)
{
    const svc_config config = quiet_app_config();
    svc_app *app = svc_app_new(name);
    svc_app_configure(app, &config);
    return app;
}

#endif
