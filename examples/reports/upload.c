/* Uploads are written under a temporary name and renamed: readers see the whole file or none. */
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ".part-"

bool id_is_valid(const char *text)
{
    return strspn(text, "0123456789abcdef") == ID_SIZE - 1 && !text[ID_SIZE - 1];
}

void id_to_name(const char *id, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%.*s.csv", ID_SIZE - 1, id);
}

bool name_to_id(const char *name, char id[ID_SIZE])
{
    if (strlen(name) != NAME_SIZE - 1 || strcmp(name + ID_SIZE - 1, ".csv") != 0)
        return false;
    memcpy(id, name, ID_SIZE - 1);
    id[ID_SIZE - 1] = '\0';
    return id_is_valid(id);
}

bool upload_is_broken(const char *name)
{
    return !strncmp(name, PART, strlen(PART));
}

/* Only one process uses the folder, so a number for each upload makes its name unique. */
int upload_begin(struct upload *upload, int folder)
{
    static _Atomic unsigned long last;
    upload->folder = folder;
    upload->bytes = 0;
    sha256_init(&upload->hash);
    snprintf(upload->name, sizeof upload->name, PART "%lu", ++last);
    upload->fd = openat(folder, upload->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return upload->fd < 0 ? -1 : 0;
}

int upload_write(struct upload *upload, const void *data, size_t len)
{
    const char *at = data;
    sha256_add(&upload->hash, data, len);
    upload->bytes += len;
    while (len) {
        ssize_t n = write(upload->fd, at, len);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

int upload_finish(struct upload *upload, char id[ID_SIZE])
{
    sha256_text(&upload->hash, id);
    return fdatasync(upload->fd);
}

int upload_keep(struct upload *upload, const char *id)
{
    char name[NAME_SIZE];
    id_to_name(id, name);
    if (renameat(upload->folder, upload->name, upload->folder, name)) {
        upload_drop(upload);
        return -1;
    }
    close(upload->fd);
    return 0;
}

void upload_drop(struct upload *upload)
{
    unlinkat(upload->folder, upload->name, 0);
    close(upload->fd);
}

void upload_remove(int folder, const char *id)
{
    char name[NAME_SIZE];
    id_to_name(id, name);
    unlinkat(folder, name, 0);
}
