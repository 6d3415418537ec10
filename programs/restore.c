#include "programs/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/config/config.h"
#include "db/backup/passphrase.h"
#include "db/backup/restore.h"
#include "db/db.h"

/* Words out of a file that anybody may have made, for a terminal. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 127 ? '?'
								   : *text);
}

static void print_contents(const struct restore_info *info)
{
	time_t seconds = (time_t)(info->archive.time / 1000);
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("restored: the backup of %s UTC, node ", text);
	print_plain(info->archive.node);
	fputs(", hearth ", stdout);
	print_plain(info->archive.version);
	puts("");
	for (int kind = 0; kind < ARCHIVE_KINDS; kind++)
		if (info->has[kind])
			printf("  %s: %llu bytes\n",
			       archive_kind_name((enum archive_kind)kind),
			       (unsigned long long)info->sizes[kind]);
}

static void print_done(const struct config *config,
		       const struct restore_info *info, const char *aside)
{
	print_contents(info);
	printf("the data as it was: %s/%s\n", config->data_dir, aside);
	if (info->tls || info->has[ARCHIVE_HEARTH_CONF])
		printf("not put in place, there as restored-...: certificates,"
		       " keys, hearth.conf\n");
}

/* One that is already there is replaced; the last one asked for counts. */
static int take(struct db *db, const struct config *config, int fd,
		const char *passphrase, struct reason *reason)
{
	const struct restore_source source = { fd, passphrase };
	char aside[RESTORE_ASIDE_SIZE];
	struct restore_info info;
	int r = restore_stage(db_dir(db), db_dir_fd(db), &source, &info,
			      reason);

	if (!r)
		r = restore_commit(db_dir_fd(db));
	if (!r)
		r = restore_apply(db_dir_fd(db), aside);
	if (r < 0)
		return r;
	print_done(config, &info, aside);

	return 0;
}

static int open_and_take(const struct config *config, int fd,
			 const char *passphrase, struct reason *reason)
{
	const struct db_options options = { .dir = config->data_dir };
	struct db *db;
	/* It says itself what is wrong. */
	int r = db_lock(&options, &db);

	if (r)
		return reason_set(reason, r, "%.100s: %s", config->data_dir,
				  strerrordesc_np(-r));
	r = take(db, config, fd, passphrase, reason);
	db_close(db);

	return r;
}

int restore_run(const struct config *config,
		const struct restore_options *options)
{
	char passphrase[PASSPHRASE_SIZE];
	struct reason reason = { 0 };
	int fd = -1;
	int r = 0;

	if (options->passphrase_file)
		r = passphrase_read(options->passphrase_file, passphrase,
				    &reason);
	if (!r) {
		fd = open(options->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		r = fd < 0 ? -errno : 0;
	}
	if (!r)
		r = open_and_take(config, fd,
				  options->passphrase_file ? passphrase : NULL,
				  &reason);
	if (r)
		fprintf(stderr, "hearthd: %s: %s; nothing has been changed\n",
			options->file, reason_text(&reason, r));
	explicit_bzero(passphrase, sizeof(passphrase));
	if (fd >= 0)
		close(fd);

	return r;
}
