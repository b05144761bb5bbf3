/* One setting, of the library or of a program: its value from text and as text, and its range. */
#ifndef SVC_SETTINGS_SETTING_H
#define SVC_SETTINGS_SETTING_H

#include <svc/setting.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"

enum {
    SETTING_NAME_MAX = 60,
    SETTING_PREFIX_MAX = 64,
    SETTING_VARIABLE_SIZE = SETTING_PREFIX_MAX + 1 + SETTING_NAME_MAX + 1
};

/* Why a row of a table cannot be a setting; NULL when it can. Static. */
const char *svc__setting_fault(const svc_setting *setting);

/* Writes the environment name: "SVC" and "max_body_bytes" make "SVC_MAX_BODY_BYTES". The prefix has
 * SETTING_PREFIX_MAX characters at most, and the setting no fault. */
void svc__setting_variable(char out[static SETTING_VARIABLE_SIZE], const svc_setting *setting,
                           const char *prefix);

/* Whether an environment variable names the setting with the prefix. */
bool svc__setting_named(const svc_setting *setting, const char *prefix, struct bytes variable);

/* Writes the default to the setting's member of `values`. */
void svc__setting_reset(const svc_setting *setting, void *values);

/* Copies the member of `from` to that of `to`; a text itself is not copied. */
void svc__setting_copy(const svc_setting *setting, const void *from, void *to);

/* Whether the member has the value of the default. */
bool svc__setting_is_default(const svc_setting *setting, const void *values);

/*
 * Reads a value into the member; a text is copied into `memory`. 0; or SVC_ESYNTAX for a text that
 * is not of the kind, SVC_ETOOBIG for a number out of range, or SVC_ENOMEM, and the member is as
 * before.
 */
int svc__setting_parse(const svc_setting *setting, struct bytes text, void *values,
                       struct arena *memory);

/* The text of a string setting's member, "" for NULL. Borrowed. */
const char *svc__setting_string(const svc_setting *setting, const void *values);

/* Whether the member's value is in the setting's range. */
bool svc__setting_in_range(const svc_setting *setting, const void *values);

/* Appends the value in the form in which it can be given, or as its number where it has no such
 * form. Secrets too. */
void svc__setting_value(const svc_setting *setting, const void *values, struct buf *out);

/* Appends the default, with the unit. Secrets too. */
void svc__setting_default(const svc_setting *setting, struct buf *out);

/* Appends the setting's range, such as "8 to 200", "on or off"; nothing for a text. */
void svc__setting_range(const svc_setting *setting, struct buf *out);

#endif
