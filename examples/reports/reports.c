/*
 * The reports service over HTTP: clients upload CSV files, and get a report on each.
 *
 *     POST /uploads             a CSV file    201 with Location, 200 when it is known
 *     GET  /uploads/{id}                      the file
 *     GET  /reports/{id}                      200 with the report, 202 before it is made
 *     GET  /reports/{id}/wait                 the report once it is made, 504 at the deadline
 *     GET  /export                            all reports, as CSV
 *
 * Each kind of work waits in the way that suits it. A worker writes an upload, because files block.
 * A background task makes the reports, one at a time; handlers pass uploads to it by a queue, and
 * if the queue is full, further uploads are refused (503). A client that waits for a report takes
 * no thread: the task gives the answer. A worker writes the export, as fast as its client reads.
 */
#define SVC_LOG_MODULE "reports"
#include "reports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_UPLOAD ((uint64_t)1 << 40)

enum { UPLOAD_MS = 600000 /* for a whole upload, however slow its client is */ };

/* ---- Uploads */

static void count_upload(const svc_request *req, enum upload_result result)
{
    const struct reports *reports = svc_request_arg(req);
    svc_counter_add(reports->metrics.uploads[result], 1);
}

static int refuse_size(const svc_request *req, svc_response *res)
{
    count_upload(req, UPLOAD_TOO_LARGE);
    return svc_response_problem(res, 413, "the file is larger than this service takes");
}

/* The queue is full: the client may try again later. */
static int refuse_for_now(svc_response *res)
{
    svc_response_set_header(res, "Retry-After", "5");
    return svc_response_problem(res, 503, "too many reports wait to be made");
}

static int answer_upload(svc_request *req, svc_response *res, const char *id, int status)
{
    char location[256];
    snprintf(location, sizeof location, "%.150s/reports/%s", svc_request_mount(req), id);
    svc_json_writer *w = svc_response_json_begin(res, status);
    svc_json_open_object(w, NULL);
    svc_json_put_text(w, "id", id);
    svc_json_put_text(w, "report", location);
    svc_json_close(w);
    int error = svc_response_json_end(w);
    return error ? error : svc_response_set_header(res, "Location", location);
}

static int answer_result(svc_request *req, svc_response *res, const char *id,
                         enum board_result result)
{
    static const enum upload_result counted[] = {[BOARD_OK] = UPLOAD_CREATED,
                                                 [BOARD_KNOWN] = UPLOAD_KNOWN,
                                                 [BOARD_FULL] = UPLOAD_FULL,
                                                 [BOARD_BUSY] = UPLOAD_BUSY,
                                                 [BOARD_NO_MEMORY] = UPLOAD_FAILED};
    count_upload(req, counted[result]);
    switch (result) {
    case BOARD_OK:
        return answer_upload(req, res, id, 201);
    case BOARD_KNOWN:
        return answer_upload(req, res, id, 200);
    case BOARD_FULL: /* RFC 4918 11.5: the client cannot change its request to succeed */
        return svc_response_problem(res, 507, "the service has as many reports as it takes");
    case BOARD_BUSY:
        return refuse_for_now(res);
    case BOARD_NO_MEMORY:
        break;
    }
    return SVC_ENOMEM;
}

/*
 * Gives the upload its name, and has its report made. The file comes first, as the task may want it
 * at once; so it has to go again where there is no place for the report. Both in one step for all
 * who upload: one that is refused must not remove the same file of another that was taken
 * meanwhile. This lock is held over calls that block, and so is for workers alone.
 */
static int keep_upload(struct reports *reports, struct upload *upload, const char *id,
                       enum board_result *result)
{
    pthread_mutex_lock(&reports->keeping);
    int error = upload_keep(upload, id);
    if (!error) {
        *result = board_add(reports->board, id);
        if (*result && *result != BOARD_KNOWN)
            upload_remove(reports->directory, id);
    }
    pthread_mutex_unlock(&reports->keeping);
    return error;
}

static int fail_upload(svc_request *req, const struct upload *upload)
{
    count_upload(req, UPLOAD_FAILED);
    svc_log_error(req, "upload cannot be written", svc_kv_str("reason", strerror(errno)),
                  svc_kv_uint("bytes", upload->bytes));
    return SVC_ESYSTEM;
}

/* Writes the body as it comes, so that a slow disk slows the client down. 0, or a negative code. */
static int receive(svc_request *req, struct upload *upload, uint64_t max_bytes)
{
    char data[16384];
    int64_t n;
    while ((n = svc_request_read(req, data, sizeof data)) > 0) {
        if ((uint64_t)n > max_bytes - upload->bytes)
            return SVC_ETOOBIG;
        if (upload_write(upload, data, (size_t)n))
            return fail_upload(req, upload);
    }
    if (n < 0 && n != SVC_ETOOBIG) /* which refuse_size counts */
        count_upload(req, UPLOAD_BROKEN);
    return (int)n;
}

