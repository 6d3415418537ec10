#include "broker/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/environment.h"

/* Bytes of subject and text; longer ones end in "...". Escaped, four times as
 * long, a line still fits PIPE_BUF, within which a write is not torn. */
#define TEXT_MAX 960
#define PREFIX_MAX 64
#define LINE_MAX_BYTES (PREFIX_MAX + 4 * TEXT_MAX + 2)

static const struct {
	char name[6];
	char journal[4];
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARN] = { "warn ", "<4>" },
	[LOG_LEVEL_INFO] = { "info ", "<6>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<7>" },
};

static atomic_int threshold = LOG_LEVEL_INFO;
static void (*_Atomic sink_fn)(enum log_level level, const char *line);
static bool to_journal;
static pthread_once_t looked = PTHREAD_ONCE_INIT;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

enum log_level log_level_now(void)
{
	return (enum log_level)atomic_load_explicit(&threshold,
						    memory_order_relaxed);
}

void log_set_sink(void (*sink)(enum log_level level, const char *line))
{
	atomic_store(&sink_fn, sink);
}

/* JOURNAL_STREAM holds device:inode of the pipe systemd made for us; standard
 * error may have been redirected since (systemd.exec(5)). */
static void look_for_journal(void)
{
	const char *stream = environment_text("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return;
	(void)snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	to_journal = strcmp(stream, ours) == 0;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), 0 if there is none;
 * *code is its character. */
static size_t decode(const uint8_t *p, size_t left, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0;

	if (len <= 1 || len > left) {
		*code = p[0];
		return len > left ? 0 : len;
	}

	*code = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3fu);
	}
	if (*code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* Besides control characters those that end a line or turn the direction of
 * what is shown: with them, too, a line can be made to look like another. */
static bool harmless(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) &&
	       !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069);
}

/* out holds 4 * len + 1 bytes. Returns how many were written before the NUL. */
static size_t escape(const char *text, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p = (const uint8_t *)text;
	char *at = out;
	uint32_t code;

	while (len > 0) {
		size_t n = decode(p, len, &code);

		if (n > 0 && harmless(code)) {
			memcpy(at, p, n);
			at += n;
		} else {
			n = 1;
			*at++ = '\\';
			*at++ = 'x';
			*at++ = hex[*p >> 4];
			*at++ = hex[*p & 15];
		}
		p += n;
		len -= n;
	}
	*at = '\0';
	return (size_t)(at - out);
}

static size_t prefix(enum log_level level, char *out, size_t size)
{
	int64_t now;
	time_t seconds;
	struct tm tm;
	size_t n;

	if (to_journal) {
		memcpy(out, levels[level].journal, sizeof(levels[0].journal));
		return strlen(out);
	}

	now = clock_wall_ms();
	seconds = (time_t)(now / 1000);
	if (!gmtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(out + n, size - n, ".%03dZ %s ",
			      (int)(now % 1000), levels[level].name);
	return n;
}

static void write_line(const char *line, size_t len)
{
	/* Nobody is left to tell when standard error does not take it. */
	while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
		;
}

static size_t write_subject(char text[TEXT_MAX + 1], const char *subject)
{
	int n = snprintf(text, TEXT_MAX + 1, "%.*s: ", TEXT_MAX / 2, subject);

	return n > 0 ? (size_t)n : 0;
}

/* What vsnprintf() would have written after used bytes is the length n; make it
 * the length of text, ending in "..." where it was cut. */
static size_t fit(char text[TEXT_MAX + 1], size_t used, int n)
{
	size_t len = used + (n > 0 ? (size_t)n : 0);

	if (len <= TEXT_MAX)
		return len;
	memcpy(text + TEXT_MAX - 3, "...", 4);
	return TEXT_MAX;
}

void log_line(enum log_level level, const char *subject, const char *format,
	      ...)
{
	void (*sink)(enum log_level level, const char *line);
	char line[LINE_MAX_BYTES];
	char text[TEXT_MAX + 1];
	int saved = errno;
	va_list args;
	size_t len;
	size_t at;
	int n;

	if (level > log_level_now())
		return;

	(void)pthread_once(&looked, look_for_journal);
	len = write_subject(text, subject);
	va_start(args, format);
	n = vsnprintf(text + len, sizeof(text) - len, format, args);
	va_end(args);
	len = fit(text, len, n);

	sink = atomic_load(&sink_fn);
	if (sink) {
		escape(text, len, line);
		sink(level, line);
	} else {
		at = prefix(level, line, PREFIX_MAX);
		at += escape(text, len, line + at);
		line[at++] = '\n';
		write_line(line, at);
	}
	errno = saved;
}
