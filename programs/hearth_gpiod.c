/*
 * hearth-gpiod: options, the parts put together, signals. See
 * gpio/hearth-gpiod.8. There is one thread: NOLINTBEGIN(concurrency-mt-unsafe)
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "broker/base/loop.h"
#include "broker/base/notify.h"
#include "broker/client/client_tls.h"
#include "gpio/join.h"
#include "gpio/lines_gpiod.h"
#include "gpio/lines_sim.h"
#include "gpio/node.h"
#include "gpio/safe.h"
#include "gpio/sysfs_sim.h"
#include "gpio/topics.h"

#define EXIT_USAGE 2

/* In the state directory. */
#define SYSFS_SIM "sysfs-sim"

struct options {
	const char *join; /* a file; NULL: the hub is at hub */
	const char *hub;
	const char *node; /* NULL: the host's name */
	const char *backend;
	const char *chip; /* NULL: the header's */
	const char *state_directory; /* NULL: none */
	const char *user; /* NULL: none */
	const char *sysfs; /* NULL: the kernel's */
	const char *parent; /* NULL: it may end without us */
	bool safe;
	bool verbose;
};

struct program {
	struct loop *loop;
	struct lines *lines;
	struct join join; /* empty: there is no such file */
	struct client_tls *tls; /* NULL: none is needed */
	struct node *node;
	struct loop_source signals;
	bool stopping;
	struct loop_timer watchdog;
	uint64_t watchdog_ms;
};

static const char usage[] =
	"usage: hearth-gpiod --hub ADDRESS [--node NAME] [--backend "
	"auto|gpiod|sim]\n"
	"       hearth-gpiod --join FILE [--hub ADDRESS] [--backend ...]\n"
	"                    [--chip LABEL] [--state-dir DIR] [--user NAME]\n"
	"                    [--sysfs DIR] [--die-with-parent PID] "
	"[--verbose]\n"
	"       hearth-gpiod --safe --state-dir DIR [--backend ...] [--chip "
	"LABEL]\n"
	"       hearth-gpiod --version | --help\n"
	"ADDRESS is unix:/path/to/socket, an IP address with :port, or\n"
	"mqtt://NAME:PORT; mqtts://NAME:PORT with a FILE that the hub has "
	"made.\n";

