/* What a report says of a CSV file: how many rows there are, and for each column what is in it. */
#ifndef REPORTS_SUMMARY_H
#define REPORTS_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

/* A file with more columns, or longer names, is refused: a summary has a largest size. */
enum { MAX_COLUMNS = 64, MAX_CELL = 64 };

struct column {
    char name[MAX_CELL];
    uint64_t filled;  /* cells that are not empty */
    uint64_t numbers; /* of those, the ones that are a number */
    double sum, min, max;
};

struct summary {
    uint64_t rows;   /* without the header */
    uint64_t uneven; /* of those, the ones with more or fewer cells than the header */
    size_t column_count;
    struct column columns[];
};

/*
 * Reads CSV (RFC 4180, with a header, in UTF-8) from a descriptor to its end, in pieces: the memory
 * it takes does not depend on the file. NULL with `*summary` set, which is the caller's to free();
 * or what is wrong, for people, in static memory. May block.
 */
const char *summarize(int fd, struct summary **summary);

#endif
