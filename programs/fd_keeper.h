/*
 * Descriptors that outlive a child: it sends copies of them with its words, as to
 * systemd (base/fdstore.h), and the next child is started with them. So outputs
 * that hold (gpio/held.h) stay requested while hearth-gpiod does not run.
 *
 * The number of a child is not known before it is started: it is told ours, as
 * LISTEN_PPID, in the place of its own.
 */
#ifndef PROGRAMS_FD_KEEPER_H
#define PROGRAMS_FD_KEEPER_H

#include <spawn.h>
#include <stddef.h>

/* As many as there are pins. */
#define FD_KEEPER_MAX 64u
/* Bytes of a name: a chip's label, a line and its polarity. */
#define FD_KEEPER_NAME_MAX 63u

/* Entries of an environment that it needs. */
#define FD_KEEPER_ENTRIES 3u

struct fd_keeper;

/* NULL: out of memory. */
struct fd_keeper *fd_keeper_new(void);
/* Lets all go. NULL does nothing. */
void fd_keeper_free(struct fd_keeper *keeper);

/* A word of the child, with its descriptor or -1; that is taken, in any case. */
void fd_keeper_hear(struct fd_keeper *keeper, const char *word, int fd);

/* What the next child finds. Returns 0 or a negative errno. */
int fd_keeper_hand_over(const struct fd_keeper *keeper,
			posix_spawn_file_actions_t *actions);
/* And where it reads of it: that many entries are written, which live until the
 * next call. 0 with nothing kept. */
size_t fd_keeper_environment(struct fd_keeper *keeper,
			     const char *entries[FD_KEEPER_ENTRIES]);

#endif
