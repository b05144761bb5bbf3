/*
 * Files of environment variables, in an unambiguous dialect: a line is NAME=value, with or without
 * `export` before it, or empty, or a comment behind '#'.
 *
 * A value stands bare, where a blank and a '#' begin a comment; or in single quotes, where nothing
 * is special; or in double quotes, where \n, \r, \t, \", \\, \$ and \` are escapes. Nothing is
 * expanded. Lines that other readers of such files commonly take differently are refused: quotes
 * and backslashes in a bare value, blanks behind the name, other escapes, quotes over several
 * lines. So are control characters and invalid UTF-8.
 */
#ifndef SVC_BASE_ENV_FILE_H
#define SVC_BASE_ENV_FILE_H

#include "libsvc/base/buf.h"
#include "libsvc/base/bytes.h"

/* The position of a reader in a text; its members are private. One thread at a time. */
struct env_file {
    char *text;
    struct bytes rest;
    size_t line;
};

/* A line that is neither empty nor a comment. */
struct env_entry {
    size_t line;        /* from 1 on */
    struct bytes name;  /* letters, digits and '_', no digit first */
    struct bytes value; /* in the text, without quotes and escapes; no NUL behind it */
    const char *reason; /* why the line, then without both, is no assignment; else NULL. Static */
};

/* Begins to read `len` bytes at `text`, which are borrowed and modified: escapes are decoded in
 * place. */
void svc__env_file_init(struct env_file *file, char *text, size_t len);

/* Reads the next line that is neither empty nor a comment into `*out`. False at the end, and `*out`
 * is untouched. */
bool svc__env_file_next(struct env_file *file, struct env_entry *out);

/*
 * Appends a value so that a reader reads the same one, in quotes where it needs them. Only control
 * characters other than tab, CR and LF, and invalid UTF-8 cannot be written: each character, and
 * each bad sequence as svc__utf8_bad has it, becomes U+FFFD.
 */
void svc__env_file_quote(struct buf *out, struct bytes value);

#endif
