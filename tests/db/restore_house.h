/*
 * A house whose backup says "new" and whose data says "old", for the tests that
 * take the one back over the other. Everything below fails the test when it goes
 * wrong.
 */
#ifndef TESTS_DB_RESTORE_HOUSE_H
#define TESTS_DB_RESTORE_HOUSE_H

#include <stdbool.h>

#include "db/backup/restore.h"

#define VALUE(v)                                                           \
	"REPLACE INTO retained VALUES ('t', 1, 0, NULL, NULL, 0, '', '', " \
	"'', x'', CAST('" v "' AS BLOB))"
#define ASK_VALUE "SELECT CAST(payload AS TEXT) FROM retained"
#define PASSPHRASE "correct horse"

/* In a fresh or used scratch directory; the backup's descriptor. */
int house_prepare(const char *passphrase);
/* The data directory's descriptor. */
int house_fd(void);

/* restore_stage() of a backup from its beginning, and restore_commit(). */
int house_stage(int fd, const char *passphrase, struct restore_info *info,
		struct reason *reason);
/* It is refused with this error, saying these words, and changes nothing. */
void house_refuses(int fd, const char *passphrase, int error,
		   const char *words);
/* How many directories with old data there are, and the name of one. */
int house_aside(char out[RESTORE_ASIDE_SIZE]);

/* A file of the data directory; read: static memory, "none" without one. */
void house_write(const char *name, const char *text);
const char *house_read(const char *name);

#endif
