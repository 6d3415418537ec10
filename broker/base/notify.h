/*
 * Tell systemd how we are (sd_notify(3) over NOTIFY_SOCKET, written by hand: it
 * is one datagram). Without NOTIFY_SOCKET nothing happens.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/* state: "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". Returns 0 (also
 * when nobody listens) or a negative errno. */
int notify_send(const char *state);
/* The same with a descriptor, which the listener gets a copy of. */
int notify_send_fd(const char *state, int fd);
/* Half of WATCHDOG_USEC in milliseconds; 0 if no watchdog is set for us. */
uint64_t notify_watchdog_ms(void);

#endif
