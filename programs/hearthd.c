/* hearthd: see hearthd.8. Options here, the parts in hub.c. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/base/log.h"
#include "broker/config/config.h"
#include "programs/demo.h"
#include "programs/hub.h"
#include "programs/restore.h"

enum { EXIT_USAGE = 2 };

struct arguments {
	const char *file;
	bool check;
	bool demo;
	struct restore_options restore;
	struct demo_options demo_options;
};

static const char usage[] =
	"usage: hearthd -c FILE [--check]\n"
	"       hearthd -c FILE --restore BACKUP [--passphrase-file F]\n"
	"       hearthd --demo [--data DIR] [--node NAME]\n"
	"               [--mqtt-port N] [--web-port N]\n"
	"       hearthd --version | --help\n"
	"\n"
	"  -c, --config FILE  serve as hearth.conf says\n"
	"  --check            only say what is wrong with it: exit 0 or 2\n"
	"  --restore BACKUP   replace the data by a backup's, once it is "
	"checked;"
	" the hub\n"
	"                     must not run\n"
	"  --passphrase-file F  of the backup: its first line\n"
	"  --demo             a hub for this machine alone, with a simulated"
	" board\n"
	"  --data DIR         where the demo keeps its data"
	" (~/.local/state/hearth-demo)\n"
	"  --node NAME        second level of the board's topics (host name)\n"
	"  --mqtt-port N      1883; 0: any that is free\n"
	"  --web-port N       8080; 0: any that is free\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'k' },
	{ "demo", no_argument, NULL, 'd' },
	{ "restore", required_argument, NULL, 'r' },
	{ "passphrase-file", required_argument, NULL, 'p' },
	{ "data", required_argument, NULL, 'D' },
	{ "node", required_argument, NULL, 'n' },
	{ "mqtt-port", required_argument, NULL, 'm' },
	{ "web-port", required_argument, NULL, 'w' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void report(void *arg, unsigned int line, const char *message)
{
	const char *file = arg;

	if (line > 0)
		fprintf(stderr, "%s:%u: %s\n", file, line, message);
	else
		fprintf(stderr, "%s: %s\n", file, message);
}

static int parse_port(const char *text, uint16_t *out)
{
	char *end;
	unsigned long port;

	errno = 0;
	port = strtoul(text, &end, 10);
	if (errno || text[0] < '0' || text[0] > '9' || *end || port > 65535) {
		fprintf(stderr,
			"hearthd: %s: expected a port from 0 to 65535\n", text);
		return -EINVAL;
	}
	*out = (uint16_t)port;

	return 0;
}

static int parse_option(struct arguments *arguments, int letter)
{
	struct demo_options *demo = &arguments->demo_options;

	switch (letter) {
	case 'c':
		arguments->file = optarg;
		return 0;
	case 'k':
		arguments->check = true;
		return 0;
	case 'd':
		arguments->demo = true;
		return 0;
	case 'r':
		arguments->restore.file = optarg;
		return 0;
	case 'p':
		arguments->restore.passphrase_file = optarg;
		return 0;
	case 'D':
		demo->data_dir = optarg;
		return 0;
	case 'n':
		demo->node = optarg;
		return 0;
	case 'm':
		return parse_port(optarg, &demo->mqtt_port);
	case 'w':
		return parse_port(optarg, &demo->web_port);
	case 'V':
		puts("hearthd " HEARTH_VERSION);
		exit(EXIT_SUCCESS);
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	default:
		/* getopt_long() has said what is wrong. */
		return -EINVAL;
	}
}

static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	bool of_demo = false;
	int letter;

	while ((letter = getopt_long(argc, argv, "c:Vh", long_options, NULL)) !=
	       -1) {
		if (parse_option(arguments, letter))
			return -EINVAL;
		of_demo |= strchr("Dnmw", letter) != NULL;
	}
	if (optind < argc || arguments->demo == (arguments->file != NULL) ||
	    (arguments->check && arguments->demo) ||
	    (arguments->restore.file &&
	     (arguments->check || arguments->demo)) ||
	    (arguments->restore.passphrase_file && !arguments->restore.file) ||
	    (of_demo && !arguments->demo)) {
		fputs(usage, stderr);
		return -EINVAL;
	}

	return 0;
}

static int load(const struct arguments *arguments, struct config **out)
{
	char *file = (char *)(uintptr_t)arguments->file;

	if (arguments->demo)
		return demo_config(&arguments->demo_options, out);

	return config_load(arguments->file, out, report, file);
}

static int serve_once(const struct config *config, const char *file,
		      bool *again)
{
	struct hub *hub;
	int r = hub_open(&(struct hub_options){ .config = config,
						.file = file,
						.demo = !file },
			 &hub);
	int closed;

	if (r)
		return r;
	r = hub_wait(hub, again);
	closed = hub_close(hub);

	return r ? r : closed;
}

/* Restored from a backup, it is another hub: all of it begins anew. */
static int serve(const struct config *config, const char *file)
{
	bool again;
	int r;

	do {
		again = false;
		r = serve_once(config, file, &again);
	} while (again && !r);

	return r;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.demo_options = {
			.mqtt_port = DEMO_MQTT_PORT,
			.web_port = DEMO_WEB_PORT,
		},
	};
	struct config *config;
	int r;

	if (parse_arguments(argc, argv, &arguments))
		return EXIT_USAGE;
	r = load(&arguments, &config);
	if (r)
		return arguments.demo && r != -EINVAL ? EXIT_FAILURE
						      : EXIT_USAGE;
	if (!arguments.check) {
		/* Whatever we make is ours alone. */
		umask(077);
		log_set_level((enum log_level)config->log_level);
		r = arguments.restore.file
			    ? restore_run(config, &arguments.restore)
			    : serve(config, arguments.file);
	}
	config_free(config);

	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
