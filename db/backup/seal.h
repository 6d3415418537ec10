/*
 * A stream of bytes, whole or refused: cut into chunks that are each
 * authenticated, and encrypted when there is a passphrase (seal_format.h draws
 * it). Memory is one chunk, however long the stream. A stream that was damaged,
 * cut off at any place, continued or reordered is noticed before the bytes of the
 * chunk concerned are given out; that it was cut off, only at the end: what was
 * read counts for nothing before seal_reader_end() has said 0.
 *
 * Any one thread for each stream. Deriving the key takes a second and 32 MiB.
 */
#ifndef DB_BACKUP_SEAL_H
#define DB_BACKUP_SEAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "db/backup/reason.h"

#define SEAL_CHUNK 65536

/* A passphrase is guessed at by whoever has the file, at leisure. */
#define SEAL_PASSPHRASE_MIN 8
#define SEAL_PASSPHRASE_MAX 1024

/* scrypt's cost for new files, 2^log_n: tests set 10. Before other threads. */
void seal_set_cost(unsigned int log_n);

struct seal_writer;

/* Write to fd, which stays the caller's. passphrase NULL: not encrypted. Returns
 * NULL with errno set. */
struct seal_writer *seal_writer_new(int fd, const char *passphrase);
/* Gives up what was not ended. NULL does nothing. */
void seal_writer_free(struct seal_writer *writer);
/* Returns 0 or a negative errno; then nothing more may be written. What was
 * written is synced every few megabytes, so that nobody else's sync has to wait
 * for all of it. */
int seal_write(struct seal_writer *writer, const void *bytes, size_t len);
/* Write the last chunk, and sync. */
int seal_writer_end(struct seal_writer *writer);

struct seal_reader;

/* As read(2), but errors are negative errnos. */
typedef ssize_t seal_read_fn(void *arg, void *buffer, size_t size);

/* arg is a pointer to the descriptor. */
ssize_t seal_read_fd(void *arg, void *buffer, size_t size);

/*
 * Reads the head, and derives the key. Returns 0 or an error of reason.h; *out is
 * NULL then.
 */
int seal_reader_new(seal_read_fn *read, void *arg, const char *passphrase,
		    struct seal_reader **out, struct reason *reason);
/* NULL does nothing. */
void seal_reader_free(struct seal_reader *reader);
/* Exactly len bytes, or an error of reason.h. */
int seal_read(struct seal_reader *reader, void *bytes, size_t len,
	      struct reason *reason);
/* All was read: nothing is left, and what was read is all there was. */
int seal_reader_end(struct seal_reader *reader, struct reason *reason);

/* Whether a stream that begins so needs a passphrase: the first bytes of a file.
 * Returns 0 or an error of reason.h. */
int seal_probe(const void *bytes, size_t len, bool *encrypted,
	       struct reason *reason);

#endif
