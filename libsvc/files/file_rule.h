/* Patterns for the paths of files, and names with a hash in them. */
#ifndef SVC_FILES_FILE_RULE_H
#define SVC_FILES_FILE_RULE_H

#include <svc/files.h>

/* Whether a path matches a pattern. Any thread. */
bool svc__file_rule_matches(const char *pattern, const char *path);

/* Whether the name at the end of a path has a hash of a content, as svc_file_rule says. Any thread.
 */
bool svc__file_rule_hashed(const char *path);

/* The policy of the first rule of a list that applies; NULL: none. Any thread. */
const svc_cache_policy *svc__file_rule_find(const svc_file_rule *rules, const char *path);

#endif
