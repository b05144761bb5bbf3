/*
 * A service's own settings: a table describes each member of a struct. The library reads them from the
 * environment, checks them, and lists them in --help and --print-config like its own settings.
 * docs/configuration.md shows a program.
 *
 *     struct settings { const char *database; uint64_t max_notes; };
 *     static const svc_setting table[] = {
 *         SVC_SETTING_STRING(struct settings, database, NULL, "Where notes live", .required = true),
 *         SVC_SETTING_NUMBER(struct settings, max_notes, 10000, 1, 1000000, "", "Notes at most"),
 *         SVC_SETTING_END};
 */
#ifndef SVC_SETTING_H
#define SVC_SETTING_H

#include <svc/row.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* The kind of a setting, and the type of the member that it is written to. */
enum svc_setting_kind {
    SVC_SETTING_KIND_STRING = 0, /* const char *: any text */
    SVC_SETTING_KIND_NUMBER,     /* uint64_t: a whole number within a range */
    SVC_SETTING_KIND_FLAG,       /* int: on, true, yes or 1 is 1; off, false, no or 0 is 0 */
    SVC_SETTING_KIND_CHOICE      /* int: a word of a list, as its index in the list, from 0 */
};

/*
 * A row of a table. The macros below fill it, in C and C++; after the text they take further members:
 * `.secret = true`, `.required = true`.
 */
typedef struct svc_setting {
    size_t size; /* set by the macros */
    int kind;            /* enum svc_setting_kind */
    const char *name;    /* the member's: a lower-case letter, then those, digits and '_'; 60 at most */
    size_t offset;       /* in the struct */
    const char *string;  /* the default of a text; NULL: none, and the member is then NULL */
    uint64_t number;     /* the default of all others */
    uint64_t min, max;   /* of a number */
    const char *unit;    /* of a number, such as "ms"; "" for none */
    const char *choices; /* of a choice: different words with a space between each two */
    const char *text;    /* its description, for --help */
    bool secret;         /* its value and its default are never shown */
    bool required;       /* a value must be given, for a string not ""; there is no default */
} svc_setting;

/* Offset of a member; the compiler warns if its type does not match. */
#define SVC_SETTING_OFFSET(type, member, of)                                                       \
    (offsetof(type, member) + 0 * sizeof((of *)0 == &((type *)0)->member))

#define SVC_SETTING_STRING(type, member, value, ...)                                               \
    SVC__ROW(svc_setting, .size = sizeof(svc_setting), .kind = SVC_SETTING_KIND_STRING,            \
             .name = #member, .offset = SVC_SETTING_OFFSET(type, member, const char *),            \
             .string = (value), .text = __VA_ARGS__)

#define SVC_SETTING_NUMBER(type, member, value, lowest, highest, of, ...)                          \
    SVC__ROW(svc_setting, .size = sizeof(svc_setting), .kind = SVC_SETTING_KIND_NUMBER,            \
             .name = #member, .offset = SVC_SETTING_OFFSET(type, member, uint64_t),                \
             .number = (value), .min = (lowest), .max = (highest), .unit = (of),                   \
             .text = __VA_ARGS__)

#define SVC_SETTING_FLAG(type, member, value, ...)                                                 \
    SVC__ROW(svc_setting, .size = sizeof(svc_setting), .kind = SVC_SETTING_KIND_FLAG,              \
             .name = #member, .offset = SVC_SETTING_OFFSET(type, member, int), .number = (value),  \
             .text = __VA_ARGS__)

#define SVC_SETTING_CHOICE(type, member, value, words, ...)                                        \
    SVC__ROW(svc_setting, .size = sizeof(svc_setting), .kind = SVC_SETTING_KIND_CHOICE,            \
             .name = #member, .offset = SVC_SETTING_OFFSET(type, member, int), .number = (value),  \
             .choices = (words), .text = __VA_ARGS__)

#define SVC_SETTING_END SVC__ROW(svc_setting, .size = sizeof(svc_setting))

/*
 * Adds the settings of `table`, which ends with SVC_SETTING_END, and writes their defaults to `values`, the
 * struct that the table describes. svc_app_read_environment overwrites them with the environment's values,
 * as do svc_app_run and svc_app_main, before any start hook; if svc_app_read_environment has been called
 * before, this call does so at once. svc_app_start and svc_app_test check that every value is in its range
 * and that no required one is missing, and write nothing.
 *
 * The program may set a member too, between this call and the start. `table`, its strings and `values` are
 * borrowed until the app is freed; texts from the environment live as long as the app. A name that the
 * library or another table has is a mistake, and so is an invalid row: all mistakes are kept as set-up
 * errors, and no row of the table is taken. May be called for several tables. 0, SVC_EINVAL, SVC_ESTATE once
 * started, SVC_ENOMEM, or an error of svc_app_read_environment. Since: 0.1
 */
SVC_API int svc_app_add_settings(svc_app *app, const svc_setting *table, void *values);

SVC_END_DECLS

#endif