/* An error of svc_request_read shows how the request ended: the handler returns it, and the library
 * gives the right answer. */
static int receive_whole(svc_request *req, svc_response *res, struct upload *upload, char *id)
{
    const struct reports *reports = svc_request_arg(req);
    int error = receive(req, upload, reports->max_upload_bytes);
    if (!error && upload_finish(upload, id))
        error = fail_upload(req, upload);
    return error == SVC_ETOOBIG ? refuse_size(req, res) : error;
}

static int create(svc_request *req, svc_response *res)
{
    struct reports *reports = svc_request_arg(req);
    struct upload upload;
    enum board_result result;
    char id[ID_SIZE] = "";
    uint64_t length = svc_request_length(req);
    if (length != SVC_LENGTH_UNKNOWN && length > reports->max_upload_bytes)
        return refuse_size(req, res);
    if (upload_begin(&upload, reports->directory))
        return fail_upload(req, &upload);
    int error = receive_whole(req, res, &upload, id);
    if (error || !*id) {
        upload_drop(&upload);
        return error;
    }
    if (keep_upload(reports, &upload, id, &result))
        return fail_upload(req, &upload);
    svc_log_info(req, "upload received", svc_kv_str("upload", id),
                 svc_kv_uint("bytes", upload.bytes), svc_kv_int("result", result));
    return answer_result(req, res, id, result);
}

/* ---- Reports */

/* The id in the path. For any other text: answers, and returns NULL. */
static const char *read_id(svc_request *req, svc_response *res)
{
    const char *id = svc_request_param(req, "id");
    if (id_is_valid(id))
        return id;
    svc_response_problem(res, 404, "there is no such upload");
    return NULL;
}

/* The sum of a client's numbers may be infinite, which JSON cannot express. */
static void put_number(svc_json_writer *w, const char *key, double number)
{
    if (isfinite(number))
        svc_json_put_double(w, key, number);
    else
        svc_json_put_null(w, key);
}

static void write_column(svc_json_writer *w, const struct column *column)
{
    svc_json_open_object(w, NULL);
    svc_json_put_text(w, "name", column->name);
    svc_json_put_u64(w, "filled", column->filled);
    svc_json_put_u64(w, "numbers", column->numbers);
    if (column->numbers) {
        put_number(w, "sum", column->sum);
        put_number(w, "min", column->min);
        put_number(w, "max", column->max);
    }
    svc_json_close(w);
}

static void write_summary(svc_json_writer *w, const struct summary *summary)
{
    svc_json_put_u64(w, "rows", summary->rows);
    svc_json_put_u64(w, "uneven", summary->uneven);
    svc_json_open_array(w, "columns");
    for (size_t i = 0; i < summary->column_count; i++)
        write_column(w, &summary->columns[i]);
    svc_json_close(w);
}

/* Used by the task and by handlers: it needs no request. */
static int answer_report(svc_response *res, const struct report *report)
{
    svc_json_writer *w = svc_response_json_begin(res, report->made ? 200 : 202);
    svc_json_open_object(w, NULL);
    svc_json_put_text(w, "id", report->id);
    svc_json_put_text(w, "state", !report->made ? "waiting" : report->failure ? "failed" : "ready");
    if (report->failure)
        svc_json_put_text(w, "reason", report->failure);
    if (report->summary)
        write_summary(w, report->summary);
    svc_json_close(w);
    int error = svc_response_json_end(w);
    return error || report->made ? error : svc_response_set_header(res, "Retry-After", "1");
}

static int show(svc_request *req, svc_response *res)
{
    const struct reports *reports = svc_request_arg(req);
    const char *id = read_id(req, res);
    struct report report;
    if (!id)
        return 0;
    if (!board_find(reports->board, id, &report))
        return svc_response_problem(res, 404, "there is no such upload");
    return answer_report(res, &report);
}

/* The client has left, or its deadline has passed: the report is made nevertheless. The thread that
 * takes the waiter off the board, this one or the task's, gives the reference back. */
static void stop_waiting(svc_pending *pending, void *arg)
{
    svc_request *req = svc_pending_request(pending);
    const struct reports *reports = svc_request_arg(req);
    if (board_leave(reports->board, svc_request_param(req, "id"), arg))
        svc_pending_unref(pending);
}

