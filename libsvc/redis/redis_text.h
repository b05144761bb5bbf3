/*
 * The bytes of commands that wait to be sent, in Redis' protocol: an array of strings for each
 * command. hiredis' formatter is not used, since it wants each argument in one piece and allocates
 * for each command; a value is sent from where it stands, with its version behind it.
 */
#ifndef SVC_REDIS_REDIS_TEXT_H
#define SVC_REDIS_REDIS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_text {
    char *data;
    size_t len, sent, space;
    size_t ceiling; /* of `space` */
    bool failed;    /* it lacks something: no memory, or over the ceiling */
};

/* Begins a command of `count` arguments, its name included. */
void svc__redis_text_begin(struct redis_text *text, size_t count);

/* Appends an argument of the two parts; either may be empty. */
void svc__redis_text_parts(struct redis_text *text, const void *a, size_t a_len, const void *b,
                           size_t b_len);

/* Appends an argument. */
void svc__redis_text_bytes(struct redis_text *text, const void *data, size_t len);
void svc__redis_text_string(struct redis_text *text, const char *z);
void svc__redis_text_number(struct redis_text *text, uint64_t number);

/* Cuts what was appended since the text had that length, so that no command is sent by half. */
void svc__redis_text_cut(struct redis_text *text, size_t len);

/* Empties the text. Memory of more than a few pages is freed. */
void svc__redis_text_clear(struct redis_text *text);

/* Frees the memory. */
void svc__redis_text_free(struct redis_text *text);

/* Reads a number in decimal digits, at most `most`. False for anything else. */
bool svc__redis_text_to_number(const char *data, size_t len, uint64_t most, uint64_t *number);

#endif
