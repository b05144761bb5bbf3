/* The version that the library was built as. */
#include <svc/version.h>

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *svc_version(void)
{
    return DOTTED(SVC_VERSION_MAJOR, SVC_VERSION_MINOR, SVC_VERSION_PATCH);
}
