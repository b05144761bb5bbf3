/* The environment of a test of exports, which begins without a variable of OpenTelemetry's. */
#ifndef TESTS_OTLP_ENVIRONMENT_H
#define TESTS_OTLP_ENVIRONMENT_H

#include <stdlib.h>

/* Sets variables: name, value, …, NULL. */
static inline void set_environment(const char *const *variables)
{
    for (; variables && *variables; variables += 2)
        setenv(variables[0], variables[1], 1);
}

#endif
