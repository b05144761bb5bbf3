/* The standard descriptors of a process that was started without some of them. */
#ifndef SVC_BASE_STANDARD_H
#define SVC_BASE_STANDARD_H

/*
 * Occupies those of the descriptors 0 to 2 that are closed, so that no socket or file of the
 * service gets such a number, and with it what programs and libraries print or read. Reading 0 and
 * writing 1 or 2 fails as before. 0 or SVC_ESYSTEM. Any thread, before anything is opened.
 */
int svc__standard_occupy(void);

#endif
