/* A summary of a CSV file in one pass, character by character, with one cell in memory. */
#include "summary.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

enum mode {
    PLAIN,
    QUOTED,
    QUOTE /* one within a quoted cell: the first of two, or the cell's end */
};

struct parser {
    struct summary *summary;
    const char *failure; /* the first one */
    enum mode mode;
    bool in_header;
    size_t column;       /* of the line, from 0 */
    char cell[MAX_CELL]; /* with room for a NUL */
    size_t len;
    bool cut; /* the cell is longer */
};

static void fail(struct parser *p, const char *failure)
{
    if (!p->failure)
        p->failure = failure;
}

static bool is_utf8(const char *text, size_t len)
{
    json_t *string = json_stringn(text, len);
    json_decref(string);
    return string;
}

static void take_name(struct parser *p)
{
    if (p->column >= MAX_COLUMNS)
        fail(p, "there are more than 64 columns");
    else if (p->cut)
        fail(p, "the name of a column has more than 63 bytes");
    else if (strlen(p->cell) < p->len || !is_utf8(p->cell, p->len))
        fail(p, "the names of columns are not UTF-8");
    else
        memcpy(p->summary->columns[p->column].name, p->cell, p->len + 1);
}

/* Accepts decimal digits only; strtod accepts other forms too. */
static bool read_number(const struct parser *p, double *number)
{
    char *end;
    if (p->cut || strspn(p->cell, "0123456789+-.eE") < p->len)
        return false;
    *number = strtod(p->cell, &end);
    return end == p->cell + p->len && isfinite(*number);
}

static void take_value(struct parser *p)
{
    struct column *column = &p->summary->columns[p->column];
    double number;
    if (p->column >= p->summary->column_count || !p->len)
        return;
    column->filled++;
    if (!read_number(p, &number))
        return;
    bool first = !column->numbers++;
    column->sum += number;
    column->min = first || number < column->min ? number : column->min;
    column->max = first || number > column->max ? number : column->max;
}

static void end_cell(struct parser *p)
{
    p->cell[p->len] = '\0';
    if (p->in_header)
        take_name(p);
    else
        take_value(p);
    p->column++;
    p->len = 0;
    p->cut = false;
}

static void end_line(struct parser *p)
{
    if (!p->column && !p->len) /* an empty line is no row */
        return;
    end_cell(p);
    if (p->in_header) {
        p->summary->column_count = p->column;
    } else {
        p->summary->rows++;
        p->summary->uneven += p->column != p->summary->column_count;
    }
    p->in_header = false;
    p->column = 0;
}

static void add(struct parser *p, char c)
{
    if (p->len < MAX_CELL - 1)
        p->cell[p->len++] = c;
    else
        p->cut = true;
}

static void take_plain(struct parser *p, char c)
{
    p->mode = PLAIN;
    if (c == ',')
        end_cell(p);
    else if (c == '\n')
        end_line(p);
    else if (c == '"' && !p->len)
        p->mode = QUOTED;
    else if (c != '\r')
        add(p, c);
}

static void take(struct parser *p, char c)
{
    if (p->mode == QUOTED && c == '"') {
        p->mode = QUOTE;
    } else if (p->mode == QUOTED || (p->mode == QUOTE && c == '"')) {
        p->mode = QUOTED;
        add(p, c);
    } else {
        take_plain(p, c);
    }
}

static void take_all(struct parser *p, int fd)
{
    char data[16384];
    ssize_t n;
    while (!p->failure && (n = read(fd, data, sizeof data))) {
        if (n < 0 && errno != EINTR)
            fail(p, "the file cannot be read");
        for (ssize_t i = 0; i < n && !p->failure; i++)
            take(p, data[i]);
    }
    if (p->mode == QUOTED)
        fail(p, "the file ends within quotes");
    if (!p->failure)
        end_line(p);
    if (p->in_header)
        fail(p, "there is no header");
}

const char *summarize(int fd, struct summary **summary)
{
    struct parser p = {.in_header = true};
    p.summary = calloc(1, sizeof *p.summary + MAX_COLUMNS * sizeof *p.summary->columns);
    if (!p.summary)
        return "out of memory";
    take_all(&p, fd);
    if (p.failure) {
        free(p.summary);
        return p.failure;
    }
    size_t used = sizeof *p.summary + p.summary->column_count * sizeof *p.summary->columns;
    struct summary *fitting = realloc(p.summary, used);
    *summary = fitting ? fitting : p.summary;
    return NULL;
}