enum {
	OPTION_HUB = 256,
	OPTION_JOIN,
	OPTION_NODE,
	OPTION_BACKEND,
	OPTION_CHIP,
	OPTION_STATE_DIR,
	OPTION_USER,
	OPTION_SYSFS,
	OPTION_SAFE,
	OPTION_DIE_WITH_PARENT,
	OPTION_VERBOSE,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option known[] = {
	{ "hub", required_argument, NULL, OPTION_HUB },
	{ "join", required_argument, NULL, OPTION_JOIN },
	{ "node", required_argument, NULL, OPTION_NODE },
	{ "backend", required_argument, NULL, OPTION_BACKEND },
	{ "chip", required_argument, NULL, OPTION_CHIP },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "sysfs", required_argument, NULL, OPTION_SYSFS },
	{ "safe", no_argument, NULL, OPTION_SAFE },
	{ "die-with-parent", required_argument, NULL, OPTION_DIE_WITH_PARENT },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

__attribute__((noreturn)) static void wrong_usage(const char *what)
{
	if (what)
		(void)fprintf(stderr, "hearth-gpiod: %s\n", what);
	(void)fputs(usage, stderr);
	exit(EXIT_USAGE);
}

static void take_option(int option, struct options *out)
{
	switch (option) {
	case OPTION_HUB:
		out->hub = optarg;
		return;
	case OPTION_JOIN:
		out->join = optarg;
		return;
	case OPTION_NODE:
		out->node = optarg;
		return;
	case OPTION_BACKEND:
		out->backend = optarg;
		return;
	case OPTION_CHIP:
		out->chip = optarg;
		return;
	case OPTION_STATE_DIR:
		out->state_directory = optarg;
		return;
	case OPTION_USER:
		out->user = optarg;
		return;
	case OPTION_SYSFS:
		out->sysfs = optarg;
		return;
	case OPTION_SAFE:
		out->safe = true;
		return;
	case OPTION_DIE_WITH_PARENT:
		out->parent = optarg;
		return;
	case OPTION_VERBOSE:
		out->verbose = true;
		return;
	case OPTION_VERSION:
		(void)puts("hearth-gpiod " HEARTH_VERSION);
		exit(EXIT_SUCCESS);
	case OPTION_HELP:
		(void)fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	default:
		wrong_usage(NULL); /* getopt has said what. */
	}
}

static void judge_hub(const struct options *options)
{
	if (options->join && (options->node || options->user))
		wrong_usage("--join says who we are: no --node, no --user");
	if (options->join && options->hub &&
	    strncmp(options->hub, "mqtts://", 8) != 0)
		wrong_usage("--hub must begin with mqtts:// with --join");
	if (!options->safe && !options->hub && !options->join)
		wrong_usage("--hub or --join is missing");
}

static void parse_options(int argc, char **argv, struct options *out)
{
	int option;

	*out = (struct options){ .backend = "auto" };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		take_option(option, out);

	if (optind < argc)
		wrong_usage("too many arguments");
	if (out->safe && !out->state_directory)
		wrong_usage("--safe needs --state-dir");
	judge_hub(out);
	if (strcmp(out->backend, "auto") != 0 &&
	    strcmp(out->backend, "gpiod") != 0 &&
	    strcmp(out->backend, "sim") != 0)
		wrong_usage("--backend is auto, gpiod or sim");
	if (out->node && !topics_node_valid(out->node))
		wrong_usage("--node must be 1 to 64 bytes without / + #");
}

/* auto: a board that has lines uses them; any other is simulated, and says so. */
static int open_lines(const struct options *options, struct lines **out)
{
	int r = -ENODEV;

	if (strcmp(options->backend, "sim") != 0)
		r = lines_gpiod_open(options->chip, out);
	if (r == -ENODEV && !options->chip &&
	    strcmp(options->backend, "gpiod") != 0)
		r = lines_sim_open(out);
	if (r)
		log_error("lines", "%s: %s",
			  options->chip ? options->chip : options->backend,
			  r == -ENODEV ? "there is no such GPIO chip here"
				       : strerrordesc_np(-r));
	else if (lines_are_simulated(*out))
		log_warn("lines", "no real pins: this board is simulated");
	else
		log_info("lines", "%s, %u lines", (*out)->label, (*out)->count);
	return r;
}

/* A simulated board has simulated sensors and lights, beside what it keeps. */
static int find_sysfs(struct options *options, struct lines *lines)
{
	static char root[PATH_MAX];
	int r;

	if (options->sysfs)
		return 0;
	options->sysfs = "/sys";
	if (!lines_are_simulated(lines) || !options->state_directory)
		return 0;
	if (snprintf(root, sizeof(root), "%s/" SYSFS_SIM,
		     options->state_directory) >= (int)sizeof(root))
		return -ENAMETOOLONG;
	r = sysfs_sim_make(root);
	if (r)
		log_error(root, "no simulated sensors: %s",
			  strerrordesc_np(-r));
	else
		options->sysfs = root;
	return 0;
}

static void on_stopped(void *arg)
{
	struct program *program = arg;

	loop_stop(program->loop);
}

static void on_signal(struct loop_source *source, uint32_t events)
{
	struct program *program = list_entry(source, struct program, signals);
	struct signalfd_siginfo info;

	(void)events;
	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* A parent with threads can die more than once. */
	if (program->stopping)
		return;
	program->stopping = true;
	log_info("hearth-gpiod", "%s: outputs become safe",
		 sigdescr_np((int)info.ssi_signo));
	(void)notify_send("STOPPING=1");
	node_stop(program->node, on_stopped, program);
}

static void on_watchdog(struct loop_timer *timer)
{
	struct program *program = list_entry(timer, struct program, watchdog);

	(void)notify_send("WATCHDOG=1");
	loop_timer_set(program->loop, timer, program->watchdog_ms);
}

static int watch_signals(struct program *program)
{
	sigset_t set;
	int fd;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = loop_add(program->loop, &program->signals, fd, EPOLLIN, on_signal);
	if (r)
		(void)close(fd);
	return r;
}

/* The parent may have died before we asked, or even before we ran: then nobody
 * will tell us, and our parent is another. Hence its number. */
static int follow_parent(const char *parent)
{
	char text[24];

	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		return -errno;
	(void)snprintf(text, sizeof(text), "%d", getppid());
	return strcmp(text, parent) == 0 ? 0 : -ESRCH;
}

/* Returns 0, or a negative errno after logging it: whom we cannot be sure of is
 * not spoken to. */
static int read_join(struct program *program, const char *path)
{
	struct client_tls_options tls = { 0 };
	char why[JOIN_WHY_SIZE];
	int r = join_read(path, &program->join, why);

	if (r) {
		log_error(path, "is not used: %s",
			  why[0] ? why : strerrordesc_np(-r));
		return r;
	}
	tls.name = program->join.server_name;
	tls.pem = program->join.pem;
	tls.pem_len = tls.pem ? strlen(tls.pem) : 0;
	r = client_tls_new(&tls, &program->tls);
	if (r)
		log_error(path, "is not used: %s",
			  r == -EINVAL ? "the certificates cannot be read"
				       : strerrordesc_np(-r));
	return r;
}

static int make_node(struct program *program, const struct options *options)
{
	const struct join *join = &program->join;
	char host[NODE_NAME_MAX + 1] = "";
	struct node_options o = {
		.name = join->node ? join->node : options->node,
		.hub = options->hub ? options->hub : join->hub,
		.tls = program->tls,
		.user = join->user ? join->user : options->user,
		.password = join->password,
		.state_directory = options->state_directory,
		.sysfs = options->sysfs,
	};
	int r;

	if (!o.name) {
		if (gethostname(host, sizeof(host) - 1))
			return -errno;
		o.name = host;
	}
	r = node_new(program->loop, program->lines, &o, &program->node);
	if (r == -EINVAL)
		log_error("hearth-gpiod",
			  "node %s, hub %s: one of them cannot be; a hub is "
			  "unix:/path, an IP address with a port, "
			  "mqtt://name:port, or mqtts:// with --join",
			  o.name, o.hub);
	else if (!r)
		log_info("hearth-gpiod",
			 HEARTH_VERSION ", node %s, hub %s, %s lines", o.name,
			 o.hub, program->lines->ops->backend);
	return r;
}

static int run(struct program *program)
{
	node_start(program->node);
	(void)notify_send("READY=1");

	program->watchdog_ms = notify_watchdog_ms();
	program->watchdog.fn = on_watchdog;
	if (program->watchdog_ms > 0)
		loop_timer_set(program->loop, &program->watchdog,
			       program->watchdog_ms);
	return loop_run(program->loop);
}

static int serve(const struct options *options, struct lines *lines)
{
	struct program program = { .lines = lines, .signals.fd = -1 };
	int r;

	program.loop = loop_new();
	if (!program.loop)
		return -errno;

	/* OpenSSL writes without MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	r = watch_signals(&program);
	if (!r && options->join && read_join(&program, options->join))
		r = -EINVAL; /* It has been said why. */
	if (!r && options->parent)
		r = follow_parent(options->parent);
	if (!r)
		r = make_node(&program, options);
	if (!r)
		r = run(&program);

	node_free(program.node);
	client_tls_free(program.tls);
	join_free(&program.join);
	if (program.signals.fd >= 0) {
		int fd = program.signals.fd;

		loop_remove(program.loop, &program.signals);
		(void)close(fd);
	}
	loop_free(program.loop);
	return r;
}

int main(int argc, char **argv)
{
	struct options options;
	struct lines *lines;
	int r;

	parse_options(argc, argv, &options);
	if (options.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (open_lines(&options, &lines))
		return EXIT_FAILURE;

	r = find_sysfs(&options, lines);
	if (!r && options.safe)
		r = safe_drive(lines, options.state_directory, options.sysfs);
	else if (!r)
		r = serve(&options, lines);
	lines_close(lines);
	/* What -EINVAL means has been said. */
	if (r && r != -EINVAL)
		log_error("hearth-gpiod", "%s", strerrordesc_np(-r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
/* NOLINTEND(concurrency-mt-unsafe) */
