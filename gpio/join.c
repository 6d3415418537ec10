#include "gpio/join.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpio/topics.h"

#define PEM_BEGINS "-----BEGIN "

__attribute__((format(printf, 2, 3))) static int wrong(char why[JOIN_WHY_SIZE],
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, JOIN_WHY_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void join_free(struct join *join)
{
	free(join->hub);
	free(join->node);
	free(join->user);
	wipe(join->password);
	free(join->server_name);
	free(join->ca);
	free(join->pem);
	*join = (struct join){ 0 };
}

/* Where a value goes; NULL: there is no such key. */
static char **place(struct join *join, struct slice key)
{
	const struct {
		const char *name;
		char **value;
	} known[] = {
		{ "hub", &join->hub },
		{ "node", &join->node },
		{ "user", &join->user },
		{ "password", &join->password },
		{ "server-name", &join->server_name },
		{ "ca", &join->ca },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_equal(key, slice_str(known[i].name)))
			return known[i].value;
	}
	return NULL;
}

static struct slice trim(const char *from, const char *end)
{
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from &&
	       (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return slice_of(from, (size_t)(end - from));
}

static int take_line(struct join *join, struct slice line, unsigned int number,
		     char why[JOIN_WHY_SIZE])
{
	const char *text = (const char *)line.data;
	const char *equals;
	struct slice value;
	char **to;

	if (line.len == 0 || text[0] == '#')
		return 0;
	equals = memchr(text, '=', line.len);
	if (!equals)
		return wrong(why, "line %u: is no key = value", number);
	to = place(join, trim(text, equals));
	if (!to)
		return wrong(why, "line %u: there is no such key", number);
	if (*to)
		return wrong(why, "line %u: was there already", number);
	value = trim(equals + 1, text + line.len);
	if (value.len == 0 || value.len > JOIN_VALUE_MAX)
		return wrong(why, "line %u: the value is missing or too long",
			     number);
	*to = strndup((const char *)value.data, value.len);
	return *to ? 0 : -ENOMEM;
}

/* Lines up to the certificates, which are all the rest. */
static int take_lines(struct join *join, struct slice text,
		      char why[JOIN_WHY_SIZE])
{
	const char *at = (const char *)text.data;
	const char *end = at + text.len;
	unsigned int number = 0;
	int r = 0;

	while (!r && at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		const struct slice line = trim(at, next ? next : end);

		if (line.len > strlen(PEM_BEGINS) &&
		    memcmp(line.data, PEM_BEGINS, strlen(PEM_BEGINS)) == 0) {
			join->pem = strndup(at, (size_t)(end - at));
			return join->pem ? 0 : -ENOMEM;
		}
		r = take_line(join, line, ++number, why);
		at = next ? next + 1 : end;
	}
	return r;
}

static int judge(const struct join *join, char why[JOIN_WHY_SIZE])
{
	if (!join->hub || !join->node || !join->user || !join->password)
		return wrong(why, "hub, node, user and password are needed");
	if (strncmp(join->hub, "mqtts://", 8) != 0)
		return wrong(why, "hub must begin with mqtts://: the password "
				  "is not told to just anybody");
	if (!topics_node_valid(join->node))
		return wrong(why, "node must be 1 to 64 bytes without / + #");
	if ((join->pem != NULL) == (join->ca != NULL))
		return wrong(why, "either certificates or ca = is needed: "
				  "whom is the hub known by?");
	return 0;
}

int join_parse(struct slice text, struct join *out, char why[JOIN_WHY_SIZE])
{
	struct join join = { 0 };
	int r;

	why[0] = '\0';
	if (text.len && memchr(text.data, 0, text.len))
		return wrong(why, "this is no text");
	r = take_lines(&join, text, why);
	if (!r)
		r = judge(&join, why);
	if (r) {
		join_free(&join);
		return r;
	}
	*out = join;
	return 0;
}

/* ---- the file ----------------------------------------------------------- */

static int is_private(int fd, char why[JOIN_WHY_SIZE])
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return wrong(why, "is no file");
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		(void)wrong(why, "belongs to somebody else");
		return -EPERM;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		(void)wrong(why, "others may read or write it: chmod 600");
		return -EPERM;
	}
	return 0;
}

/* Bytes, with a NUL behind them; *len is set. NULL and *error. */
static char *read_file(int fd, size_t *len, int *error)
{
	char *bytes = malloc(JOIN_FILE_MAX + 1);
	ssize_t n = 1;

	*error = -ENOMEM;
	*len = 0;
	if (!bytes)
		return NULL;
	while (n != 0 && *len <= JOIN_FILE_MAX) {
		n = read(fd, bytes + *len, JOIN_FILE_MAX + 1 - *len);
		if (n < 0 && errno != EINTR)
			break;
		*len += n > 0 ? (size_t)n : 0;
	}
	*error = n < 0 ? -errno : n > 0 ? -EFBIG : 0;
	if (*error) {
		explicit_bzero(bytes, *len);
		free(bytes);
		return NULL;
	}
	bytes[*len] = '\0';
	return bytes;
}

static char *load(const char *path, bool secret, size_t *len, int *error,
		  char why[JOIN_WHY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *bytes = NULL;

	*error = fd < 0 ? -errno : 0;
	if (fd >= 0 && secret)
		*error = is_private(fd, why);
	if (!*error)
		bytes = read_file(fd, len, error);
	if (*error && !why[0])
		(void)snprintf(why, JOIN_WHY_SIZE, "%s",
			       strerrordesc_np(-*error));
	if (fd >= 0)
		(void)close(fd);
	return bytes;
}

/* The certificates are public. */
static int load_ca(struct join *join, char why[JOIN_WHY_SIZE])
{
	size_t len;
	int r;

	if (!join->ca || strcmp(join->ca, "system") == 0)
		return 0;
	join->pem = load(join->ca, false, &len, &r, why);
	return r;
}

int join_read(const char *path, struct join *out, char why[JOIN_WHY_SIZE])
{
	size_t len = 0;
	char *text;
	int r;

	why[0] = '\0';
	text = load(path, true, &len, &r, why);
	if (!text)
		return r;
	r = join_parse(slice_of(text, len), out, why);
	explicit_bzero(text, len);
	free(text);
	if (r)
		return r;
	r = load_ca(out, why);
	if (r)
		join_free(out);
	return r;
}
