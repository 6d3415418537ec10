/*
 * Notices that a child hangs, as systemd does with its services: the child finds
 * NOTIFY_SOCKET and WATCHDOG_USEC in its environment (sd_notify(3)) and says
 * WATCHDOG=1 more often than that, out of its loop. It is expected to from its
 * first word on, however long it takes to start. What others than the child say is
 * not heard.
 *
 * Belongs to the thread of its loop.
 */
#ifndef PROGRAMS_WATCHDOG_H
#define PROGRAMS_WATCHDOG_H

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct watchdog;

/* silent is called when the child has said nothing for ms milliseconds, once.
 * Returns NULL with errno set. */
struct watchdog *watchdog_new(struct loop *loop, uint32_t ms,
			      void (*silent)(void *arg), void *arg);
/* NULL does nothing. */
void watchdog_free(struct watchdog *watchdog);

/* Our environment with what the child needs of it, for posix_spawn(); freed by
 * free(). NULL: out of memory. */
char **watchdog_environment(const struct watchdog *watchdog);

/* And what it is to find open: what the last child had us keep (fd_keeper.h).
 * Returns 0 or a negative errno. */
int watchdog_hand_over(const struct watchdog *watchdog,
		       posix_spawn_file_actions_t *actions);

/* This child has been started; 0: it has ended. */
void watchdog_of(struct watchdog *watchdog, pid_t pid);

#endif
