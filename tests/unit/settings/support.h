/* Settings of no app, with the memory and the errors that an app would lend them. */
#ifndef TESTS_UNIT_SETTINGS_SUPPORT_H
#define TESTS_UNIT_SETTINGS_SUPPORT_H

#include "libsvc/settings/settings.h"

struct owner {
    svc_config config;
    struct arena memory;
    struct faults faults;
    struct settings settings;
};

static inline void owner_open(struct owner *owner)
{
    svc__arena_init(&owner->memory, NULL, SIZE_MAX);
    svc__faults_init(&owner->faults);
    svc__settings_init(&owner->settings, &owner->config, &owner->memory, &owner->faults);
}

static inline void owner_close(struct owner *owner)
{
    svc__faults_free(&owner->faults);
    svc__arena_reset(&owner->memory);
}

#endif
