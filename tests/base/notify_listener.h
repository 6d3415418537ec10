/*
 * systemd's end of NOTIFY_SOCKET, in a directory of its own. What is told is read
 * without waiting: it is there once it has been sent.
 */
#ifndef TESTS_BASE_NOTIFY_LISTENER_H
#define TESTS_BASE_NOTIFY_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/* Listen, and set NOTIFY_SOCKET. Not 0: it could not. */
int notify_listener_open(void);
/* NOTIFY_SOCKET again, if somebody has taken it away. */
int notify_listener_announce(void);
void notify_listener_close(void);

/* False: nothing was told. *fd, if not NULL: the descriptor that came along, or
 * -1. */
bool notify_listener_read(char *text, size_t size, int *fd);

#endif
