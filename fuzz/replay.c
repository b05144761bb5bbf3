/*
 * Stands in for libFuzzer where the compiler has none: gives each file of the command line to the
 * target once, so that every input that ever mattered is an ordinary test.
 */
#include <stdio.h>

#include "fuzz/fuzz.h"

enum { MAX_INPUT = 1 << 20 };

/* Runs the target on a copy of exactly the file's size, so that reads past the end are seen. */
static bool replay(const char *path, char *buffer)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t len = fread(buffer, 1, MAX_INPUT, file);
    bool whole = !ferror(file) && len < MAX_INPUT;
    fclose(file);
    if (!whole)
        return false;
    char *input = fuzz_alloc(len);
    memcpy(input, buffer, len);
    LLVMFuzzerTestOneInput((const uint8_t *)input, len);
    free(input);
    return true;
}

int main(int argc, char **argv)
{
    char *buffer = fuzz_alloc(MAX_INPUT);
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i], buffer))
            continue;
        fprintf(stderr, "cannot read %s\n", argv[i]);
        failed = 1;
    }
    free(buffer);
    return failed;
}