/* Answers a client that waits, on any thread. The waiter's memory is freed with its request. */
static void answer_waiter(const struct report *report, const struct waiter *waiter)
{
    svc_pending *pending = waiter->pending;
    svc_response *res = svc_response_new();
    if (res)
        answer_report(res, report); /* a response without an answer is a 500 */
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int wait_for_report(svc_request *req, svc_response *res)
{
    const struct reports *reports = svc_request_arg(req);
    const char *id = read_id(req, res);
    struct report report;
    if (!id || !board_find(reports->board, id, &report) || report.made)
        return id ? show(req, res) : 0;
    struct waiter *waiter = svc_request_alloc(req, sizeof *waiter);
    svc_pending *pending = waiter ? svc_request_defer(req, stop_waiting, waiter) : NULL;
    if (!pending)
        return SVC_ENOMEM;
    *waiter = (struct waiter){.pending = pending};
    if (board_wait(reports->board, id, waiter))
        return 0; /* the task will answer */
    if (board_find(reports->board, id, &report))
        answer_waiter(&report, waiter); /* the report was made just now */
    return 0;
}

/* ---- The task */

/* Reads an upload: its summary, or the reason why there is none. */
static const char *read_upload(const struct reports *reports, const char *id,
                               struct summary **summary)
{
    char name[NAME_SIZE];
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    id_to_name(id, name);
    int fd = openat(reports->directory, name, O_RDONLY | O_CLOEXEC);
    const char *failure = fd < 0 ? "the file cannot be opened" : summarize(fd, summary);
    if (fd >= 0)
        close(fd);
    clock_gettime(CLOCK_MONOTONIC, &end);
    svc_histogram_observe(reports->metrics.making, (double)(end.tv_sec - begin.tv_sec) +
                                                       (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    svc_counter_add(failure ? reports->metrics.failed : reports->metrics.ready, 1);
    return failure;
}

static void make_report(const struct reports *reports, const char *id)
{
    struct summary *summary = NULL;
    struct report report;
    const char *failure = read_upload(reports, id, &summary);
    struct waiter *next, *waiters = board_put(reports->board, id, summary, failure);
    if (!board_find(reports->board, id, &report))
        return;
    for (struct waiter *waiter = waiters; waiter; waiter = next) {
        next = waiter->next;
        answer_waiter(&report, waiter);
    }
}

/* Makes the reports of uploads from before this process; after a stop the next process does the
 * rest. */
static void make_old_reports(svc_task_context *context, const struct reports *reports)
{
    struct report report;
    bool more = board_next(reports->board, NULL, &report);
    while (more && report.old && !svc_task_stopping(context)) {
        make_report(reports, report.id);
        more = board_next(reports->board, report.id, &report);
    }
}

/* Until the queue is closed and empty: every client that was answered 201 gets a report. */
static int make_reports(svc_task_context *context, void *arg)
{
    const struct reports *reports = arg;
    char id[ID_SIZE];
    int error;
    make_old_reports(context, reports);
    while (!(error = board_take(reports->board, id)))
        make_report(reports, id);
    svc_app_log_info(svc_task_app(context), "all reports are made");
    return error;
}

static void close_board(void *arg)
{
    const struct reports *reports = arg;
    board_close(reports->board);
}

/* ---- Files */

static int download(svc_request *req, svc_response *res)
{
    const struct reports *reports = svc_request_arg(req);
    const char *id = read_id(req, res);
    char name[NAME_SIZE];
    if (!id)
        return 0;
    id_to_name(id, name);
    int error = svc_response_file(res, 200, "text/csv", reports->folder, name);
    if (error || svc_response_status(res) != 200)
        return error;
    return svc_response_set_etag(res, id, false); /* the conditional layer makes a 304 of it */
}

/* Writes a name within quotes, and doubles the quotes in it. */
static void quote(char text[2 * MAX_CELL + 2], const char *name)
{
    size_t len = 0;
    text[len++] = '"';
    for (; *name; name++) {
        if (*name == '"')
            text[len++] = '"';
        text[len++] = *name;
    }
    text[len++] = '"';
    text[len] = '\0';
}

static int export_column(svc_pipe *pipe, const char *id, const struct column *column)
{
    char name[2 * MAX_CELL + 2], line[ID_SIZE + sizeof name + 160];
    quote(name, column->name);
    int len = snprintf(line, sizeof line, "%s,%s,%" PRIu64 ",%" PRIu64, id, name, column->filled,
                       column->numbers);
    if (column->numbers)
        len += snprintf(line + len, sizeof line - (size_t)len, ",%.17g,%.17g,%.17g\n", column->sum,
                        column->min, column->max);
    else
        len += snprintf(line + len, sizeof line - (size_t)len, ",,,\n");
    return svc_pipe_write(pipe, line, (size_t)len);
}

/* Runs on a worker: it waits while the client reads slowly, and has one line in memory at a time.
 */
static int write_export(svc_pipe *pipe, void *arg)
{
    static const char header[] = "report,column,filled,numbers,sum,min,max\n";
    const struct reports *reports = arg;
    struct report report;
    int error = svc_pipe_write(pipe, header, sizeof header - 1);
    bool more = board_next(reports->board, NULL, &report);
    while (more && !error) {
        size_t columns = report.summary ? report.summary->column_count : 0;
        for (size_t i = 0; i < columns && !error; i++)
            error = export_column(pipe, report.id, &report.summary->columns[i]);
        more = board_next(reports->board, report.id, &report);
    }
    return error;
}

static int export_all(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "text/csv", write_export, svc_request_arg(req));
}

/* ---- The service */

/* Adds a whole upload to the board, and removes a broken one. */
static void take_file(svc_app *app, const struct reports *reports, const char *name)
{
    char id[ID_SIZE];
    if (upload_is_broken(name))
        unlinkat(reports->directory, name, 0);
    else if (name_to_id(name, id) && board_add_old(reports->board, id))
        svc_app_log_warn(app, "upload has no place", svc_kv_str("upload", id));
}

static int take_files(svc_app *app, const struct reports *reports)
{
    int fd = openat(reports->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *file;
    if (!files) {
        if (fd >= 0)
            close(fd);
        return SVC_ESYSTEM;
    }
    while ((file = readdir(files)))
        take_file(app, reports, file->d_name);
    closedir(files);
    return 0;
}

/* Opens and locks the folder: two processes would remove each other's unfinished uploads. */
static int open_folder(const char *path)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void close_reports(svc_app *app, void *arg)
{
    struct reports *reports = arg;
    (void)app;
    board_free(reports->board);
    close(reports->directory);
    pthread_mutex_destroy(&reports->keeping);
}

static int open_reports(svc_app *app, void *arg)
{
    struct reports *reports = arg;
    reports->directory = open_folder(reports->folder);
    if (reports->directory < 0) {
        svc_app_log_error(app, "folder cannot be had", svc_kv_str("folder", reports->folder),
                          svc_kv_str("reason", strerror(errno)));
        return SVC_ESYSTEM;
    }
    pthread_mutex_init(&reports->keeping, NULL);
    reports->board = board_new((size_t)reports->max_reports, (size_t)reports->queue_length);
    int error = reports->board ? take_files(app, reports) : SVC_ENOMEM;
    if (error)
        close_reports(app, reports);
    return error;
}

/* The board exists whenever this is asked: from the start hooks to the stop hooks. */
static double count_waiting(void *arg)
{
    const struct reports *reports = arg;
    return (double)board_waiting(reports->board);
}

static int check_folder(void *arg)
{
    const struct reports *reports = arg;
    return access(reports->folder, R_OK | W_OK | X_OK);
}

static void add_routes(svc_app *app, struct reports *reports)
{
    svc_route uploads = SVC_ROUTE_INIT;
    uploads.pattern = "POST /uploads";
    uploads.handler = create;
    uploads.arg = reports;
    uploads.flags = SVC_STREAM_BODY | SVC_BLOCKING;
    uploads.max_body = LARGEST_UPLOAD; /* the handler checks the setting, which is read later */
    uploads.timeout_ms = UPLOAD_MS;
    svc_app_route(app, &uploads);
    svc_app_get(app, "/uploads/{id}", download, reports);
    svc_app_get(app, "/reports/{id}", show, reports);
    svc_app_get(app, "/reports/{id}/wait", wait_for_report, reports);
    svc_app_get(app, "/export", export_all, reports);
}

static void add_task(svc_app *app, struct reports *reports)
{
    svc_task task = SVC_TASK_INIT;
    task.name = "reporter";
    task.run = make_reports;
    task.stop = close_board;
    task.arg = reports;
    svc_app_add_task(app, &task);
}

svc_app *reports_new(struct reports *reports)
{
    static const svc_setting settings[] = {
        SVC_SETTING_STRING(struct reports, folder, "uploads",
                           "Folder of the uploads; it is made if it does not exist"),
        SVC_SETTING_NUMBER(struct reports, max_upload_bytes, 1 << 30, 1, LARGEST_UPLOAD, "bytes",
                           "Size of an upload; 413"),
        SVC_SETTING_NUMBER(struct reports, max_reports, 10000, 1, 1000000, "",
                           "Uploads at most; 507"),
        SVC_SETTING_NUMBER(struct reports, queue_length, 100, 1, 100000, "",
                           "Reports that wait to be made; more uploads are refused, 503"),
        SVC_SETTING_END};
    svc_app *app = svc_app_new("reports");
    if (!app)
        return NULL;
    svc_app_describe(app, "Takes CSV files, and reports on what is in them.");
    svc_app_add_settings(app, settings, reports);
    svc_app_use(app, svc_conditional_new(app, NULL));
    metrics_register(&reports->metrics, app, count_waiting, reports);
    add_routes(app, reports);
    add_task(app, reports);
    svc_app_add_check(app, "folder", check_folder, reports);
    svc_app_add_hook(app, open_reports, close_reports, reports);
    return app;
}
