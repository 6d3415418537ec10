/* Reading hearth.conf: config.h's config_load() and config_parse(). */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/config/config.h"
#include "broker/config/ini.h"

struct parser {
	const struct config_field *fields;
	size_t count;
	struct config *config;
	config_report_fn *report;
	void *arg;
	int error; /* 0, -EINVAL once something was reported, -ENOMEM */

	const char *section; /* of a field; NULL: none, or an unknown one */
	unsigned int section_line;
	struct listener_options *listener;
	unsigned int
		given[CONFIG_FIELDS_MAX]; /* in this section: its line, or 0 */
	unsigned int seen
		[CONFIG_FIELDS_MAX]; /* line of the section, at its first field */
};

__attribute__((format(printf, 3, 4))) static void
complain(struct parser *parser, unsigned int line, const char *format, ...)
{
	char message[FIELD_EXPECTED_SIZE + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (!parser->error)
		parser->error = -EINVAL;
	parser->report(parser->arg, line, message);
}

/* The line where a key was given in the section at hand, or 0. */
static unsigned int given(const struct parser *parser, const char *key)
{
	for (size_t i = 0; i < parser->count; i++)
		if (parser->given[i] && strcmp(parser->fields[i].key, key) == 0)
			return parser->given[i];
	return 0;
}

static void refuse_key(struct parser *parser, const char *key, const char *why)
{
	unsigned int line = given(parser, key);

	if (line)
		complain(parser, line, "%s: %s", key, why);
}

static void check_tls(struct parser *parser)
{
	unsigned int cert = given(parser, "tls_cert");
	unsigned int key = given(parser, "tls_key");

	if (cert && !key)
		complain(parser, cert, "tls_cert: expected a tls_key as well");
	if (key && !cert)
		complain(parser, key, "tls_key: expected a tls_cert as well");
}

static void need(struct parser *parser, const char *key, const char *other)
{
	unsigned int line = given(parser, key);

	if (line && !given(parser, other))
		complain(parser, line, "%s: expected a %s as well", key, other);
}

static void check_client_tls(struct parser *parser)
{
	check_tls(parser);
	need(parser, "tls_sni", "tls_cert");
	need(parser, "tls_min", "tls_cert");
	need(parser, "tls_client_ca", "tls_cert");
	need(parser, "tls_client_crl", "tls_client_ca");
	if (parser->listener->tls_user)
		need(parser, "tls_user", "tls_client_ca");
}

static void check_unix(struct parser *parser)
{
	refuse_key(parser, "address", "a unix socket has none");
	refuse_key(parser, "port", "a unix socket has none");
	refuse_key(parser, "tls_cert", "not for type = unix");
	if (!given(parser, "path"))
		complain(parser, parser->section_line,
			 "[listener %s]: expected a path for type = unix",
			 parser->listener->name);
}

static void check_network(struct parser *parser)
{
	const struct listener_options *listener = parser->listener;

	refuse_key(parser, "path", "only for type = unix");
	refuse_key(parser, "mode", "only for type = unix");
	refuse_key(parser, "group", "only for type = unix");
	refuse_key(parser, "user",
		   "only for type = unix, which file permissions guard");
	if (!given(parser, "port"))
		complain(parser, parser->section_line,
			 "[listener %s]: expected a port", listener->name);
	if ((listener->type == LISTENER_TLS ||
	     listener->type == LISTENER_WSS) &&
	    !given(parser, "tls_cert"))
		complain(parser, parser->section_line,
			 "[listener %s]: expected a tls_cert for this type",
			 listener->name);
}

static void check_listener(struct parser *parser)
{
	const struct listener_options *listener = parser->listener;

	if (listener->type == LISTENER_UNIX)
		check_unix(parser);
	else
		check_network(parser);
	if (listener->type != LISTENER_WS && listener->type != LISTENER_WSS)
		refuse_key(parser, "origin", "only for type = ws and wss");
	if (!listener->proxy_protocol)
		refuse_key(parser, "proxy_from",
			   "only with proxy_protocol = yes");
	check_client_tls(parser);
	if (listener->anonymous && listener->user)
		refuse_key(parser, "anonymous",
			   "everybody here is 'user' already");
}

static void end_section(struct parser *parser)
{
	if (parser->section && strcmp(parser->section, "listener") == 0) {
		if (parser->listener)
			check_listener(parser);
	} else if (parser->section && strcmp(parser->section, "web") == 0) {
		check_tls(parser);
	}
	memset(parser->given, 0, sizeof(parser->given));
	parser->section = NULL;
	parser->listener = NULL;
}

static void begin_listener(struct parser *parser, unsigned int line,
			   const char *name)
{
	struct config *config = parser->config;

	if (!*name || strlen(name) > CONFIG_NAME_MAX) {
		complain(parser, line,
			 "[listener]: expected a name after it,"
			 " of at most %d bytes",
			 CONFIG_NAME_MAX);
		return;
	}
	for (size_t i = 0; i < config->listener_count; i++) {
		if (strcmp(config->listeners[i].name, name) == 0) {
			complain(parser, line,
				 "[listener %s]: is in line %u already", name,
				 config->listener_lines[i]);
			return;
		}
	}
	if (config->listener_count == CONFIG_LISTENERS_MAX) {
		complain(parser, line, "expected at most %d listeners",
			 CONFIG_LISTENERS_MAX);
		return;
	}
	parser->listener = config_add_listener(config, name);
	if (!parser->listener)
		parser->error = -ENOMEM;
	else
		config->listener_lines[config->listener_count - 1] = line;
}

static void on_section(void *arg, unsigned int line, const char *type,
		       const char *name)
{
	struct parser *parser = arg;
	size_t i = 0;

	end_section(parser);
	parser->section_line = line;
	while (i < parser->count &&
	       strcmp(parser->fields[i].section, type) != 0)
		i++;
	if (i == parser->count) {
		complain(parser, line,
			 "[%.64s]: expected one of [hearth]"
			 " [listener NAME] [web] [gpio] "
			 "[durability] [backup] [limits]",
			 type);
		return;
	}
	parser->section = parser->fields[i].section;
	if (strcmp(type, "listener") == 0) {
		begin_listener(parser, line, name);
		return;
	}
	if (*name)
		complain(parser, line, "[%s]: expected no name after it", type);
	if (parser->seen[i])
		complain(parser, line, "[%s]: is in line %u already", type,
			 parser->seen[i]);
	parser->seen[i] = line;
}

static void on_pair(void *arg, unsigned int line, const char *key,
		    const char *value)
{
	struct parser *parser = arg;
	char expected[FIELD_EXPECTED_SIZE];
	const struct config_field *field;
	unsigned int *before;
	void *base = parser->config;
	int r;

	if (!parser->section) {
		/* That of an unknown section has been said. */
		if (!parser->section_line)
			complain(parser, line,
				 "%.64s: expected a [section] before it", key);
		return;
	}
	field = config_find_field(parser->section, key);
	if (!field) {
		complain(parser, line, "%.64s: there is no such key in [%s]",
			 key, parser->section);
		return;
	}
	before = &parser->given[field - parser->fields];
	if (*before && !config_field_adds(field))
		complain(parser, line, "%s: is in line %u already", key,
			 *before);
	*before = line;
	if (strcmp(parser->section, "listener") == 0) {
		if (!parser->listener)
			return;
		base = parser->listener;
	} else {
		parser->config->lines[field - parser->fields] = line;
	}
	r = config_field_set(field, parser->config, base, value, expected);
	if (r == -EINVAL)
		complain(parser, line, "%s = %.64s: %s", key, value, expected);
	else if (r)
		parser->error = r;
}

static void on_malformed(void *arg, unsigned int line, const char *expected)
{
	complain(arg, line, "%s", expected);
}

static int parse(char *text, size_t len, struct config **out,
		 config_report_fn *report, void *arg)
{
	static const struct ini_handler handler = {
		.section = on_section,
		.pair = on_pair,
		.malformed = on_malformed,
	};
	struct parser parser = { .report = report, .arg = arg };

	parser.fields = config_fields(&parser.count);
	parser.config = config_new();
	if (!parser.config)
		return -ENOMEM;
	ini_parse(text, len, &handler, &parser);
	end_section(&parser);
	if (!parser.error && parser.config->listener_count == 0)
		complain(&parser, 0,
			 "expected a [listener NAME]:"
			 " no device could connect");
	if (parser.error) {
		config_free(parser.config);
		return parser.error;
	}
	*out = parser.config;

	return 0;
}

int config_parse(const char *text, size_t len, struct config **out,
		 config_report_fn *report, void *arg)
{
	char *copy;
	int r;

	if (len > CONFIG_SIZE_MAX) {
		report(arg, 0, "expected at most 64 KiB");
		return -EINVAL;
	}
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	r = parse(copy, len, out, report, arg);
	free(copy);

	return r;
}

/* Fills in at most size bytes; returns their number or a negative errno. */
static ssize_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t r;

	if (fd < 0)
		return -errno;
	do {
		r = read(fd, buffer + len, size - len);
		if (r > 0)
			len += (size_t)r;
	} while ((r > 0 && len < size) || (r < 0 && errno == EINTR));
	if (r < 0)
		r = -errno;
	close(fd);

	return r < 0 ? r : (ssize_t)len;
}

int config_load(const char *path, struct config **out, config_report_fn *report,
		void *arg)
{
	char *text = malloc(CONFIG_SIZE_MAX + 1);
	ssize_t len;
	int r;

	if (!text)
		return -ENOMEM;
	len = read_file(path, text, CONFIG_SIZE_MAX + 1);
	if (len < 0) {
		report(arg, 0, strerrordesc_np((int)-len));
		r = (int)len;
	} else {
		r = config_parse(text, (size_t)len, out, report, arg);
	}
	free(text);

	return r;
}
