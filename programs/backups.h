/*
 * The backups of this hub: what of its configuration goes in, and the thread that
 * makes them (db/backup/keeper.h).
 */
#ifndef PROGRAMS_BACKUPS_H
#define PROGRAMS_BACKUPS_H

struct backups;
struct config;
struct db;
struct keeper;

/* file: where config was read from, NULL: nowhere. All is borrowed. Returns NULL
 * with errno set. */
struct backups *backups_new(const struct config *config, const char *file,
			    struct db *db);
/* Gives up what is being made; then the web side may still find its answers. */
void backups_stop(struct backups *backups);
/* NULL does nothing. */
void backups_free(struct backups *backups);

struct keeper *backups_keeper(struct backups *backups);

/* db_open() of the data directory; a file that cannot be used is looked for in the
 * backups. */
int backups_open_db(const struct config *config, struct db **out);

#endif
