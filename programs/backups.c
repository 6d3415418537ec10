#include "programs/backups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/config/config.h"
#include "broker/limits.h"
#include "db/backup/keeper.h"
#include "db/backup/passphrase.h"
#include "db/db.h"
#include "db/space.h"

/* What hearth.conf says when it says nothing. */
_Static_assert(LIMIT_STATE_MB == DB_MAX_STATE_MB, "see db/db.h");
_Static_assert(LIMIT_HISTORY_MB == DB_MAX_HISTORY_MB, "see db/db.h");
_Static_assert(LIMIT_BALLAST_MB == SPACE_BALLAST_MB, "see db/space.h");

struct backups {
	struct keeper *keeper;
	size_t count;
	char *paths[ARCHIVE_TLS_MAX]; /* of TLS files, each once */
};

static int add_path(struct backups *backups, const char *path, size_t len)
{
	char *copy;

	if (len == 0 || backups->count == ARCHIVE_TLS_MAX)
		return 0;
	copy = strndup(path, len);
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < backups->count; i++) {
		if (strcmp(backups->paths[i], copy) == 0) {
			free(copy);
			return 0;
		}
	}
	backups->paths[backups->count++] = copy;

	return 0;
}

static int add(struct backups *backups, const char *path)
{
	return path ? add_path(backups, path, strlen(path)) : 0;
}

/* "CERTIFICATE KEY", as [listener] tls_sni has them. */
static int add_pair(struct backups *backups, const char *pair)
{
	size_t len = strcspn(pair, " \t");
	const char *second = pair + len + strspn(pair + len, " \t");
	int r = add_path(backups, pair, len);

	return r ? r : add(backups, second);
}

static int add_listener(struct backups *backups,
			const struct listener_options *listener)
{
	int r = add(backups, listener->tls_cert);

	if (!r)
		r = add(backups, listener->tls_key);
	if (!r)
		r = add(backups, listener->tls_client_ca);
	if (!r)
		r = add(backups, listener->tls_client_crl);
	for (size_t i = 0; !r && i < listener->tls_sni.count; i++)
		r = add_pair(backups, listener->tls_sni.names[i]);

	return r;
}

static int add_all(struct backups *backups, const struct config *config)
{
	int r = add(backups, config->tls_cert);

	if (!r)
		r = add(backups, config->tls_key);
	for (size_t i = 0; !r && i < config->listener_count; i++)
		r = add_listener(backups, &config->listeners[i]);

	return r;
}

static int start(struct backups *backups, const struct config *config,
		 const char *file, struct db *db)
{
	const struct keeper_options options = {
		.source = { .db = db,
			    .node = config->node,
			    .conf = file,
			    .tls = (const char *const *)(void *)backups->paths,
			    .tls_count = backups->count },
		.nightly = config->backup_nightly,
		.hour = config->backup_hour,
		.keep = config->backup_keep,
		.history = config->backup_history,
		.path = config->backup_path,
		.passphrase_file = config->backup_passphrase_file,
	};

	backups->keeper = keeper_new(&options);
	return backups->keeper ? 0 : -errno;
}

struct backups *backups_new(const struct config *config, const char *file,
			    struct db *db)
{
	struct backups *backups = calloc(1, sizeof(*backups));
	int r;

	if (!backups)
		return NULL;
	r = add_all(backups, config);
	if (!r)
		r = start(backups, config, file, db);
	if (r) {
		backups_free(backups);
		errno = -r;
		return NULL;
	}

	return backups;
}

void backups_stop(struct backups *backups)
{
	if (backups)
		keeper_stop(backups->keeper);
}

void backups_free(struct backups *backups)
{
	if (!backups)
		return;
	keeper_free(backups->keeper);
	for (size_t i = 0; i < backups->count; i++)
		free(backups->paths[i]);
	free(backups);
}

struct keeper *backups_keeper(struct backups *backups)
{
	return backups->keeper;
}

int backups_open_db(const struct config *config, struct db **out)
{
	char passphrase[PASSPHRASE_SIZE];
	struct db_options options = {
		.dir = config->data_dir,
		.max_state_mb = config->state_mb,
		.max_history_mb = config->history_mb,
		.backups = config->backup_path,
	};
	const char *file = config->backup_passphrase_file;
	struct reason reason = { 0 };
	int r;

	/* Without it only a file that is damaged is missed. */
	if (file && passphrase_read(file, passphrase, &reason) == 0)
		options.backup_passphrase = passphrase;
	r = db_open(&options, out);
	explicit_bzero(passphrase, sizeof(passphrase));

	return r;
}
