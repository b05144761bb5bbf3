/* All settings as text, for people. Errors stay in `out`. */
#ifndef SVC_SETTINGS_SETTINGS_TEXT_H
#define SVC_SETTINGS_SETTINGS_TEXT_H

#include "libsvc/base/buf.h"
#include "libsvc/settings/settings.h"

/* Appends the README's table of the library's settings, a Markdown row each. */
void svc__settings_text_table(struct buf *out);

/*
 * Calls `visit` for each setting, the program's first, with the name of its variable, its value and
 * the value's origin as svc__settings_text_values shows them. Returns the first error of memory, or
 * 0.
 */
int svc__settings_text_visit(const struct settings *settings,
                             void (*visit)(void *arg, const char *name, const char *value,
                                           const char *origin),
                             void *arg);

/* Appends the description and range of each setting: the program's first, then the library's. */
void svc__settings_text_help(const struct settings *settings, struct buf *out);

/*
 * Appends the present value of each setting and its origin, a line each, in the form of an
 * environment file: `SVC_THREADS=4 # environment SVC_THREADS`. The value of a secret that is set is
 * `********`.
 */
void svc__settings_text_values(const struct settings *settings, struct buf *out);

#endif
