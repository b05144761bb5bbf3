/* Shared by the tests of the service: a folder for each test, and a task that can be held. */
#ifndef REPORTS_TEST_SUPPORT_H
#define REPORTS_TEST_SUPPORT_H

#include "reports.h"

/* The service of the test, in a new, empty folder. */
extern struct reports reports;
extern char folder[64];
extern svc_app *app;

void make_app(void);

/* Removes the folder and its files. */
void remove_folder(void);

/* From now on the task waits before each report, until it is released. */
void hold_task(void);

/* Returns when the task has taken a report and is held. */
void await_held(void);

void let_go(void);

/* Reports that the task has made. */
int count_made(void);

/* Files in the folder whose names begin with `prefix`; "" is all. */
int count_files(const char *prefix);

void write_file(const char *name, const char *text);

#endif
