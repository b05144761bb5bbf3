/* Texts and names of error codes, from the one list. */
#include <stddef.h>

#include <svc/errors.h>

const char *svc_error_text(int error)
{
#define CASE(name, value, text)                                                                    \
    case value:                                                                                    \
        return text;
    switch (error) {
        SVC_ERROR_LIST(CASE)
    default:
        return "unknown error";
    }
#undef CASE
}

const char *svc_error_name(int error)
{
#define CASE(name, value, text)                                                                    \
    case value:                                                                                    \
        return #name;
    switch (error) {
        SVC_ERROR_LIST(CASE)
    default:
        return NULL;
    }
#undef CASE
}
