/* The task is held where it asks for a summary: the linker puts this function in between (--wrap).
 */
#include "test_support.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reports reports;
char folder[64];
svc_app *app;

static sem_t held, gone_on;
static _Atomic bool holds;
static _Atomic int made;

const char *__real_summarize(int fd, struct summary **summary);
const char *__wrap_summarize(int fd, struct summary **summary);

const char *__wrap_summarize(int fd, struct summary **summary)
{
    if (holds) {
        sem_post(&held);
        sem_wait(&gone_on);
    }
    const char *failure = __real_summarize(fd, summary);
    made++;
    return failure;
}

void make_app(void)
{
    snprintf(folder, sizeof folder, "/tmp/reports-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    sem_init(&held, 0, 0);
    sem_init(&gone_on, 0, 0);
    app = reports_new(&reports);
    reports.folder = folder;
}

void remove_folder(void)
{
    char path[512];
    const struct dirent *file;
    DIR *files = opendir(folder);
    while (files && (file = readdir(files))) {
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        unlink(path);
    }
    if (files)
        closedir(files);
    rmdir(folder);
}

void hold_task(void)
{
    holds = true;
}

void await_held(void)
{
    sem_wait(&held);
}

/* The one that is held has waited before it could see that it need not. */
void let_go(void)
{
    holds = false;
    sem_post(&gone_on);
}

int count_made(void)
{
    return made;
}

int count_files(const char *prefix)
{
    int count = 0;
    const struct dirent *file;
    DIR *files = opendir(folder);
    while (files && (file = readdir(files)))
        count += strcmp(file->d_name, ".") && strcmp(file->d_name, "..") &&
                 !strncmp(file->d_name, prefix, strlen(prefix));
    if (files)
        closedir(files);
    return count;
}

void write_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file))
        abort();
}
