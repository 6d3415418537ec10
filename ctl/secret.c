#include "ctl/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void secret_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

static int keep(const char *line, char **out)
{
	size_t len = strcspn(line, "\r\n");

	if (len == 0 || len > SECRET_MAX)
		return -EINVAL;
	*out = strndup(line, len);

	return *out ? 0 : -ENOMEM;
}

int secret_from_file(const char *path, FILE *in, char **out)
{
	bool given = strcmp(path, "-") == 0;
	FILE *file = given ? in : fopen(path, "re");
	/* A line end, and one byte more than may be. */
	char line[SECRET_MAX + 3];
	int r;

	if (!file)
		return -errno;
	if (!fgets(line, sizeof(line), file))
		r = ferror(file) ? -EIO : -EINVAL;
	else
		r = keep(line, out);
	explicit_bzero(line, sizeof(line));
	if (!given)
		fclose(file);

	return r;
}

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

static const int fatal[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };

#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

/* One line; a signal ends it, so that the caller can put the echo back. */
static int read_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		ssize_t r = read(fd, line + len, 1);

		if (r < 0)
			return -errno;
		if (r == 0 || line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';

	return 0;
}

static int ask_quietly(int fd, char *line, size_t size)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction before[FATAL];
	struct termios shown;
	struct termios quiet;
	int r;

	if (tcgetattr(fd, &shown))
		return -errno;
	caught = 0;
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &action, &before[i]);
	quiet = shown;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(fd, TCSAFLUSH, &quiet);
	r = read_line(fd, line, size);
	tcsetattr(fd, TCSAFLUSH, &shown);
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &before[i], NULL);
	dprintf(fd, "\n");
	if (caught)
		raise(caught);

	return r;
}

int secret_ask(const char *prompt, char **out)
{
	char line[SECRET_MAX + 3];
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return -ENXIO;
	dprintf(fd, "%s: ", prompt);
	r = ask_quietly(fd, line, sizeof(line));
	if (!r)
		r = keep(line, out);
	explicit_bzero(line, sizeof(line));
	close(fd);

	return r;
}
