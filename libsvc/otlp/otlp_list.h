/* Lists of "key=value,…", as environment variables have them: percent-encoded, with white space
 * around keys and values that does not count. */
#ifndef SVC_OTLP_OTLP_LIST_H
#define SVC_OTLP_OTLP_LIST_H

struct otlp_list {
    char *rest; /* of the text, which is changed in place; NULL at its end */
    char *key, *value;
};

/* Reads the next pair. 1: `key`, which is not empty, and `value` are set; 0: the list has ended; or
 * SVC_ESYNTAX. Empty parts are skipped. A value may contain '='. */
int svc__otlp_list_next(struct otlp_list *list);

#endif
