#include "programs/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "broker/config/config.h"
#include "db/claim.h"
#include "db/config.h"
#include "db/db.h"
#include "db/pins.h"
#include "db/users.h"

#define LOGIN_FILE "demo-login"

/* Make every folder above path, private to this user. */
static int make_parents(const char *path)
{
	char *copy = strdup(path);
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash && !r;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST) {
			r = -errno;
			log_error(copy, "cannot be made: %s",
				  strerrordesc_np(errno));
		}
		*slash = '/';
	}
	free(copy);

	return r;
}

/* The user's state directory (XDG base directories); /var/tmp for a user who has
 * no home. */
static char *default_dir(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char *dir = NULL;
	int r;

	if (state && state[0] == '/')
		r = asprintf(&dir, "%s/hearth-demo", state);
	else if (home && home[0] == '/')
		r = asprintf(&dir, "%s/.local/state/hearth-demo", home);
	else
		r = asprintf(&dir, "/var/tmp/hearth-demo-%u", getuid());

	return r < 0 ? NULL : dir;
}

/* In a folder that others may write to, somebody may have made it before us. */
static int check_owner(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != getuid()) {
		log_error(dir, "is not a directory of this user");
		return -EPERM;
	}

	return 0;
}

static int set_data_dir(struct config *config, const char *given)
{
	char *dir = given ? realpath(given, NULL) : default_dir();
	int r;

	/* Not there yet: taken as it was given, from here. */
	if (given && !dir && given[0] == '/') {
		dir = strdup(given);
	} else if (given && !dir) {
		char *here = getcwd(NULL, 0);

		if (!here || asprintf(&dir, "%s/%s", here, given) < 0)
			dir = NULL;
		free(here);
	}
	if (!dir)
		return -ENOMEM;
	config->data_dir = config_keep(config, dir);
	free(dir);
	if (!config->data_dir)
		return -ENOMEM;
	r = make_parents(config->data_dir);

	return r ? r : check_owner(config->data_dir);
}

static int set_node(struct config *config, const char *node)
{
	char expected[FIELD_EXPECTED_SIZE];
	const struct config_field *field = config_find_field("hearth", "node");
	int r;

	if (!node)
		return 0;
	r = config_field_set(field, config, config, node, expected);
	if (r == -EINVAL)
		log_error("--node", "%s: %s", node, expected);

	return r;
}

int demo_config(const struct demo_options *options, struct config **out)
{
	struct config *config = config_new();
	struct listener_options *mqtt;
	int r;

	if (!config)
		return -ENOMEM;
	r = set_data_dir(config, options->data_dir);
	if (!r)
		r = set_node(config, options->node);
	mqtt = config_add_listener(config, "mqtt");
	if (!r && !mqtt)
		r = -ENOMEM;
	if (r) {
		config_free(config);
		return r;
	}
	mqtt->port = options->mqtt_port;
	mqtt->anonymous = true;
	config->web_port = options->web_port;
	config->gpio_backend = CONFIG_GPIO_SIM;
	*out = config;

	return 0;
}

/* The password of an earlier start. -ENOENT: there is none. */
static int read_login(int dir, char password[PASSWORD_TOKEN_SIZE])
{
	int fd = openat(dir, LOGIN_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, password, PASSWORD_TOKEN_SIZE - 1);
	close(fd);
	if (len < 0)
		return -EIO;
	password[len] = '\0';
	password[strcspn(password, "\n")] = '\0';

	return strlen(password) >= PASSWORD_MIN ? 0 : -ENOENT;
}

static int write_login(int dir, const char *password)
{
	int fd = openat(dir, LOGIN_FILE,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", password) < 0 || fsync(fd))
		r = -errno;
	close(fd);

	return r;
}

/* 64 bits are plenty for a login that only this machine can reach. */
#define DEMO_PASSWORD_LEN 16

static int new_login(struct db_config *config, bool claimed,
		     char password[PASSWORD_TOKEN_SIZE])
{
	struct db_user user = {
		.name = DEMO_USER,
		.kind = DB_USER_PERSON,
		.admin = true,
		.enabled = true,
	};
	char token[PASSWORD_TOKEN_SIZE];
	struct db_user old;
	int r = claimed ? db_users_get(config, DEMO_USER, &old) : 0;

	if (!r)
		r = password_generate(password);
	if (r)
		return r;
	password[DEMO_PASSWORD_LEN] = '\0';
	r = password_hash(PASSWORD_HUMAN, slice_str(password), user.hash);
	if (r)
		return r;
	/* First the file: a login that nobody can read is none. */
	r = write_login(db_dir_fd(db_config_db(config)), password);
	if (r)
		return r;
	if (!claimed) {
		r = db_claim_token(config, token);
		return r ? r : db_claim(config, token, &user);
	}

	return db_users_change(config, &user);
}

int demo_claim(struct db_config *config, char password[PASSWORD_TOKEN_SIZE])
{
	bool claimed;
	int r = db_claim_state(config, &claimed);

	if (!r)
		r = claimed ? read_login(db_dir_fd(db_config_db(config)),
					 password)
			    : -ENOENT;
	if (r == -ENOENT)
		r = new_login(config, claimed, password);
	if (r == -ENOENT) {
		/* No demo user: letting everybody in here would be wrong. */
		log_error(db_dir(db_config_db(config)),
			  "is somebody's hub, no demo's data directory");
		return -EPERM;
	}
	if (!r)
		r = db_pins_demo(config);
	if (r)
		log_error("demo", "cannot be set up: %s", strerrordesc_np(-r));

	return r;
}
