/*
 * Descriptors that outlive us: systemd keeps copies of them for a service
 * (FileDescriptorStoreMax=) and hands them to it when it starts again
 * (sd_pid_notify_with_fds(3), sd_listen_fds_with_names(3), written by hand).
 * Without NOTIFY_SOCKET nothing is kept. A parent of ours that does the same
 * names itself, as LISTEN_PPID, where systemd names us.
 *
 * A name is of printable ASCII without ':', and at most FDSTORE_NAME_MAX bytes.
 */
#ifndef BASE_FDSTORE_H
#define BASE_FDSTORE_H

#include <stdbool.h>

/* systemd's own limit. */
#define FDSTORE_NAME_MAX 255u

/* Descriptors that are taken at start; more are closed. */
#define FDSTORE_MAX 128u

bool fdstore_name_valid(const char *name);

/* Have a copy of fd kept under this name. Returns 0 (also when nobody listens),
 * -EINVAL (no name) or another negative errno. */
int fdstore_keep(const char *name, int fd);
/* Those of this name are not kept any longer. */
int fdstore_drop(const char *name);

/*
 * Call take for each that was kept for us, which then owns it: fd is not
 * inherited by what we start. Once: it is forgotten that they were there.
 */
void fdstore_take(void (*take)(void *arg, const char *name, int fd), void *arg);

#endif
