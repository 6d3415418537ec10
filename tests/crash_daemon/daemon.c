#include "tests/crash_daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "db/access_rules.h"
#include "db/claim.h"
#include "db/config.h"
#include "db/db.h"

/* A machine that does nothing else for so long is out of order. */
#define PATIENCE_MS 120000

/* A sync lasts as long as on a quick card, so that much goes on meanwhile. */
#define SLOW_US "3000"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void path_of(const struct daemon *d, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", d->scratch, name);
}

static void claim(struct daemon *d)
{
	const struct db_options options = { .dir = d->data };
	struct db_user user = { .name = "admin" };
	struct db_rule rule = {
		.user = "*",
		.filter = "#",
		.action = ACCESS_READWRITE,
		.allow = true,
	};
	char token[PASSWORD_TOKEN_SIZE];
	struct db_config *config;
	struct db *db;

	must(!db_open(&options, &db), "db_open");
	must(!db_config_open(db, &config), "db_config_open");
	must(!db_claim_token(config, token) && !db_claim(config, token, &user),
	     "claim");
	must(!db_rules_add(config, &rule), "rule");
	db_config_close(config);
	db_close(db);
}

static void write_conf(const struct daemon *d)
{
	char path[128];
	FILE *out;

	path_of(d, "hearth.conf", path);
	out = fopen(path, "we");
	must(out, path);
	(void)fprintf(out,
		      "[hearth]\ndata_dir = %s\nnode = crash\n"
		      "[listener mqtt]\naddress = 127.0.0.1\nport = 0\n"
		      "anonymous = yes\n[web]\nport = 0\n"
		      "[gpio]\nbackend = off\n"
		      "[durability]\nmax_delay = %u\n",
		      d->data, (unsigned int)d->options.max_delay);
	must(!fclose(out), path);
}

static void make_clock(struct daemon *d)
{
	char path[128];
	void *memory;
	int fd;

	path_of(d, "clock", path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd >= 0 && !ftruncate(fd, sizeof(*d->clock)), path);
	memory = mmap(NULL, sizeof(*d->clock), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	must(memory != MAP_FAILED, path);
	close(fd);
	d->clock = memory;
	*d->clock = 3600000;
}

void daemon_make(struct daemon *d, const struct daemon_options *options)
{
	const char *root = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	char *real;

	memset(d, 0, sizeof(*d));
	d->options = *options;
	(void)snprintf(d->scratch, sizeof(d->scratch), "%s/hearth-cut-XXXXXX",
		       root);
	must(mkdtemp(d->scratch), d->scratch);
	real = realpath(d->scratch, NULL);
	must(real && strlen(real) < sizeof(d->scratch), d->scratch);
	(void)snprintf(d->scratch, sizeof(d->scratch), "%s", real);
	free(real);
	(void)snprintf(d->data, sizeof(d->data), "%s/data", d->scratch);
	(void)snprintf(d->log_path, sizeof(d->log_path), "%s/log", d->scratch);
	claim(d);
	write_conf(d);
	make_clock(d);
	d->log = record_log_open(d->log_path, true);
	must(d->log, d->log_path);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? remove(path) : 0;
}

void daemon_remove(struct daemon *d, bool keep_log)
{
	static const char *const files[] = { "hearth.conf", "clock", "output" };
	char path[128];

	daemon_kill(d);
	record_log_close(d->log);
	munmap((void *)(uintptr_t)d->clock, sizeof(*d->clock));
	nftw(d->data, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	rmdir(d->data);
	if (keep_log)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		path_of(d, files[i], path);
		unlink(path);
	}
	unlink(d->log_path);
	rmdir(d->scratch);
}

static void become(const struct daemon *d)
{
	char conf[128];
	char path[128];
	int fd;

	path_of(d, "hearth.conf", conf);
	path_of(d, "output", path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 ||
	    dup2(fd, STDOUT_FILENO) < 0)
		_exit(126);
	path_of(d, "clock", path);
	setenv(RECORD_DIR, d->data, 1);
	setenv(RECORD_LOG, d->log_path, 1);
	setenv(RECORD_CLOCK, path, 1);
	setenv(RECORD_SLOW, SLOW_US, 1);
	if (d->options.relax)
		setenv(RECORD_RELAX, "1", 1);
	setenv("LD_PRELOAD", d->options.recorder, 1);
	execl(d->options.hearthd, d->options.hearthd, "-c", conf, (char *)NULL);
	_exit(127);
}

/* The first port is the broker's: the dashboard comes later. */
static bool listens(struct daemon *d)
{
	static struct record_read record;

	while (!d->port && record_log_next(d->log, &record))
		if (record.type == RECORD_LISTEN)
			d->port = (uint16_t)record.at;
	return d->port > 0;
}

static bool ended(struct daemon *d, int *status)
{
	if (waitpid(d->pid, status, WNOHANG) != d->pid)
		return false;
	d->pid = 0;
	return true;
}

const char *daemon_start(struct daemon *d)
{
	int status;

	record_log_mend(d->log);
	d->port = 0;
	d->pid = fork();
	must(d->pid >= 0, "fork");
	if (d->pid == 0)
		become(d);
	for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
		if (listens(d))
			return NULL;
		if (ended(d, &status))
			return "hearthd does not start";
		nap();
	}
	return "hearthd does not come to listen";
}

void daemon_kill(struct daemon *d)
{
	if (!d->pid)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
	d->pid = 0;
	record_log_mend(d->log);
}

const char *daemon_stop(struct daemon *d)
{
	int status;

	if (!d->pid)
		return "hearthd does not run";
	kill(d->pid, SIGTERM);
	for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
		if (ended(d, &status))
			return WIFEXITED(status) && WEXITSTATUS(status) == 0
				       ? NULL
				       : "hearthd did not end well";
		/* It has deadlines for its clients. */
		*d->clock += 20;
		nap();
	}
	return "hearthd does not end";
}

static int dial(void *arg)
{
	const struct daemon *d = arg;
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(d->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, "socket");
	/* A broker that is gone is noticed by who reads. */
	(void)connect(fd, (const struct sockaddr *)&address, sizeof(address));
	must(!fcntl(fd, F_SETFL, O_NONBLOCK), "socket");
	return fd;
}

static void turn(void *arg)
{
	(void)arg;
}

struct place daemon_place(struct daemon *d)
{
	return (struct place){
		.name = "-hearthd",
		.arg = d,
		.connect = dial,
		.turn = turn,
	};
}
