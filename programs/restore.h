/*
 * hearthd --restore: take a backup back while no hub runs, as on a new card.
 */
#ifndef PROGRAMS_RESTORE_H
#define PROGRAMS_RESTORE_H

struct config;

struct restore_options {
	const char *file; /* the backup */
	const char *passphrase_file; /* NULL: none */
};

/* Replace the data in config's data_dir and say on standard output what was done,
 * or on standard error why not: then nothing has changed. Returns 0 or a negative
 * errno. */
int restore_run(const struct config *config,
		const struct restore_options *options);

#endif
