#include "db/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/settings.h"
#include "db/users.h"

#define KEY_CLAIMED "claimed"
#define KEY_TOKEN "claim_token"
#define TOKEN_FILE "claim-token"
#define TOKEN_TEMPORARY "claim-token.new"

int db_claim_state(struct db_config *config, bool *claimed)
{
	char *value;
	int r = db_settings_get(config, KEY_CLAIMED, &value);

	if (r && r != -ENOENT)
		return r;
	*claimed = !r;
	if (!r)
		free(value);

	return 0;
}

static int write_line(int fd, const char *token)
{
	if (dprintf(fd, "%s\n", token) < 0)
		return -errno;

	return fsync(fd) ? -errno : 0;
}

static int write_file(int dir, const char *token)
{
	int fd = openat(dir, TOKEN_TEMPORARY,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_line(fd, token);
	close(fd);
	if (!r && renameat(dir, TOKEN_TEMPORARY, dir, TOKEN_FILE))
		r = -errno;

	return r;
}

static int token(struct db_config *config, char out[PASSWORD_TOKEN_SIZE])
{
	char *value;
	int r;

	r = db_settings_get(config, KEY_TOKEN, &value);
	if (!r) {
		size_t len = strlen(value);
		bool fits = len < PASSWORD_TOKEN_SIZE;

		if (fits)
			memcpy(out, value, len + 1);
		free(value);
		return fits ? 0 : -EBADMSG;
	}
	if (r != -ENOENT)
		return r;

	r = password_generate(out);
	return r ? r : db_settings_set(config, KEY_TOKEN, out);
}

int db_claim_token(struct db_config *config, char out[PASSWORD_TOKEN_SIZE])
{
	bool claimed;
	int r;

	r = db_claim_state(config, &claimed);
	if (r)
		return r;
	if (claimed)
		return -EALREADY;

	r = token(config, out);
	return r ? r : write_file(db_dir_fd(db_config_db(config)), out);
}

static bool token_equal(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strlen(b) == len && CRYPTO_memcmp(a, b, len) == 0;
}

static int may_claim(struct db_config *config, const char *given)
{
	char right[PASSWORD_TOKEN_SIZE];
	bool claimed;
	int r;

	r = db_claim_state(config, &claimed);
	if (r)
		return r;
	if (claimed)
		return -EALREADY;
	r = token(config, right);
	if (r)
		return r;

	return token_equal(right, given) ? 0 : -EPERM;
}

int db_claim(struct db_config *config, const char *given,
	     const struct db_user *user)
{
	struct db_user admin = *user;
	int r;

	admin.admin = true;
	admin.enabled = true;

	r = db_config_begin(config);
	if (r)
		return r;
	r = may_claim(config, given);
	if (!r)
		r = db_users_add(config, &admin);
	if (!r)
		r = db_settings_set(config, KEY_CLAIMED, "1");
	if (!r)
		r = db_settings_remove(config, KEY_TOKEN);
	r = db_config_finish(config, r);
	if (r)
		return r;

	/* Worth nothing any more; it is only tidied up. */
	if (unlinkat(db_dir_fd(db_config_db(config)), TOKEN_FILE, 0) &&
	    errno != ENOENT)
		log_warn(TOKEN_FILE, "cannot be removed: %s",
			 strerrordesc_np(errno));

	return 0;
}
