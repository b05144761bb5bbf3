/* How many CPUs this process may really use, which in a container is less than the machine has. */
#ifndef SVC_SERVICE_CPUS_H
#define SVC_SERVICE_CPUS_H

#include <stddef.h>

/* The lesser of the scheduler's mask and the control group's quota, rounded up; at least 1. */
size_t svc__cpus_usable(void);

/* CPUs that the quota `quota` in each `period` (of the same unit) is worth, rounded up; 0 without a
 * quota (either is not positive). */
size_t svc__cpus_of_quota(long long quota, long long period);

#endif
