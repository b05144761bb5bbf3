/* The backend "memory": the memory store behind the table of svc/sys/store.h. */
#ifndef SVC_STORAGE_STORE_MEMORY_H
#define SVC_STORAGE_STORE_MEMORY_H

#include <svc/sys/store.h>

extern const svc_sys_store svc__store_memory;

#endif
