/* Tags that are hashes of files' contents. */
#include "libsvc/files/file_tag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc/pending.h>

#include "libsvc/base/sha256.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/files/file_answer.h"
#include "libsvc/proto/etag.h"
#include "libsvc/run/workers.h"

enum { PIECE = 65536 };

/* A request that waits for the tag of its file. */
struct tag_wait {
    struct tag_job job; /* first */
    struct work work;
    svc_pending *pending;
    const struct folder *folder;
    struct chosen_file chosen;
};

int svc__file_tag_read(int fd, char tag[static FILE_TAG_SIZE], uint64_t *size)
{
    struct sha256 hash;
    unsigned char bytes[SHA256_BYTES];
    char *piece = malloc(PIECE);
    off_t at = 0;
    ssize_t n = piece ? 1 : -1;
    svc__sha256_init(&hash);
    while (n > 0 && (n = pread(fd, piece, PIECE, at)) > 0) {
        svc__sha256_update(&hash, piece, (size_t)n);
        at += n;
    }
    free(piece);
    if (n < 0)
        return SVC_ESYSTEM;
    svc__sha256_final(&hash, bytes);
    svc__etag_write_hash(tag, bytes); /* 128 of its bits */
    tag[ETAG_HASH_TEXT] = '\0';
    *size = (uint64_t)at;
    return 0;
}

/* Answers one of the requests that have waited. NULL for `tag`: there is no worker. */
static void end_wait(struct tag_wait *wait, const char *tag)
{
    svc_response *res = svc_response_new();
    svc_request *req = svc_pending_request(wait->pending);
    int error = res ? 0 : SVC_ENOMEM;
    if (!error && tag)
        error = svc__file_answer(req, res, wait->folder, &wait->chosen, tag);
    else
        svc__open_files_unref(wait->chosen.file);
    if (!error && !tag)
        error = svc__file_answer_busy(res);
    svc__file_answer_end(wait->pending, res, error);
    free(wait);
}

static void end_waits(struct tag_job *jobs, const char *tag)
{
    while (jobs) {
        struct tag_wait *wait = (struct tag_wait *)(void *)jobs;
        jobs = jobs->next;
        end_wait(wait, tag);
    }
}

/* A content that changed while it was read has no tag; one that may have changed within the same
 * tick has one, which is not kept. */
static void read_tag(struct work *work, void *worker)
{
    struct tag_wait *own =
        (struct tag_wait *)(void *)((char *)work - offsetof(struct tag_wait, work));
    struct open_file *file = own->chosen.file;
    char tag[FILE_TAG_SIZE] = "";
    uint64_t size = 0;
    bool known = worker && !svc__file_tag_read(file->shared.fd, tag, &size) &&
                 size == file->version.size && svc__open_files_unchanged(file);
    if (!known)
        tag[0] = '\0';
    end_waits(svc__open_files_tagged(file, tag, known && !svc__open_files_fresh(file)),
              worker ? tag : NULL);
}

static struct tag_wait *make_wait(svc_request *req, const struct folder *folder,
                                  const struct chosen_file *chosen)
{
    struct tag_wait *wait = malloc(sizeof *wait);
    if (!wait)
        return NULL;
    *wait = (struct tag_wait){.work.run = read_tag, .folder = folder, .chosen = *chosen};
    wait->pending = svc_request_defer(req, NULL, NULL);
    if (wait->pending)
        return wait;
    free(wait);
    return NULL;
}

int svc__file_tag_answer(svc_request *req, svc_response *res, const struct folder *folder,
                         const struct chosen_file *chosen)
{
    bool first = false;
    struct tag_wait *wait;
    if (svc__open_files_tag(chosen->file))
        return svc__file_answer(req, res, folder, chosen, svc__open_files_tag(chosen->file));
    wait = make_wait(req, folder, chosen);
    if (!wait) {
        svc__open_files_unref(chosen->file);
        return SVC_ENOMEM;
    }
    if (svc__open_files_ask_tag(chosen->file, &wait->job, &first))
        end_wait(wait, svc__open_files_tag(chosen->file));
    else if (first && svc__workers_submit(req->plan->workers, &wait->work))
        read_tag(&wait->work, NULL);
    return 0;
}
