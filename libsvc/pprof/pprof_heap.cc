// Samples of what the heap holds. This is C++, because tcmalloc offers them in no other language.
#include "libsvc/pprof/pprof_heap.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <gperftools/malloc_extension.h>
#include <svc/errors.h>

// MallocExtension::instance, which a program has only if it was linked with tcmalloc, or preloads
// it.
extern "C" MallocExtension *svc__pprof_heap_tcmalloc() __asm__("_ZN15MallocExtension8instanceEv")
    __attribute__((weak));

static const char first_word[] =
    "heap profile:"; // else the text is a warning that there are no samples

static int copy_samples(char **text, size_t *len)
{
    std::string samples;
    svc__pprof_heap_tcmalloc()->GetHeapSample(&samples);
    if (samples.compare(0, sizeof first_word - 1, first_word) != 0)
        return SVC_ENOTFOUND;
    char *copy = static_cast<char *>(malloc(samples.size()));
    if (!copy)
        return SVC_ENOMEM;
    memcpy(copy, samples.data(), samples.size());
    *text = copy;
    *len = samples.size();
    return 0;
}

int svc__pprof_heap_read(char **text, size_t *len)
{
    if (!svc__pprof_heap_tcmalloc)
        return SVC_ENOTFOUND;
    try {
        return copy_samples(text, len);
    } catch (...) {
        return SVC_ENOMEM;
    }
}
