#include "db/backup/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "db/backup/generations.h"
#include "db/backup/restore.h"

static enum archive_kind kind_of(enum db_file file)
{
	switch (file) {
	case DB_STATE:
		return ARCHIVE_STATE_DB;
	case DB_HISTORY:
		return ARCHIVE_HISTORY_DB;
	case DB_CONFIG:
	case DB_FILES:
		break;
	}
	return ARCHIVE_CONFIG_DB;
}

/* One generation. Whether to try the one before: for what is wrong with it, not
 * for what is wrong with us. */
static int try_one(const struct backup_place *place, int backups,
		   const struct generation *generation, enum db_file file,
		   int64_t *time, bool *again)
{
	struct restore_info info;
	struct reason reason = { 0 };
	const struct restore_source source = {
		.fd = generations_open(backups, generation->number),
		.passphrase = place->passphrase,
	};
	int r;

	*again = source.fd != -ENOMEM && source.fd != -EMFILE &&
		 source.fd != -ENFILE;
	if (source.fd < 0)
		return source.fd;
	r = restore_one(place->dir, place->dir_fd, &source, kind_of(file),
			&info, &reason);
	close(source.fd);
	*time = info.archive.time;
	*again = r == -EILSEQ || r == -ENOTSUP || r == -ENOKEY ||
		 r == -EKEYREJECTED || r == -EBADMSG || r == -ENOENT;
	if (r && r != -ENOENT)
		log_warn(generation->name, "gives no %s: %s",
			 db_file_name(file), reason_text(&reason, r));

	return r;
}

int backup_newest(const struct backup_place *place, enum db_file file,
		  int64_t *time)
{
	int backups = generations_dir(place->dir_fd, place->path);
	struct generation *list;
	bool again = true;
	int r = -ENOENT;
	int count;

	if (backups < 0)
		return backups;
	list = calloc(GENERATIONS_MAX, sizeof(*list));
	if (!list) {
		close(backups);
		return -ENOMEM;
	}
	count = generations_list(backups, list, GENERATIONS_MAX);
	for (int i = 0; again && i < count; i++)
		r = try_one(place, backups, &list[i], file, time, &again);
	if (count < 0)
		r = count;
	free(list);
	close(backups);

	return r && again && count >= 0 ? -ENOENT : r;
}
