/*
 * Replies that send files by sendfile. libmicrohttpd closes a file's descriptor itself, so each
 * response object has a duplicate. Replies of one loop that send the same part of a shared file at
 * the same time have one object, whose fields are replaced for each; libmicrohttpd copies them when
 * a response is queued. The server keeps descriptors back for the duplicates, so that they never
 * take one from a connection; a reply that gets none is read and sent without sendfile.
 *
 * For the loop's thread.
 */
#ifndef SVC_MHD_MHD_FILE_H
#define SVC_MHD_MHD_FILE_H

#include "libsvc/fronts/mhd/mhd.h"

struct file_replies;

/* Makes an empty table for a loop; NULL when out of memory. */
struct file_replies *svc__mhd_file_new(void);

/* Frees a table, which is empty. Accepts NULL. */
void svc__mhd_file_free(struct file_replies *files);

/*
 * The response object for the file of the connection's reply, without fields, until
 * svc__mhd_file_done: it is not destroyed by the caller. NULL when no descriptor is left for it, or
 * no memory.
 */
struct MHD_Response *svc__mhd_file_response(struct mhd_conn *conn);

/* Notes a field of that response, so that it can be replaced. False when out of memory. */
bool svc__mhd_file_note(struct mhd_conn *conn, struct bytes name, struct bytes value);

/* The connection's reply is over, or was not queued. */
void svc__mhd_file_done(struct mhd_conn *conn);

#endif
