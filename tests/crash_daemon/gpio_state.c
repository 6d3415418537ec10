/*
 * Power cuts while hearth-gpiod's gpio.state is written: this program, recorded,
 * saves one configuration after another with the code of gpio/; then it looks, at
 * every instant of that, at what a cut may have left. A directory or a file that is
 * not synced must be found out, or the test could not see anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpio/state.h"
#include "tests/crash/card.h"
#include "tests/crash_daemon/record_log.h"

#define SAVES 40u
#define MARK "mark"

enum { BEGUN, KEPT };

static char scratch[64];

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void path_of(const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", scratch, name);
}

/* ---- the recorded half --------------------------------------------------- */

static void parse_pins(unsigned int number, struct pins *out)
{
	static struct pin_errors errors;
	char json[256];

	(void)snprintf(json, sizeof(json),
		       "{\"revision\":1,\"pins\":[{\"name\":\"p%u\","
		       "\"dir\":\"out\",\"line\":17}]}",
		       number);
	must(!pins_parse(slice_str(json), out, &errors), "pins_parse");
}

static int save_all(const char *dir)
{
	static struct pins pins;
	char path[128];
	int mark;

	(void)snprintf(path, sizeof(path), "%s/" MARK, dir);
	mark = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(mark >= 0, path);
	for (uint8_t i = 1; i <= SAVES; i++) {
		const uint8_t begun[] = { BEGUN, i };
		const uint8_t kept[] = { KEPT, i };

		parse_pins(i, &pins);
		must(write(mark, begun, sizeof(begun)) == 2, path);
		must(!state_save(dir, &pins), "state_save");
		must(write(mark, kept, sizeof(kept)) == 2, path);
	}
	return close(mark);
}

/* ---- the half that looks --------------------------------------------------- */

static void record(const char *program, const char *recorder)
{
	static const uint64_t now = 1;
	char data[128], log[128], clock[128];
	int status;
	pid_t pid;
	int fd;

	path_of("data", data);
	path_of("log", log);
	path_of("clock", clock);
	fd = open(clock, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, &now, sizeof(now)) == sizeof(now), clock);
	close(fd);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		setenv(RECORD_DIR, data, 1);
		setenv(RECORD_LOG, log, 1);
		setenv(RECORD_CLOCK, clock, 1);
		setenv("LD_PRELOAD", recorder, 1);
		execl(program, program, "--save", data, (char *)NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, "recorded half");
}

static void put(void *arg, const char *name, const uint8_t *data, size_t len)
{
	char path[128];
	int fd;

	if (strcmp(name, STATE_FILE) != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", (char *)arg, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, data, len) == (ssize_t)len, path);
	close(fd);
}

/* The number of the configuration that is there; 0: none, -1: it is damaged. */
static long number_in(const char *dir)
{
	static struct pin_errors errors;
	static struct pins pins;
	int r = state_load(dir, &pins, &errors);

	if (r == -ENOENT)
		return 0;
	return r ? -1 : strtol(pins.pin[0].name + 1, NULL, 10);
}

struct look {
	enum record_type deaf; /* to this; 0: none */
	unsigned int begun, kept;
	unsigned long images, broken;
};

static void look_at(struct look *look, const struct card *card,
		    enum card_kind kind, struct rng *dice)
{
	char image[128], file[160];
	long number;

	path_of("image", image);
	(void)snprintf(file, sizeof(file), "%s/" STATE_FILE, image);
	(void)unlink(file);
	card_image(card, kind, dice, put, image);
	number = number_in(image);
	look->images++;
	if (number >= (long)look->kept && number <= (long)look->begun)
		return;
	if (!look->deaf && !look->broken)
		printf("BROKEN: %ld is there, %u had been kept, %s\n", number,
		       look->kept, card_kind_name(kind));
	look->broken++;
}

static void follow(struct look *look)
{
	static struct record_read record;
	struct rng dice = { .state = 1 };
	struct card *card = card_new();
	struct record_log *log;
	struct disk_op op;
	char path[128];

	path_of("log", path);
	log = record_log_open(path, false);
	must(log, path);
	while (record_log_next(log, &record)) {
		if (record.type == look->deaf)
			continue;
		if (record.type == RECORD_WRITE &&
		    strcmp(record.name, MARK) == 0) {
			if (record.data[0] == KEPT)
				look->kept = record.data[1];
			else
				look->begun = record.data[1];
		} else if (record_log_disk_op(&record, &op)) {
			card_apply(card, &op);
		}
		for (int kind = 0; kind < CARD_KINDS; kind++)
			look_at(look, card, (enum card_kind)kind, &dice);
	}
	record_log_close(log);
	card_free(card);
}

static int check(enum record_type deaf, const char *what)
{
	struct look look = { .deaf = deaf };

	follow(&look);
	printf("%s: %lu power cuts, %lu found it damaged or too old\n", what,
	       look.images, look.broken);
	/* Each save was seen, or there was nothing to see. */
	return look.kept == SAVES && (look.broken > 0) == (deaf != 0) ? 0 : 1;
}

static void clean_up(void)
{
	static const char *const files[] = {
		"data/" STATE_FILE,
		"data/" MARK,
		"image/" STATE_FILE,
		"log",
		"clock",
	};
	static const char *const dirs[] = { "data", "image" };
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		path_of(files[i], path);
		(void)unlink(path);
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		path_of(dirs[i], path);
		(void)rmdir(path);
	}
	(void)rmdir(scratch);
}

int main(int argc, char **argv)
{
	char self[128];
	char path[128];
	ssize_t len;
	int failed;

	if (argc == 3 && strcmp(argv[1], "--save") == 0)
		return save_all(argv[2]);
	if (argc != 2) {
		(void)fprintf(stderr, "usage: gpio_state RECORDER\n");
		return 2;
	}
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	must(len > 0, "self");
	self[len] = '\0';
	(void)snprintf(scratch, sizeof(scratch), "/tmp/hearth-gpio-XXXXXX");
	must(mkdtemp(scratch), scratch);
	path_of("data", path);
	must(!mkdir(path, 0700), path);
	path_of("image", path);
	must(!mkdir(path, 0700), path);
	path_of("log", path);
	record_log_close(record_log_open(path, true));
	record(self, argv[1]);
	failed = check(0, "gpio.state");
	failed += check(RECORD_SYNC, "gpio.state, not synced");
	failed += check(RECORD_SYNC_NAMES, "gpio.state, its name not synced");
	clean_up();
	printf("%d passed, %d failed\n", 3 - failed, failed);
	return failed ? 1 : 0;
}
