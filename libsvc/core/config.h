/* Settings: from a struct and the environment into the app, and their check as a whole. */
#ifndef SVC_CORE_CONFIG_H
#define SVC_CORE_CONFIG_H

#include <svc/config.h>

#include "libsvc/base/buf.h"

/* Checks every setting of the app and keeps an error for each that is out of its range or does not
 * parse. 0 or SVC_ECONFIG. */
int svc__config_check(svc_app *app);

/* Writes the README's table of all settings, a Markdown row each. Errors stay in `out`. */
void svc__config_table(struct buf *out);

#endif
