/* The summary of a CSV file: the number of its rows, and figures of each column. */
#ifndef REPORTS_SUMMARY_H
#define REPORTS_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

/* A file with more columns, or longer names, is refused: a summary has a largest size. */
enum { MAX_COLUMNS = 64, MAX_CELL = 64 };

struct column {
    char name[MAX_CELL];
    uint64_t filled;  /* cells that are not empty */
    uint64_t numbers; /* of the filled cells, those with a number */
    double sum, min, max;
};

struct summary {
    uint64_t rows;   /* without the header */
    uint64_t uneven; /* of the rows, those with more or fewer cells than the header */
    size_t column_count;
    struct column columns[];
};

/*
 * Reads CSV (RFC 4180, with a header, in UTF-8) from a descriptor to its end, in pieces: its memory
 * does not depend on the size of the file. Returns NULL and sets `*summary`, which the caller frees
 * by free(); or returns the reason of the failure, a static text for people. May block.
 */
const char *summarize(int fd, struct summary **summary);

#endif
