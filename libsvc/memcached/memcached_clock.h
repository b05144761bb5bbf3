/* The clocks: one that is never set, for waits, and that of the calendar, which instances have in
 * common. */
#ifndef SVC_MEMCACHED_MEMCACHED_CLOCK_H
#define SVC_MEMCACHED_MEMCACHED_CLOCK_H

#include <stdint.h>

/* Milliseconds since some time in the past. Any thread. */
uint64_t svc__memcached_clock_ms(void);

/* Microseconds since 1970. Any thread. */
uint64_t svc__memcached_clock_wall_us(void);

/* A number from 0 to `most`, by chance. Any thread. */
uint64_t svc__memcached_clock_jitter(uint64_t most);

#endif
