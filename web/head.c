#include "web/head.h"

#include <strings.h>

struct seen {
	bool host;
	bool length;
	bool coding;
};

static int refuse(const char **why, int status, const char *text)
{
	*why = text;
	return status;
}

/* RFC 9110, 5.6.2. */
static bool token_char(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static size_t token_length(struct slice text)
{
	size_t n = 0;

	while (n < text.len && token_char(text.data[n]))
		n++;
	return n;
}

static bool is_word(struct slice text, const char *word)
{
	return text.len == strlen(word) &&
	       strncasecmp((const char *)text.data, word, text.len) == 0;
}

static bool is_number(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.len > 0 && text.len <= 18;
}

static struct slice trim(struct slice text)
{
	while (text.len && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.len--;
	}
	while (text.len && (text.data[text.len - 1] == ' ' ||
			    text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* The line up to CR LF, which is taken off *rest; false for any other line end
 * and for control characters, NUL among them. */
static bool next_line(struct slice *rest, struct slice *line)
{
	const uint8_t *at = rest->data;
	size_t n = 0;

	while (n < rest->len && (at[n] >= 0x20 || at[n] == '\t') &&
	       at[n] != 0x7f)
		n++;
	if (rest->len - n < 2 || at[n] != '\r' || at[n + 1] != '\n')
		return false;
	*line = slice_of(at, n);
	*rest = slice_of(at + n + 2, rest->len - n - 2);
	return true;
}

static int check_request_line(struct slice line, bool *host_needed,
			      const char **why)
{
	size_t n = token_length(line);
	struct slice version;
	const uint8_t *space;

	if (n == 0 || n >= line.len || line.data[n] != ' ')
		return refuse(why, 400, "the method is malformed");
	line = slice_of(line.data + n + 1, line.len - n - 1);
	space = memchr(line.data, ' ', line.len);
	if (!space || line.data[0] != '/')
		return refuse(why, 400, "the target is not a path");
	for (const uint8_t *p = line.data; p < space; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return refuse(why, 400, "the target is malformed");
	n = (size_t)(space - line.data) + 1;
	version = slice_of(line.data + n, line.len - n);
	*host_needed = slice_equal(version, slice_str("HTTP/1.1"));
	if (!*host_needed && !slice_equal(version, slice_str("HTTP/1.0")))
		return refuse(why, 505, "the version is not HTTP/1.1");
	return 0;
}

static int check_known(struct seen *seen, struct slice name, struct slice value,
		       const char **why)
{
	if (is_word(name, "Host")) {
		if (seen->host)
			return refuse(why, 400, "two Host headers");
		seen->host = true;
	} else if (is_word(name, "Content-Length")) {
		if (seen->length)
			return refuse(why, 400, "two Content-Length headers");
		if (!is_number(value))
			return refuse(why, 400, "Content-Length is no number");
		seen->length = true;
	} else if (is_word(name, "Transfer-Encoding")) {
		if (seen->coding)
			return refuse(why, 400,
				      "two Transfer-Encoding headers");
		if (!is_word(value, "chunked"))
			return refuse(why, 501, "Transfer-Encoding not known");
		seen->coding = true;
	}
	return 0;
}

static int check_header(struct seen *seen, struct slice line, const char **why)
{
	size_t n = token_length(line);

	if (line.data[0] == ' ' || line.data[0] == '\t')
		return refuse(why, 400, "a folded header line");
	if (n == 0 || n >= line.len || line.data[n] != ':')
		return refuse(why, 400, "a malformed header name");
	return check_known(seen, slice_of(line.data, n),
			   trim(slice_of(line.data + n + 1, line.len - n - 1)),
			   why);
}

int head_check(struct slice head, const char **why)
{
	struct seen seen = { 0 };
	bool host_needed;
	struct slice line;
	int status;

	if (!next_line(&head, &line))
		return refuse(why, 400, "a malformed line end or character");
	status = check_request_line(line, &host_needed, why);
	if (status)
		return status;
	for (;;) {
		if (!next_line(&head, &line))
			return refuse(why, 400,
				      "a malformed line end or character");
		if (line.len == 0)
			break;
		status = check_header(&seen, line, why);
		if (status)
			return status;
	}
	if (head.len)
		return refuse(why, 400, "an empty line in the head");
	if (host_needed && !seen.host)
		return refuse(why, 400, "the Host header is missing");
	if (seen.length && seen.coding)
		return refuse(why, 400,
			      "Content-Length with Transfer-Encoding");
	return 0;
}
