/* The standard descriptors, for a process that was started without some of them. */
#ifndef SVC_BASE_STANDARD_H
#define SVC_BASE_STANDARD_H

/*
 * Occupies the closed ones of the descriptors 0 to 2. Otherwise a socket or file of the service
 * could get such a number, and programs and libraries would print to it or read from it. Reading 0
 * and writing 1 or 2 fails as before. 0 or SVC_ESYSTEM. Any thread, before anything is opened.
 */
int svc__standard_occupy(void);

#endif
